#define _GNU_SOURCE              /* memmem, explicit_bzero */
#include "secrets/secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "secrets/json_string.h"
#include "secrets/unescape.h"

enum { STARS = 3 };              /* what a value becomes where it is hidden; a shorter one is none worth hiding */
enum { PART = 12 };              /* bytes; a shorter part of a value is not hidden */
enum { PARTS = 8 };              /* of a long value that are looked for, beside its end */

typedef struct slot slot;
struct slot {
  slot *next;
  const char *name;              /* stands behind the value, in the same block */
  dk_slot_use use;
  size_t length;                 /* of the value; 0 hides the parent's */
  size_t rare;                   /* where in it a byte stands that texts seldom have */
  bool has_blank;
  char value[];
};

struct dk_secrets {
  dk_secrets *parent;
  int holds;
  slot *slots;
};

dk_secrets *dk_secrets_new (dk_secrets *parent) {
  dk_secrets *secrets = calloc(1, sizeof *secrets);
  if (secrets == NULL) return NULL;
  secrets->holds = 1;
  secrets->parent = parent;
  if (parent != NULL) parent->holds++;
  return secrets;
}

static void slot_free (slot *s) {
  explicit_bzero(s->value, s->length);
  free(s);
}

void dk_secrets_wipe (dk_secrets *secrets) {
  while (secrets->slots != NULL) {
    slot *s = secrets->slots;
    secrets->slots = s->next;
    slot_free(s);
  }
}

void dk_secrets_release (dk_secrets *secrets) {
  while (secrets != NULL && --secrets->holds == 0) {
    dk_secrets *parent = secrets->parent;
    dk_secrets_wipe(secrets);
    free(secrets);
    secrets = parent;
  }
}

void dk_secrets_clear (dk_secrets *secrets, const char *name) {
  for (slot **at = &secrets->slots; *at != NULL; at = &(*at)->next) {
    if (strcmp((*at)->name, name) == 0) {
      slot *gone = *at;
      *at = gone->next;
      slot_free(gone);
      return;
    }
  }
}

/* the slot that is seen under the name, or NULL where none is filled */
static const slot *find (const dk_secrets *secrets, const char *name, size_t length) {
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (strncmp(s->name, name, length) == 0 && s->name[length] == '\0') return s->length > 0 ? s : NULL;
    }
  }
  return NULL;
}

bool dk_secrets_has (const dk_secrets *secrets, const char *name) {
  return find(secrets, name, strlen(name)) != NULL;
}

static bool is_blank (char c) { return c == ' ' || c == '\t'; }

static bool fits_header (const char *value, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7F) return false;
  }
  return length == 0 || (!is_blank(value[0]) && !is_blank(value[length - 1]));
}

