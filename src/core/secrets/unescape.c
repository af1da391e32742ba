#include "secrets/unescape.h"

#include <stdlib.h>
#include <string.h>

#include "os/os.h"

enum { MAX_DEPTH = 2 };          /* escapes inside escapes */
enum { MAX_ESCAPE = 12 };        /* bytes of the longest escape */

/* ---- one escape ---- */

typedef enum { NONE, WHOLE, CUT } match;         /* CUT: the text ends inside the escape */

typedef struct {
  size_t length;                 /* of the escape in the text */
  char bytes[4];                 /* the decoded character */
  size_t count;                  /* bytes of it */
} escape;

static match set_byte (escape *e, size_t length, char byte) {
  *e = (escape){.length = length, .bytes = {byte}, .count = 1};
  return WHOLE;
}

static match set_character (escape *e, size_t length, long code) {
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  *e = (escape){.length = length, .count = count};
  for (size_t i = count; i-- > 1; code >>= 6) e->bytes[i] = (char)(0x80 | (code & 0x3F));
  e->bytes[0] = (char)(marks[count] | code);
  return WHOLE;
}

/* the value of a digit; -1: not a digit */
static int digit_value (char c, int base) {
  int value = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
  return value < base ? value : -1;
}

/* a number of this many hexadecimal digits */
static match parse_hex (const char *at, const char *end, size_t digits, long *code) {
  *code = 0;
  for (size_t i = 0; i < digits; i++) {
    if (at + i == end) return CUT;
    int value = digit_value(at[i], 16);
    if (value < 0) return NONE;
    *code = *code * 16 + value;
  }
  return WHOLE;
}

/* the second half of a surrogate pair, as JSON writes a character outside the BMP */
static match parse_low_surrogate (const char *at, const char *end, long *low) {
  if (at == end || (at + 1 == end && *at == '\\')) return CUT;
  if (at[0] != '\\' || at[1] != 'u') return NONE;
  match found = parse_hex(at + 2, end, 4, low);
  return found == WHOLE && *low >> 10 != 0xDC00 >> 10 ? NONE : found;
}

