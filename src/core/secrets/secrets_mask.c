#include "secrets/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "os/os.h"
#include "secrets/secrets_internal.h"
#include "secrets/unescape.h"

enum { MASK_LENGTH = 3 };        /* bytes of "***"; a shorter value is not masked */
enum { PART = 12 };              /* bytes; a shorter part of a value is not masked */
enum { PARTS = 8 };              /* of a long value that are searched for, in addition to its end */

/* The value's first place in the text from at to end; NULL: none. Searches for the value's rarest byte; memmem would first make a
 * table of the value, for 6 x the instructions. */
static const char *find_value (const dk_slot *s, const char *at, const char *end) {
  if (s->length < MASK_LENGTH || s->length > (size_t)(end - at)) return NULL;
  const char *last = end - (s->length - s->rare) + 1;
  for (at += s->rare; (at = (const char *)memchr(at, s->value[s->rare], (size_t)(last - at))) != NULL; at++) {
    if (memcmp(at - s->rare, s->value, s->length) == 0) return at - s->rare;
  }
  return NULL;
}

/* a form writes a blank as "+" */
static bool have_blanks (const dk_secrets *secrets) {
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const dk_slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->has_blank && s->use != DK_SLOT_PUBLIC) return true;
    }
  }
  return false;
}

static bool contains_value (void *arg, const dk_decoded_text *decoded) {
  for (const dk_secrets *secrets = *(const dk_secrets *const *)arg; secrets != NULL; secrets = secrets->parent) {
    for (const dk_slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use != DK_SLOT_PUBLIC && find_value(s, decoded->bytes, decoded->bytes + decoded->length) != NULL) return true;
    }
  }
  return false;
}

bool dk_secrets_appear_in (const dk_secrets *secrets, const char *text, size_t length) {
  bool found;
  dk_status status = dk_unescape_visit(text, length, have_blanks(secrets), false, contains_value, &secrets, &found);
  return status != DK_OK || found;                            /* without memory, assume that it contains one */
}

/* A text that is being masked. */
typedef struct {
  const dk_secrets *secrets;
  const char *text;
  size_t length;
  char *marks;                   /* owned; a byte for each byte of the text; 1: mask it */
  bool has_new;                  /* a marked byte is not '*' yet */
} masking;

/* A position in a decoded text, and the same position in the text itself. */
typedef struct { size_t at, offset; } position;

/* advances to a position, never back */
static size_t advance (position *p, const dk_decoded_text *decoded, size_t to) {
  if (decoded->widths == NULL) return to;
  while (p->at < to) p->offset += decoded->widths[p->at++];
  return p->offset;
}

static void mark (masking *m, size_t from, size_t to) {
  memset(m->marks + from, 1, to - from);
  for (size_t i = from; i < to && !m->has_new; i++) m->has_new = m->text[i] != '*';
}

/* marks the source of decoded bytes; a byte inside an escape marks the whole escape */
static void mark_bytes (masking *m, const dk_decoded_text *decoded, position *p, const char *from, const char *to) {
  size_t first = (size_t)(from - decoded->bytes);
  while (decoded->widths != NULL && first > p->at && decoded->widths[first] == 0) first--;
  first = advance(p, decoded, first);
  mark(m, first, advance(p, decoded, (size_t)(to - decoded->bytes)));
}

/* marks each place of the value */
static void mark_value (masking *m, const dk_decoded_text *decoded, const dk_slot *s) {
  const char *at = decoded->bytes, *end = at + decoded->length, *found;
  position p = {0, 0};
  for (; (found = find_value(s, at, end)) != NULL; at = found + s->length) mark_bytes(m, decoded, &p, found, found + s->length);
}

/* marks each place of this part of the value, extended in both directions as far as the text matches */
static void mark_piece (masking *m, const dk_decoded_text *decoded, const dk_slot *s, size_t part) {
  const char *at = decoded->bytes, *end = at + decoded->length, *found, *to;
  position p = {0, 0};
  for (; (found = (const char *)dk_find_bytes(at, (size_t)(end - at), s->value + part, PART)) != NULL; at = to) {
    const char *from = found;
    to = found + PART;
    for (size_t i = part; i > 0 && from > at && from[-1] == s->value[i - 1]; i--) from--;
    for (size_t i = part + PART; i < s->length && to < end && *to == s->value[i]; i++) to++;
    mark_bytes(m, decoded, &p, from, to);
  }
}

/* marks the start, the end and long pieces of the value: a server may shorten a value or break its line */
static void mark_pieces (masking *m, const dk_decoded_text *decoded, const dk_slot *s) {
  size_t step = s->length / PARTS > PART ? s->length / PARTS : (size_t)PART;
  for (size_t part = 0; part < s->length - PART; part += step) mark_piece(m, decoded, s, part);
  mark_piece(m, decoded, s, s->length - PART);
}

/* marks the start of the value at the end of the text: a response may be cut inside a value */
static void mark_start (masking *m, const dk_decoded_text *decoded, const dk_slot *s) {
  size_t part = s->length <= decoded->length ? s->length - 1 : decoded->length;
  while (part >= PART && memcmp(decoded->bytes + decoded->length - part, s->value, part) != 0) part--;
  position p = {0, 0};
  if (part >= PART) mark(m, advance(&p, decoded, decoded->length - part), m->length);
}

static bool mark_values (void *arg, const dk_decoded_text *decoded) {
  masking *m = (masking *)arg;
  for (const dk_secrets *secrets = m->secrets; secrets != NULL; secrets = secrets->parent) {
    for (const dk_slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use == DK_SLOT_PUBLIC) continue;
      mark_value(m, decoded, s);
      if (s->length <= PART) continue;
      mark_pieces(m, decoded, s);
      mark_start(m, decoded, s);
    }
  }
  return false;
}

/* replaces each marked range with "***", which is never longer, in place; returns the new length */
static size_t replace_marked (char *text, size_t length, const char *marks) {
  char *to = text;
  for (size_t at = 0; at < length;) {
    const char *change = (const char *)memchr(marks + at, !marks[at], length - at);
    size_t next = change ? (size_t)(change - marks) : length;
    size_t count = marks[at] ? (size_t)MASK_LENGTH : next - at;
    if (marks[at]) memset(to, '*', count);
    else memmove(to, text + at, count);
    to += count;
    at = next;
  }
  return (size_t)(to - text);
}

/* masks out from start on; *masked: it masked something */
static dk_status mask_once (const dk_secrets *secrets, dk_buffer *out, size_t start, bool *masked) {
  masking m = {.secrets = secrets, .text = out->bytes + start, .length = out->length - start};
  bool stopped;
  m.marks = (char *)calloc(1, m.length + 1);
  if (m.marks == NULL) return DK_NO_MEMORY;
  dk_status status = dk_unescape_visit(m.text, m.length, have_blanks(secrets), true, mark_values, &m, &stopped);
  size_t left = status == DK_OK && m.has_new ? replace_marked(out->bytes + start, m.length, m.marks) : m.length;
  *masked = m.has_new;
  dk_buffer_truncate(out, start + left);
  free(m.marks);
  return status;
}

/* repeats while it masks something: what is left may decode to another text */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out) {
  size_t start = out->length;
  bool masked;
  dk_status status = dk_buffer_add(out, text, length);
  if (status != DK_OK) return status;
  do status = mask_once(secrets, out, start, &masked); while (status == DK_OK && masked);
  if (status != DK_OK) dk_buffer_truncate(out, start);
  return status;
}