/* how often the byte stands in a JSON answer: one in capitals seldom, but for the T and Z of a time */
static int commonness (char c) {
  if (c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z') return 0;
  return c == '_' || (c >= 'g' && c <= 'z') ? 2 : (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == '-' ? 3 : 1;
}

static size_t rarest (const char *value, size_t length) {
  size_t best = 0;
  for (size_t i = 1; i < length; i++) {
    if (commonness(value[i]) < commonness(value[best])) best = i;
  }
  return best;
}

dk_status dk_secrets_set (dk_secrets *secrets, const char *name, const char *value, size_t length, dk_slot_use use, dk_failure *failure) {
  if (use != DK_SLOT_BODY && !fits_header(value, length))
    return dk_fail(failure, DK_BAD_VALUE, "it has a line feed, another control character, or a blank at an end");
  slot *s = malloc(sizeof *s + length + strlen(name) + 1);
  if (s == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  memcpy(s->value, value, length);
  s->name = strcpy(s->value + length, name);
  s->use = use;
  s->length = length;
  s->rare = rarest(value, length);
  s->has_blank = length > 0 && memchr(value, ' ', length) != NULL;
  dk_secrets_clear(secrets, name);
  s->next = secrets->slots;
  secrets->slots = s;
  return DK_OK;
}

/* text up to the next '{slot}': *name and *name_length tell the slot; NULL name: none is left */
static size_t plain_part (const char *text, const char **name, size_t *name_length) {
  const char *open = strchr(text, '{');
  const char *close = open ? strchr(open, '}') : NULL;
  *name = close ? open + 1 : NULL;
  *name_length = close ? (size_t)(close - open - 1) : 0;
  return close ? (size_t)(open - text) : strlen(text);
}

static dk_status told (dk_status status, dk_failure *failure) {
  if (status == DK_OK) return DK_OK;
  return dk_fail(failure, status, "%s", status == DK_NO_MEMORY ? "no memory" : "it is longer than may be");
}

dk_status dk_secrets_line (const dk_secrets *secrets, const char *template, dk_buffer *out, dk_failure *failure) {
  bool optional = template[0] == '?';
  size_t start = out->length;
  dk_status status = DK_OK;
  const char *text = template + optional, *name;
  do {
    size_t name_length, plain = plain_part(text, &name, &name_length);
    status = dk_buffer_add(out, text, plain);
    if (name == NULL || status != DK_OK) break;
    const slot *s = find(secrets, name, name_length);
    if (s == NULL && optional) {
      dk_buffer_cut(out, start);
      return DK_OK;
    }
    if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%.*s", (int)name_length, name);
    if (s->use == DK_SLOT_BODY) return dk_fail(failure, DK_BAD_VALUE, "%s may not stand in a header", s->name);
    status = dk_buffer_add(out, s->value, s->length);
    text = name + name_length + 1;
  } while (status == DK_OK);
  if (status == DK_OK) status = dk_buffer_add(out, "", 1);
  return told(status, failure);
}

dk_status dk_secrets_field (const dk_secrets *secrets, const char *slot_name, dk_buffer *out, dk_failure *failure) {
  const slot *s = find(secrets, slot_name, strlen(slot_name));
  if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%s", slot_name);
  out->length--;                                              /* the closing brace comes back below */
  dk_status status = out->bytes[out->length - 1] == '{' ? DK_OK : dk_buffer_add(out, ",", 1);
  if (status == DK_OK) status = dk_buffer_add(out, "\"", 1);
  if (status == DK_OK) status = dk_buffer_add(out, slot_name, strlen(slot_name));
  if (status == DK_OK) status = dk_buffer_add(out, "\":\"", 3);
  if (status == DK_OK) status = dk_json_add(out, s->value, s->length);
  if (status == DK_OK) status = dk_buffer_add(out, "\"}", 2);
  return told(status, failure);
}

/* ---- values in texts ---- */

/* Where the value stands in a text, from at on; NULL: nowhere. It looks at the places of the value's rarest byte alone; memmem
 * would first make a table of the value: 6 x the instructions. */
static const char *find_value (const slot *s, const char *at, const char *end) {
  if (s->length < STARS || s->length > (size_t)(end - at)) return NULL;
  const char *last = end - (s->length - s->rare) + 1;
  for (at += s->rare; (at = memchr(at, s->value[s->rare], (size_t)(last - at))) != NULL; at++) {
    if (memcmp(at - s->rare, s->value, s->length) == 0) return at - s->rare;
  }
  return NULL;
}

/* a value with a blank in it may be written with "+" */
static bool has_blanks (const dk_secrets *secrets) {
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->has_blank && s->use != DK_SLOT_SHOWN) return true;
    }
  }
  return false;
}

static bool shows_one (void *arg, const dk_reading *reading) {
  for (const dk_secrets *secrets = *(const dk_secrets *const *)arg; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use != DK_SLOT_SHOWN && find_value(s, reading->bytes, reading->bytes + reading->length) != NULL) return true;
    }
  }
  return false;
}

bool dk_secrets_shows (const dk_secrets *secrets, const char *text, size_t length) {
  bool shown;
  dk_status status = dk_read_text(text, length, has_blanks(secrets), false, shows_one, &secrets, &shown);
  return status != DK_OK || shown;                            /* without memory nobody knows */
}

typedef struct {
  const dk_secrets *secrets;
  const char *text;
  size_t length;
  char *marks;                   /* a byte for each of the text: 1 is hidden */
  bool hides;                    /* something that is not hidden yet */
} hiding;

/* a place of the reading, and where that is in the text */
typedef struct { size_t at, offset; } place;

/* moves on to a place, for there is no way back */
static size_t move (place *p, const dk_reading *reading, size_t to) {
  if (reading->widths == NULL) return to;
  while (p->at < to) p->offset += reading->widths[p->at++];
  return p->offset;
}

static void mark (hiding *h, size_t from, size_t to) {
  memset(h->marks + from, 1, to - from);
  for (size_t i = from; i < to && !h->hides; i++) h->hides = h->text[i] != '*';
}

/* marks what the bytes stand for; one in the middle of an escape takes the whole of it along */
static void mark_bytes (hiding *h, const dk_reading *reading, place *p, const char *from, const char *to) {
  size_t first = (size_t)(from - reading->bytes);
  while (reading->widths != NULL && first > p->at && reading->widths[first] == 0) first--;
  first = move(p, reading, first);
  mark(h, first, move(p, reading, (size_t)(to - reading->bytes)));
}

