/* secrets_mask.c - no value stands in a masked text, neither as it is nor with escapes, and nothing else is changed.
 * Input: how it is put in, a value, another, the text before it; NULs between them; the text behind it. */
#define _GNU_SOURCE              /* memmem */
#include <stdbool.h>

#include "support/fuzz.h"
#include "secrets/json_string.h"
#include "secrets/secrets.h"

enum { LEAST = 3, PART = 12 };   /* bytes of a value that is hidden, and of a part of one */

/* The next value. A star in it could be one that masking has put there: then it stood in no text. */
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

/* whether the text ends within the value, so far in it that this may be no chance */
static bool ends_within (const char *value, const char *text, size_t length) {
  for (size_t part = PART; part < strlen(value) && part <= length; part++) {
    if (memcmp(text + length - part, value, part) == 0) return true;
  }
  return false;
}

/* whether the end of the value stands in the text, so much of it that this may be no chance */
static bool tail_stands_in (const char *value, const char *text, size_t length) {
  return strlen(value) >= PART && memmem(text, length, value + strlen(value) - PART, PART) != NULL;
}

static void add (dk_buffer *text, const char *bytes, size_t length) { HOLDS(dk_buffer_add(text, bytes, length) == DK_OK); }

/* as it is; as we write JSON; with each byte of ASCII escaped for JSON; percent-encoded; as in a form; as in HTML */
static void add_spelled (dk_buffer *text, const char *value, unsigned how) {
  static const struct { char c; const char *name; } entities[] = {{'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  if (how % 6 == 1) HOLDS(dk_json_add(text, value, strlen(value)) == DK_OK);
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

/* one spelling in another; a blank parts it from what stands before, which could end within an escape */
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
  bool shown = dk_secrets_shows(secrets, text->bytes, text->length);
  bool whole_alone = strlen(a) <= PART && strlen(b) <= PART;
  fuzz_input whole = {text->bytes, text->length};
  char *bytes = fuzz_bytes(&whole, text->length);
  dk_buffer out;
  dk_buffer_init(&out, 1 << 20);
  add(&out, a, strlen(a));                           /* what is there already stays, whatever it is */
  size_t start = out.length;
  HOLDS(dk_secrets_shows(secrets, bytes, text->length) == shown);
  HOLDS(shown || !(stands_in(a, bytes, text->length) || stands_in(b, bytes, text->length)));
  HOLDS(dk_secrets_mask(secrets, bytes, text->length, &out) == DK_OK);
  const char *masked = out.bytes + start;
  size_t length = out.length - start;
  HOLDS(memcmp(out.bytes, a, start) == 0 && masked[length] == '\0' && length <= text->length);
  HOLDS(!stands_in(a, masked, length) && !stands_in(b, masked, length) && !dk_secrets_shows(secrets, masked, length));
  HOLDS(!ends_within(a, masked, length) && !ends_within(b, masked, length));
  HOLDS(!tail_stands_in(a, masked, length) && !tail_stands_in(b, masked, length));
  HOLDS(shown || !whole_alone || (length == text->length && memcmp(masked, bytes, length) == 0));
  dk_buffer_reset(&out);
  free(bytes);
}

/* of the longer value no part is left, whatever the other hides of it */
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
  HOLDS(strlen(a) < LEAST || dk_secrets_shows(secrets, text.bytes, text.length));
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
