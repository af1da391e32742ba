#define _GNU_SOURCE              /* memmem, explicit_bzero */
#include "secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "json_text.h"

enum { STARS = 3 };              /* what a value becomes where it is hidden; a shorter one is none worth hiding */
enum { PART = 12 };              /* the least part of a value that is hidden where a text ends with it */

typedef struct slot slot;
struct slot {
  slot *next;
  const char *name;              /* stands behind the value, in the same block */
  dk_slot_use use;
  size_t length;                 /* of the value; 0 hides the parent's */
  size_t rare;                   /* where in it a byte stands that texts seldom have */
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

/* in place: wherever the value stands as JSON may write it, it becomes "***", which is never longer */
static size_t replace_escaped (char *text, size_t length, const slot *s) {
  const char *end = text + length;
  char *to = text;
  if (s->length < STARS || memchr(text, '\\', length) == NULL) return length;
  for (const char *at = text; at < end;) {
    size_t found = dk_json_match(s->value, s->length, at, end);
    if (found == 0) {
      *to++ = *at++;
      continue;
    }
    memset(to, '*', STARS);
    to += STARS;
    at += found;
  }
  return (size_t)(to - text);
}

/* the same where it stands as it is */
static size_t replace_plain (char *text, size_t length, const slot *s) {
  if (s->length < STARS) return length;
  for (char *at = text; (at = memmem(at, length - (size_t)(at - text), s->value, s->length)) != NULL; at += STARS) {
    memset(at, '*', STARS);
    memmove(at + STARS, at + s->length, length - (size_t)(at - text) - s->length);
    length -= s->length - STARS;
  }
  return length;
}

/* hides one value in out from start on; what moved to the left leaves its end behind, which is wiped */
static void mask_value (const slot *s, dk_buffer *out, size_t start) {
  char *text = out->bytes + start;
  size_t length = out->length - start, left = replace_plain(text, replace_escaped(text, length, s), s);
  dk_buffer_cut(out, start + left);
}

/* the longest value to hide that is shorter than below; 0: none */
static size_t longest (const dk_secrets *secrets, size_t below) {
  size_t length = 0;
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use != DK_SLOT_SHOWN && s->length < below && s->length > length) length = s->length;
    }
  }
  return length;
}

/* how much of a value the text ends with: an answer may be cut in the middle of one */
static size_t begun (const slot *s, const char *text, size_t length) {
  if (s->use == DK_SLOT_SHOWN || s->length <= PART) return 0;
  size_t part = s->length <= length ? s->length - 1 : length;
  while (part >= PART && memcmp(text + length - part, s->value, part) != 0) part--;
  return part >= PART ? part : 0;
}

static dk_status mask_end (const dk_secrets *secrets, dk_buffer *out, size_t start) {
  size_t most = 0;
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      size_t part = begun(s, out->bytes + start, out->length - start);
      if (part > most) most = part;
    }
  }
  if (most == 0) return DK_OK;
  dk_buffer_cut(out, out->length - most);
  return dk_buffer_add(out, "***", STARS);
}

/* longer values first, so that one that begins another leaves no rest of it to be seen */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out) {
  size_t start = out->length;
  dk_status status = dk_buffer_add(out, text, length);
  if (status != DK_OK) return status;
  for (size_t next = longest(secrets, SIZE_MAX); next > 0; next = longest(secrets, next)) {
    for (const dk_secrets *set = secrets; set != NULL; set = set->parent) {
      for (const slot *s = set->slots; s != NULL; s = s->next) {
        if (s->use != DK_SLOT_SHOWN && s->length == next) mask_value(s, out, start);
      }
    }
  }
  return mask_end(secrets, out, start);
}

/* looks at the places of its rarest byte alone; memmem would first make a table of the value: 6 x the instructions */
static bool stands_in (const slot *s, const char *text, size_t length) {
  if (s->length < STARS || s->length > length) return false;
  const char *at = text + s->rare, *end = at + (length - s->length) + 1;
  for (; (at = memchr(at, s->value[s->rare], (size_t)(end - at))) != NULL; at++) {
    if (memcmp(at - s->rare, s->value, s->length) == 0) return true;
  }
  return false;
}

static bool stands_escaped_in (const slot *s, const char *text, size_t length) {
  const char *end = text + length;
  if (s->length < STARS) return false;
  for (const char *at = text; at < end; at++) {
    if ((*at == s->value[0] || *at == '\\') && dk_json_match(s->value, s->length, at, end) > 0) return true;
  }
  return false;
}

bool dk_secrets_shows (const dk_secrets *secrets, const char *text, size_t length) {
  bool has_escapes = memchr(text, '\\', length) != NULL;
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use != DK_SLOT_SHOWN && (stands_in(s, text, length) || (has_escapes && stands_escaped_in(s, text, length)))) return true;
    }
  }
  return false;
}

bool dk_secrets_tag (const dk_secrets *secrets, const char *name, uint64_t *tag) {
  const slot *s = find(secrets, name, strlen(name));
  return s != NULL && dk_hash(s->value, s->length, tag);
}

bool dk_secrets_begins (const dk_secrets *secrets, const char *name, const char *start, size_t length) {
  const slot *s = find(secrets, name, strlen(name));
  return s != NULL && length <= s->length && memcmp(s->value, start, length) == 0;
}