/* wherever the value stands */
static void mark_value (hiding *h, const dk_reading *reading, const slot *s) {
  const char *at = reading->bytes, *end = at + reading->length, *found;
  place p = {0, 0};
  for (; (found = find_value(s, at, end)) != NULL; at = found + s->length) mark_bytes(h, reading, &p, found, found + s->length);
}

/* the piece of the value around one part of it, as far as the text agrees, wherever it stands */
static void mark_piece (hiding *h, const dk_reading *reading, const slot *s, size_t part) {
  const char *at = reading->bytes, *end = at + reading->length, *found, *to;
  place p = {0, 0};
  for (; (found = memmem(at, (size_t)(end - at), s->value + part, PART)) != NULL; at = to) {
    const char *from = found;
    to = found + PART;
    for (size_t i = part; i > 0 && from > at && from[-1] == s->value[i - 1]; i--) from--;
    for (size_t i = part + PART; i < s->length && to < end && *to == s->value[i]; i++) to++;
    mark_bytes(h, reading, &p, from, to);
  }
}

/* the start and the end of the value, wherever they stand, and long pieces: a server may shorten a value or break its line */
static void mark_pieces (hiding *h, const dk_reading *reading, const slot *s) {
  size_t step = s->length / PARTS > PART ? s->length / PARTS : PART;
  for (size_t part = 0; part < s->length - PART; part += step) mark_piece(h, reading, s, part);
  mark_piece(h, reading, s, s->length - PART);
}

/* the start of the value where the text ends with it: an answer may be cut in the middle of one */
static void mark_start (hiding *h, const dk_reading *reading, const slot *s) {
  size_t part = s->length <= reading->length ? s->length - 1 : reading->length;
  while (part >= PART && memcmp(reading->bytes + reading->length - part, s->value, part) != 0) part--;
  place p = {0, 0};
  if (part >= PART) mark(h, move(&p, reading, reading->length - part), h->length);
}

static bool mark_reading (void *arg, const dk_reading *reading) {
  hiding *h = arg;
  for (const dk_secrets *secrets = h->secrets; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use == DK_SLOT_SHOWN) continue;
      mark_value(h, reading, s);
      if (s->length <= PART) continue;
      mark_pieces(h, reading, s);
      mark_start(h, reading, s);
    }
  }
  return false;
}

/* in place: what is marked becomes "***", which is never longer; the bytes that are left */
static size_t hide_marked (char *text, size_t length, const char *marks) {
  char *to = text;
  for (size_t at = 0; at < length;) {
    const char *change = memchr(marks + at, !marks[at], length - at);
    size_t next = change ? (size_t)(change - marks) : length;
    size_t count = marks[at] ? STARS : next - at;
    if (marks[at]) memset(to, '*', count);
    else memmove(to, text + at, count);
    to += count;
    at = next;
  }
  return (size_t)(to - text);
}

/* hides what stands in out from start on; *hides: something did */
static dk_status mask_once (const dk_secrets *secrets, dk_buffer *out, size_t start, bool *hides) {
  hiding h = {.secrets = secrets, .text = out->bytes + start, .length = out->length - start};
  bool stopped;
  h.marks = calloc(1, h.length + 1);
  if (h.marks == NULL) return DK_NO_MEMORY;
  dk_status status = dk_read_text(h.text, h.length, has_blanks(secrets), true, mark_reading, &h, &stopped);
  size_t left = status == DK_OK && h.hides ? hide_marked(out->bytes + start, h.length, h.marks) : h.length;
  *hides = h.hides;
  dk_buffer_cut(out, start + left);
  free(h.marks);
  return status;
}

/* once more where it hid something: what is left may read in another way */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out) {
  size_t start = out->length;
  bool hides;
  dk_status status = dk_buffer_add(out, text, length);
  if (status != DK_OK) return status;
  do status = mask_once(secrets, out, start, &hides); while (status == DK_OK && hides);
  if (status != DK_OK) dk_buffer_cut(out, start);
  return status;
}

bool dk_secrets_tag (const dk_secrets *secrets, const char *name, uint64_t *tag) {
  const slot *s = find(secrets, name, strlen(name));
  return s != NULL && dk_hash(s->value, s->length, tag);
}

bool dk_secrets_begins (const dk_secrets *secrets, const char *name, const char *start, size_t length) {
  const slot *s = find(secrets, name, strlen(name));
  return s != NULL && length <= s->length && memcmp(s->value, start, length) == 0;
}
