#define _DEFAULT_SOURCE          /* explicit_bzero */
#include "secrets/unescape.h"

#include <stdlib.h>
#include <string.h>

enum { DEPTH = 2 };              /* layers of escapes that are decoded, one in the other */
enum { LONGEST = 12 };           /* bytes of an escape at most */

/* ---- one escape ---- */

typedef enum { NONE, WHOLE, CUT } found;         /* CUT: the text ends within it */

typedef struct {
  size_t length;                 /* in the text */
  char bytes[4];                 /* what it stands for */
  size_t count;
} escape;

static found is_byte (escape *e, size_t length, char byte) {
  *e = (escape){.length = length, .bytes = {byte}, .count = 1};
  return WHOLE;
}

static found is_character (escape *e, size_t length, long code) {
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  *e = (escape){.length = length, .count = count};
  for (size_t i = count; i-- > 1; code >>= 6) e->bytes[i] = (char)(0x80 | (code & 0x3F));
  e->bytes[0] = (char)(marks[count] | code);
  return WHOLE;
}

/* the value of a digit; -1: it is none */
static int digit_of (char c, int base) {
  int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  return value < base ? value : -1;
}

/* so many hexadecimal digits */
static found take_hex (const char *at, const char *end, size_t digits, long *code) {
  *code = 0;
  for (size_t i = 0; i < digits; i++) {
    if (at + i == end) return CUT;
    int value = digit_of(at[i], 16);
    if (value < 0) return NONE;
    *code = *code * 16 + value;
  }
  return WHOLE;
}

/* the second half of a pair, as JSON writes what UTF-16 has no one unit for */
static found take_low (const char *at, const char *end, long *low) {
  if (at == end || (at + 1 == end && *at == '\\')) return CUT;
  if (at[0] != '\\' || at[1] != 'u') return NONE;
  found it = take_hex(at + 2, end, 4, low);
  return it == WHOLE && *low >> 10 != 0xDC00 >> 10 ? NONE : it;
}

static found take_json (const char *at, const char *end, escape *e) {
  static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
  if (at + 1 == end) return CUT;
  const char *letter = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
  if (at[1] != 'u') return is_byte(e, 2, letter ? controls[letter - letters] : at[1]);
  long code, low;
  found it = take_hex(at + 2, end, 4, &code);
  if (it == NONE) return is_byte(e, 2, 'u');
  if (it == CUT || code >> 10 != 0xD800 >> 10) return it == CUT ? CUT : is_character(e, 6, code);
  it = take_low(at + 6, end, &low);
  if (it == WHOLE) return is_character(e, 12, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
  return it == CUT ? CUT : is_character(e, 6, code);
}

static found take_percent (const char *at, const char *end, escape *e) {
  long code;
  found it = take_hex(at + 1, end, 2, &code);
  return it == WHOLE ? is_byte(e, 3, (char)code) : it;
}

static found take_form (const char *at, const char *end, escape *e) {
  return *at == '+' ? is_byte(e, 1, ' ') : take_percent(at, end, e);
}

/* "#39" or "#x27": the character's number; -1: it is none */
static long number_of (const char *name, size_t length) {
  bool hex = length > 1 && (name[1] == 'x' || name[1] == 'X');
  size_t first = hex ? 2 : 1;
  long code = length > first ? 0 : -1;
  for (size_t i = first; i < length && code >= 0; i++) {
    int value = digit_of(name[i], hex ? 16 : 10);
    code = value < 0 ? -1 : code * (hex ? 16 : 10) + value;
    if (code > 0x10FFFF) return -1;
  }
  return code;
}

static found take_html (const char *at, const char *end, escape *e) {
  static const struct { const char *name; char byte; } names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  size_t length = 1;             /* up to the semicolon, "&" included */
  while (at + length < end && length < LONGEST - 1 && (at[length] == '#' || digit_of(at[length], 10) >= 0 || ((at[length] | 32) >= 'a' && (at[length] | 32) <= 'z'))) length++;
  if (at + length == end) return CUT;
  if (at[length] != ';') return NONE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i].name) == length - 1 && memcmp(names[i].name, at + 1, length - 1) == 0) return is_byte(e, length + 1, names[i].byte);
  }
  long code = at[1] == '#' ? number_of(at + 1, length - 1) : -1;
  return code >= 0 ? is_character(e, length + 1, code) : NONE;
}

/* ---- layers of escapes ---- */

typedef struct {
  char mark, or_mark;            /* what an escape begins with */
  found (*take) (const char *at, const char *end, escape *e);
} layer;

static const layer layers[] = {{'\\', '\\', take_json}, {'%', '%', take_percent}, {'&', '&', take_html}, {'+', '%', take_form}};
enum { FORM = 3, LAYERS = 4 };

