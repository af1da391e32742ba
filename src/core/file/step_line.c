#include "file/step_line.h"

#include <string.h>

enum { MAX_DIGITS = 15 };        /* of a number, so that each Lua has it exactly */

typedef struct { const char *at, *end; } reader;

static bool skip (reader *in, char expected) {
  if (in->at == in->end || *in->at != expected) return false;
  in->at++;
  return true;
}

static bool skip_text (reader *in, const char *expected, size_t length) {
  if ((size_t)(in->end - in->at) < length || memcmp(in->at, expected, length) != 0) return false;
  in->at += length;
  return true;
}

/* what follows a quote, up to the next one: a text without an escape */
static bool read_text (reader *in, dk_span *text) {
  const char *stop = (const char *)memchr(in->at, '"', (size_t)(in->end - in->at));
  if (stop == NULL) return false;
  *text = (dk_span){in->at, (size_t)(stop - in->at)};
  in->at = stop + 1;
  return memchr(text->bytes, '\\', text->length) == NULL;
}

/* as JSON has it, without a sign, a fraction and an exponent */
static bool read_number (reader *in, uint64_t *number) {
  const char *start = in->at;
  for (*number = 0; in->at < in->end && *in->at >= '0' && *in->at <= '9'; in->at++) *number = *number * 10 + (uint64_t)(*in->at - '0');
  ptrdiff_t digits = in->at - start;
  return digits == 1 || (digits > 1 && digits <= MAX_DIGITS && *start != '0');
}

static bool is (const dk_span *name, const char *expected) {
  return strlen(expected) == name->length && memcmp(expected, name->bytes, name->length) == 0;
}

/* a field after the comma. false: it is none of the usual ones */
static bool read_field (reader *in, dk_step_record *record) {
  dk_span name, text;
  uint64_t number;
  if (!skip(in, '"') || !read_text(in, &name) || !skip(in, ':')) return false;
  if (skip(in, '"')) {
    if (!read_text(in, &text)) return false;
    if (is(&name, "digest")) record->digest = text;
    else if (is(&name, "id")) record->id = text;
    else return is(&name, "sum") || is(&name, "images");
    return true;
  }
  if (!read_number(in, &number)) return false;
  if (is(&name, "since")) record->since = number;
  else return is(&name, "time") || is(&name, "bytes");
  return true;
}

bool dk_step_line_read (const char *line, size_t length, dk_step_record *record) {
  static const char start[] = "{\"job\":\"", step[] = ",\"step\":\"";
  reader in = {line, line + length};
  memset(record, 0, sizeof *record);
  if (!skip_text(&in, start, sizeof start - 1) || !read_text(&in, &record->job)) return false;
  if (!skip_text(&in, step, sizeof step - 1) || !read_text(&in, &record->step)) return false;
  while (skip(&in, ','))
    if (!read_field(&in, record)) return false;
  return skip(&in, '}') && in.at == in.end;
}
