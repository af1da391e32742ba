/* secrets_mask.c - a masked text contains no value, with or without escapes, and is otherwise unchanged.
 * Input: how the value is encoded, a value, another value, the text before it; NULs between them; the text after it. */
#define _GNU_SOURCE              /* memmem */
#include <stdbool.h>

#include "secrets/json_string.h"
#include "secrets/secrets.h"
#include "support/fuzz.h"

enum { LEAST = 3, PART = 12 };   /* the least bytes of a value that is masked, and of a part of one */

/* The next value, without a star, which could come from masking. */
static char *take_value (fuzz_input *input, dk_secrets *secrets, const char *name) {
  dk_failure failure;
  char *value = fuzz_text(input);
  for (char *star; (star = strchr(value, '*')) != NULL;) *star = '+';
  HOLDS(dk_secrets_set(secrets, name, value, strlen(value), DK_SLOT_BODY, &failure) == DK_OK);
  return value;
}

static bool stands_in (const char *value, const char *text, size_t length) {
  return strlen(value) >= LEAST && memmem(text, length, value, strlen(value)) != NULL;
}

/* whether the text ends with a long enough start of the value */
static bool ends_within (const char *value, const char *text, size_t length) {
  for (size_t part = PART; part < strlen(value) && part <= length; part++) {
    if (memcmp(text + length - part, value, part) == 0) return true;
  }
  return false;
}

/* whether the text contains a long enough end of the value */
static bool tail_stands_in (const char *value, const char *text, size_t length) {
  return strlen(value) >= PART && memmem(text, length, value + strlen(value) - PART, PART) != NULL;
}

static void add (dk_buffer *text, const char *bytes, size_t length) { HOLDS(dk_buffer_add(text, bytes, length) == DK_OK); }

/* unchanged; escaped for JSON; with each ASCII byte escaped for JSON; percent-encoded; as in a form; as in HTML */
static void add_spelled (dk_buffer *text, const char *value, unsigned how) {
  static const struct { char c; const char *name; } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  if (how % 6 == 1) HOLDS(dk_json_escape(text, value, strlen(value)) == DK_OK);
  for (; *value != '\0' && how % 6 != 1; value++) {
    unsigned char c = (unsigned char)*value;
    bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    char escape[8] = {(char)c, '\0'};
    if (how % 6 == 2 && c < 0x80) snprintf(escape, sizeof escape, how & 8 ? "\\u%04X" : "\\u%04x", c);
    else if (how % 6 == 4 && c == ' ') escape[0] = '+';
    else if ((how % 6 == 3 || how % 6 == 4) && !is_plain) snprintf(escape, sizeof escape, how & 8 ? "%%%02X" : "%%%02x", c);
    for (size_t i = 0; i < sizeof entities / sizeof *entities && how % 6 == 5; i++) {
      if (entities[i].c == *value) strcpy(escape, entities[i].name);
    }
    add(text, escape, strlen(escape));
  }
}

/* one encoding inside another; a blank separates it from the text before, which could end inside an escape */
static void put_in (dk_buffer *text, const char *value, unsigned how) {
  dk_buffer inner;
  dk_buffer_init(&inner, 1 << 20);
  add(&inner, "", 0);
  add_spelled(&inner, value, how / 16);
  add(text, " ", 1);
  add_spelled(text, inner.bytes, how % 16);
  dk_buffer_reset(&inner);
}

static void check (const dk_secrets *secrets, const char *a, const char *b, const dk_buffer *text) {
  bool shown = dk_secrets_appear_in(secrets, text->bytes, text->length);
  bool whole_alone = strlen(a) <= PART && strlen(b) <= PART;
  fuzz_input whole = {text->bytes, text->length};
  char *bytes = fuzz_bytes(&whole, text->length);
  dk_buffer out;
  dk_buffer_init(&out, 1 << 20);
  add(&out, a, strlen(a));                           /* the bytes before it stay unchanged */
  size_t start = out.length;
  HOLDS(dk_secrets_appear_in(secrets, bytes, text->length) == shown);
  HOLDS(shown || !(stands_in(a, bytes, text->length) || stands_in(b, bytes, text->length)));
  HOLDS(dk_secrets_mask(secrets, bytes, text->length, &out) == DK_OK);
  const char *masked = out.bytes + start;
  size_t length = out.length - start;
  HOLDS(memcmp(out.bytes, a, start) == 0 && masked[length] == '\0' && length <= text->length);
  HOLDS(!stands_in(a, masked, length) && !stands_in(b, masked, length) && !dk_secrets_appear_in(secrets, masked, length));
  HOLDS(!ends_within(a, masked, length) && !ends_within(b, masked, length));
  HOLDS(!tail_stands_in(a, masked, length) && !tail_stands_in(b, masked, length));
  HOLDS(shown || !whole_alone || (length == text->length && memcmp(masked, bytes, length) == 0));
  dk_buffer_reset(&out);
  free(bytes);
}

/* no part of the longer value is left, even if masking the other value removes pieces of it */
static void check_alone (const dk_secrets *secrets, const char *value) {
  dk_buffer out;
  dk_buffer_init(&out, 1 << 20);
  HOLDS(dk_secrets_mask(secrets, value, strlen(value), &out) == DK_OK);
  HOLDS(strlen(value) < LEAST || strcmp(out.bytes, "***") == 0);
  dk_buffer_reset(&out);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  dk_secrets *parent = dk_secrets_new(NULL), *secrets = dk_secrets_new(parent);
  unsigned how = fuzz_byte(&input);
  char *a = take_value(&input, parent, "a"), *b = take_value(&input, secrets, "b"), *before = fuzz_text(&input);
  dk_buffer text;
  dk_buffer_init(&text, 1 << 20);
  add(&text, before, strlen(before));
  put_in(&text, a, how);
  HOLDS(strlen(a) < LEAST || dk_secrets_appear_in(secrets, text.bytes, text.length));
  add(&text, input.left > 0 ? input.at : "", input.left);
  check(secrets, a, b, &text);
  check_alone(secrets, strlen(a) > strlen(b) ? a : b);
  dk_buffer_reset(&text);
  dk_secrets_release(secrets);
  dk_secrets_release(parent);
  free(a);
  free(b);
  free(before);
  return 0;
}