/* where the next escape may begin; end: nowhere */
static const char *next_mark (const layer *l, const char *at, const char *end) {
  if (l->mark == l->or_mark) {
    const char *mark = memchr(at, l->mark, (size_t)(end - at));
    return mark ? mark : end;
  }
  while (at < end && *at != l->mark && *at != l->or_mark) at++;
  return at;
}

/* the next escape; where it begins, or end: there is none */
static const char *next_escape (const layer *l, const char *at, const char *end, escape *e, found *it) {
  for (*it = NONE; (at = next_mark(l, at, end)) < end; at++) {
    if ((*it = l->take(at, end, e)) != NONE) return at;
  }
  return end;
}

/* what is being made of one reading */
typedef struct {
  const dk_reading *from;
  char *bytes;
  unsigned char *widths;         /* NULL: not wanted */
  size_t length;
} decoding;

static void copy (decoding *d, size_t at, size_t length) {
  memcpy(d->bytes + d->length, d->from->bytes + at, length);
  if (d->widths != NULL && d->from->widths != NULL) memcpy(d->widths + d->length, d->from->widths + at, length);
  else if (d->widths != NULL) memset(d->widths + d->length, 1, length);
  d->length += length;
}

static void decode (decoding *d, size_t at, const escape *e) {
  size_t width = d->from->widths ? 0 : e->length;
  for (size_t i = 0; i < e->length && d->from->widths != NULL; i++) width += d->from->widths[at + i];
  memcpy(d->bytes + d->length, e->bytes, e->count);
  if (d->widths != NULL) {
    memset(d->widths + d->length, 0, e->count);
    d->widths[d->length] = (unsigned char)width;               /* LONGEST * LONGEST at most */
  }
  d->length += e->count;
}

static void decode_all (decoding *d, const layer *l) {
  const char *start = d->from->bytes, *end = start + d->from->length, *at = start;
  escape e;
  found it;
  while (at < end) {
    const char *mark = next_escape(l, at, end, &e, &it);
    copy(d, (size_t)(at - start), (size_t)(mark - at));
    if (it == WHOLE) decode(d, (size_t)(mark - start), &e);
    at = it == WHOLE ? mark + e.length : end;
  }
}

typedef struct { bool forms, with_widths; dk_read *read; void *arg; bool stopped; } reader;

static dk_status read_layers (reader *r, const dk_reading *text, int depth);

static dk_status read_decoded (reader *r, const dk_reading *text, const layer *l, int depth) {
  decoding d = {.from = text, .bytes = malloc(text->length), .widths = r->with_widths ? malloc(text->length) : NULL};
  dk_status status = DK_NO_MEMORY;
  if (d.bytes != NULL && (d.widths != NULL || !r->with_widths)) {
    decode_all(&d, l);
    dk_reading reading = {d.bytes, d.length, d.widths};
    r->stopped = r->read(r->arg, &reading);
    status = r->stopped || depth == DEPTH ? DK_OK : read_layers(r, &reading, depth + 1);
  }
  if (d.bytes != NULL) explicit_bzero(d.bytes, d.length);
  free(d.bytes);
  free(d.widths);
  return status;
}

/* most texts have none, and then nothing else is looked at */
static bool has_marks (const reader *r, const dk_reading *text) {
  return memchr(text->bytes, '\\', text->length) != NULL || memchr(text->bytes, '%', text->length) != NULL || memchr(text->bytes, '&', text->length) != NULL ||
         (r->forms && memchr(text->bytes, '+', text->length) != NULL);
}

static dk_status read_layers (reader *r, const dk_reading *text, int depth) {
  const char *end = text->bytes + text->length;
  escape e;
  found it;
  for (int i = 0; i < (r->forms ? LAYERS : FORM) && text->length > 0; i++) {
    if (i == FORM && memchr(text->bytes, '+', text->length) == NULL) continue;             /* it is as the layer of addresses */
    if (next_escape(&layers[i], text->bytes, end, &e, &it) == end) continue;
    dk_status status = read_decoded(r, text, &layers[i], depth);
    if (status != DK_OK || r->stopped) return status;
  }
  return DK_OK;
}

dk_status dk_read_text (const char *text, size_t length, bool forms, bool with_widths, dk_read *read, void *arg, bool *stopped) {
  reader r = {.forms = forms, .with_widths = with_widths, .read = read, .arg = arg};
  dk_reading reading = {text, length, NULL};
  r.stopped = read(arg, &reading);
  dk_status status = r.stopped || !has_marks(&r, &reading) ? DK_OK : read_layers(&r, &reading, 1);
  *stopped = r.stopped;
  return status;
}