static match parse_json (const char *at, const char *end, escape *e) {
  static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
  if (at + 1 == end) return CUT;
  const char *letter = at[1] != '\0' ? strchr(letters, at[1]) : NULL;
  if (at[1] != 'u') return set_byte(e, 2, letter ? controls[letter - letters] : at[1]);
  long code, low;
  match found = parse_hex(at + 2, end, 4, &code);
  if (found == NONE) return set_byte(e, 2, 'u');
  if (found == CUT || code >> 10 != 0xD800 >> 10) return found == CUT ? CUT : set_character(e, 6, code);
  found = parse_low_surrogate(at + 6, end, &low);
  if (found == WHOLE) return set_character(e, 12, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
  return found == CUT ? CUT : set_character(e, 6, code);
}

static match parse_percent (const char *at, const char *end, escape *e) {
  long code;
  match found = parse_hex(at + 1, end, 2, &code);
  return found == WHOLE ? set_byte(e, 3, (char)code) : found;
}

static match parse_form (const char *at, const char *end, escape *e) {
  return *at == '+' ? set_byte(e, 1, ' ') : parse_percent(at, end, e);
}

/* "#39" or "#x27": the code of the character; -1: not a number */
static long character_code (const char *name, size_t length) {
  bool hex = length > 1 && (name[1] == 'x' || name[1] == 'X');
  size_t first = hex ? 2 : 1;
  long code = length > first ? 0 : -1;
  for (size_t i = first; i < length && code >= 0; i++) {
    int value = digit_value(name[i], hex ? 16 : 10);
    code = value < 0 ? -1 : code * (hex ? 16 : 10) + value;
    if (code > 0x10FFFF) return -1;
  }
  return code;
}

static match parse_html (const char *at, const char *end, escape *e) {
  static const struct { const char *name; char byte; } names[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  size_t length = 1;             /* up to the semicolon, with the "&" */
  while (at + length < end && length < MAX_ESCAPE - 1 && (at[length] == '#' || digit_value(at[length], 10) >= 0 || ((at[length] | 32) >= 'a' && (at[length] | 32) <= 'z'))) length++;
  if (at + length == end) return CUT;
  if (at[length] != ';') return NONE;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (strlen(names[i].name) == length - 1 && memcmp(names[i].name, at + 1, length - 1) == 0) return set_byte(e, length + 1, names[i].byte);
  }
  long code = at[1] == '#' ? character_code(at + 1, length - 1) : -1;
  return code >= 0 ? set_character(e, length + 1, code) : NONE;
}

/* ---- kinds of escapes ---- */

typedef struct {
  char mark, other_mark;         /* the first character of an escape */
  match (*parse) (const char *at, const char *end, escape *e);
} escape_kind;

static const escape_kind kinds[] = {{'\\', '\\', parse_json}, {'%', '%', parse_percent}, {'&', '&', parse_html}, {'+', '%', parse_form}};
enum { FORM = 3, KINDS = 4 };

/* where the next escape may begin; end: there is none */
static const char *next_mark (const escape_kind *kind, const char *at, const char *end) {
  if (kind->mark == kind->other_mark) {
    const char *mark = (const char *)memchr(at, kind->mark, (size_t)(end - at));
    return mark ? mark : end;
  }
  while (at < end && *at != kind->mark && *at != kind->other_mark) at++;
  return at;
}

/* finds the next escape; returns where it begins; end: there is none */
static const char *next_escape (const escape_kind *kind, const char *at, const char *end, escape *e, match *found) {
  for (*found = NONE; (at = next_mark(kind, at, end)) < end; at++) {
    if ((*found = kind->parse(at, end, e)) != NONE) return at;
  }
  return end;
}

/* the decoded form of one text, while it is made */
typedef struct {
  const dk_decoded_text *source;
  char *bytes;                   /* owned */
  unsigned char *widths;         /* owned; NULL: not wanted */
  size_t length;
} decoding;

static void append_plain (decoding *d, size_t at, size_t length) {
  memcpy(d->bytes + d->length, d->source->bytes + at, length);
  if (d->widths != NULL && d->source->widths != NULL) memcpy(d->widths + d->length, d->source->widths + at, length);
  else if (d->widths != NULL) memset(d->widths + d->length, 1, length);
  d->length += length;
}

static void append_escape (decoding *d, size_t at, const escape *e) {
  size_t width = d->source->widths ? 0 : e->length;
  for (size_t i = 0; i < e->length && d->source->widths != NULL; i++) width += d->source->widths[at + i];
  memcpy(d->bytes + d->length, e->bytes, e->count);
  if (d->widths != NULL) {
    memset(d->widths + d->length, 0, e->count);
    d->widths[d->length] = (unsigned char)width;               /* MAX_ESCAPE * MAX_ESCAPE at most */
  }
  d->length += e->count;
}

static void decode_all (decoding *d, const escape_kind *kind) {
  const char *start = d->source->bytes, *end = start + d->source->length, *at = start;
  escape e;
  match found;
  while (at < end) {
    const char *mark = next_escape(kind, at, end, &e, &found);
    append_plain(d, (size_t)(at - start), (size_t)(mark - at));
    if (found == WHOLE) append_escape(d, (size_t)(mark - start), &e);
    at = found == WHOLE ? mark + e.length : end;
  }
}

typedef struct { bool forms, with_widths; dk_text_visitor *visit; void *arg; bool stopped; } walk;

static dk_status visit_kinds (walk *w, const dk_decoded_text *text, int depth);

static dk_status visit_decoded (walk *w, const dk_decoded_text *text, const escape_kind *kind, int depth) {
  decoding d = {.source = text, .bytes = (char *)malloc(text->length)};
  if (w->with_widths) d.widths = (unsigned char *)malloc(text->length);
  dk_status status = DK_NO_MEMORY;
  if (d.bytes != NULL && (d.widths != NULL || !w->with_widths)) {
    decode_all(&d, kind);
    dk_decoded_text decoded = {d.bytes, d.length, d.widths};
    w->stopped = w->visit(w->arg, &decoded);
    status = w->stopped || depth == MAX_DEPTH ? DK_OK : visit_kinds(w, &decoded, depth + 1);
  }
  if (d.bytes != NULL) dk_wipe(d.bytes, d.length);
  free(d.bytes);
  free(d.widths);
  return status;
}

/* most texts have no escape, and need no other check */
static bool has_marks (const walk *w, const dk_decoded_text *text) {
  return memchr(text->bytes, '\\', text->length) != NULL || memchr(text->bytes, '%', text->length) != NULL || memchr(text->bytes, '&', text->length) != NULL ||
         (w->forms && memchr(text->bytes, '+', text->length) != NULL);
}

static dk_status visit_kinds (walk *w, const dk_decoded_text *text, int depth) {
  const char *end = text->bytes + text->length;
  escape e;
  match found;
  for (int i = 0; i < (w->forms ? KINDS : FORM) && text->length > 0; i++) {
    if (i == FORM && memchr(text->bytes, '+', text->length) == NULL) continue;             /* it decodes the same as URLs then */
    if (next_escape(&kinds[i], text->bytes, end, &e, &found) == end) continue;
    dk_status status = visit_decoded(w, text, &kinds[i], depth);
    if (status != DK_OK || w->stopped) return status;
  }
  return DK_OK;
}

dk_status dk_unescape_visit (const char *text, size_t length, bool forms, bool with_widths, dk_text_visitor *visit, void *arg, bool *stopped) {
  walk w = {.forms = forms, .with_widths = with_widths, .visit = visit, .arg = arg};
  dk_decoded_text decoded = {text, length, NULL};
  w.stopped = visit(arg, &decoded);
  dk_status status = w.stopped || !has_marks(&w, &decoded) ? DK_OK : visit_kinds(&w, &decoded, 1);
  *stopped = w.stopped;
  return status;
}
