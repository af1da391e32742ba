/* json_string_test.c - escaping for JSON strings. unescape_test.c tests the way back. */
#include <string.h>

#include "secrets/json_string.h"
#include "support/check.h"

static void escapes_no_more_than_it_must (void) {
  static const struct { const char *value, *text; } rows[] = {
    {"", ""}, {"abc/\x7F", "abc/\x7F"}, {"a\"b\\c", "a\\\"b\\\\c"}, {"\n\x01\x1F", "\\u000a\\u0001\\u001f"}, {"\xC3\xA4", "\xC3\xA4"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_buffer out;
    dk_buffer_init(&out, 100);
    CHECK(dk_buffer_add(&out, "", 0) == DK_OK && dk_json_escape(&out, rows[i].value, strlen(rows[i].value)) == DK_OK);
    if (!CHECK(strcmp(out.bytes, rows[i].text) == 0)) fprintf(stderr, "  %s\n", out.bytes);
    dk_buffer_reset(&out);
  }
}

int main (void) {
  static const check_test tests[] = {{"escapes_no_more_than_it_must", escapes_no_more_than_it_must}};
  return CHECK_RUN(tests);
}
