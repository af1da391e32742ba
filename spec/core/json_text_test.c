/* json_text_test.c - text between JSON's quotes: how it is written, and in which forms it is found again. */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "json_text.h"

/* how much of text is the value; text stands at the end of a block of the heap, where a sanitizer guards */
static size_t match (const char *value, const char *text) {
  size_t length = strlen(text);
  char *copy = malloc(length ? length : 1);
  memcpy(copy, text, length);
  size_t found = dk_json_match(value, strlen(value), copy, copy + length);
  free(copy);
  return found;
}

static void forms (void) {
  static const struct { const char *value, *text; size_t found; } rows[] = {
    {"abc", "abc", 3}, {"abc", "abcd", 3}, {"abc", "ab", 0}, {"abc", "abd", 0}, {"abc", "", 0}, {"abc", "ABC", 0},
    {"abc", "\\u0061bc", 8}, {"abc", "a\\u0062c", 8}, {"abc", "a\\u00", 0}, {"abc", "ab\\", 0}, {"abc", "a\\u006", 0},
    {"a/b", "a/b", 3}, {"a/b", "a\\/b", 4}, {"a\"b", "a\\\"b", 4}, {"a\"b", "a\\u0022b", 8}, {"a\\b", "a\\\\b", 4}, {"a\\b", "a\\u005Cb", 8}, {"a\\b", "a\\b", 0},
    {"a\bb", "a\\bb", 4}, {"a\fb", "a\\fb", 4}, {"a\nb", "a\\nb", 4}, {"a\rb", "a\\rb", 4}, {"a\tb", "a\\tb", 4}, {"a\tb", "a\\u0009b", 8}, {"anb", "a\\nb", 0},
    {"\xC3\xA4", "\xC3\xA4", 2}, {"\xC3\xA4", "\\u00e4", 6}, {"\xC3\xA4", "\\u00E4", 6}, {"\xC3\xA4", "\\u00e5", 0}, {"\xE2\x82\xAC", "\\u20ac", 6},
    {"\xF0\x9F\x98\x80", "\\ud83d\\ude00", 12}, {"\xF0\x9F\x98\x80", "\\uD83D\\uDE00", 12}, {"\xF0\x9F\x98\x80", "\\ud83d", 0}, {"\xF0\x9F\x98\x80", "\\ud83d\\ude01", 0},
    {"\xF0\x9F\x98\x80", "\\ud83d\\u0041", 0}, {"\xF0\x9F\x98\x80", "\\ud83dxxxxxx", 0}, {"\xC3", "\\u00e4", 0},
    {"uzzz", "\\uzzz", 5},                                                  /* no escape at all, so it is read as it stands */
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t found = match(rows[i].value, rows[i].text);
    if (!CHECK(found == rows[i].found)) fprintf(stderr, "  %s: %zu\n", rows[i].text, found);
  }
}

/* what dk_json_add writes is found whole, whatever bytes it has */
static void there_and_back (void) {
  char value[64];
  unsigned seed = 1;
  for (int turn = 0; turn < 5000; turn++) {
    dk_buffer out;
    size_t length = 1 + seed / 7 % sizeof value;
    for (size_t i = 0; i < length; i++) value[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    dk_buffer_init(&out, 1000);
    CHECK(dk_json_add(&out, value, length) == DK_OK && dk_json_match(value, length, out.bytes, out.bytes + out.length) == out.length);
    dk_buffer_reset(&out);
  }
}

int main (void) {
  static const check_test tests[] = {{"forms", forms}, {"there_and_back", there_and_back}};
  return CHECK_RUN(tests);
}
