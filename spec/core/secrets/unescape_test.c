/* unescape_test.c - the decoded forms of a text: each kind of escape, nested, and cut by the end of the text; and their widths. */
#include <stdlib.h>
#include <string.h>

#include "secrets/json_string.h"
#include "secrets/unescape.h"
#include "support/check.h"

typedef struct {
  const char *wanted;
  size_t wanted_length, length;  /* length: of the text */
  bool found;
} search;

static bool is_wanted (void *arg, const dk_decoded_text *reading) {
  search *s = arg;
  size_t sum = 0;
  for (size_t i = 0; i < reading->length && reading->widths != NULL; i++) sum += reading->widths[i];
  CHECK(reading->widths == NULL || sum <= s->length);
  s->found = s->found || (reading->length == s->wanted_length && memcmp(reading->bytes, s->wanted, s->wanted_length) == 0);
  return false;
}

/* whether one decoded form is the wanted one; the text ends at the end of a heap block, where a sanitizer detects reads past it */
static bool reads (const char *text, size_t length, const char *wanted, size_t wanted_length, bool forms) {
  search s = {wanted, wanted_length, length, false};
  bool stopped = true;
  char *copy = malloc(length ? length : 1);
  memcpy(copy, text, length);
  CHECK(dk_unescape_visit(copy, length, forms, true, is_wanted, &s, &stopped) == DK_OK && !stopped);
  free(copy);
  return s.found;
}

typedef struct { const char *text, *wanted; bool right; } row;

static void check_rows (const row *rows, size_t count, bool forms) {
  for (size_t i = 0; i < count; i++) {
    bool found = reads(rows[i].text, strlen(rows[i].text), rows[i].wanted, strlen(rows[i].wanted), forms);
    if (!CHECK(found == rows[i].right)) fprintf(stderr, "  %s\n", rows[i].text);
  }
}

#define CHECK_ROWS(rows, forms) check_rows(rows, sizeof rows / sizeof *rows, forms)

static void json (void) {
  static const row rows[] = {
    {"abc", "abc", true}, {"", "", true}, {"\\u0061bc", "abc", true}, {"a\\u0062c", "abc", true}, {"a\\/b", "a/b", true}, {"a\\\"b", "a\"b", true}, {"a\\u0022b", "a\"b", true},
    {"a\\\\b", "a\\b", true}, {"a\\u005Cb", "a\\b", true}, {"a\\bb", "a\bb", true}, {"a\\fb", "a\fb", true}, {"a\\nb", "a\nb", true}, {"a\\rb", "a\rb", true}, {"a\\tb", "a\tb", true},
    {"a\\u0009b", "a\tb", true}, {"a\\nb", "anb", false}, {"\\u00e4", "\xC3\xA4", true}, {"\\u00E4", "\xC3\xA4", true}, {"\\u20ac", "\xE2\x82\xAC", true},
    {"\\ud83d\\ude00", "\xF0\x9F\x98\x80", true}, {"\\uD83D\\uDE00", "\xF0\x9F\x98\x80", true}, {"\\ud83dxx", "\xED\xA0\xBDxx", true}, {"\\ud83d\\u0041", "\xED\xA0\xBD" "A", true},
    {"\\uzzz", "uzzz", true},                                             /* not an escape, so the text stays as it is */
  };
  CHECK_ROWS(rows, false);
}

static void addresses_and_forms (void) {
  static const row addresses[] = {
    {"p%40ss%2Fword", "p@ss/word", true}, {"p%40ss%2fword", "p@ss/word", true}, {"a+b%20c", "a+b c", true}, {"100%", "100%", true}, {"%zz%41", "%zzA", true}, {"a+b", "a b", false}, {"%2540", "@", true},
  };
  static const row forms[] = {{"a+b", "a b", true}, {"a%2Bb+c", "a+b c", true}, {"a+b%20c", "a+b c", true}};
  CHECK_ROWS(addresses, false);
  CHECK_ROWS(forms, true);
}

static void html (void) {
  static const row rows[] = {
    {"p&amp;ss&lt;w&gt;", "p&ss<w>", true}, {"&quot;&apos;&#39;&#x27;&#X27;", "\"''''", true}, {"&#x2F;&#47;", "//", true}, {"&#228;&#xE4;&#8364;", "\xC3\xA4\xC3\xA4\xE2\x82\xAC", true},
    {"&#x1F600;", "\xF0\x9F\x98\x80", true}, {"&none; &#; &#x; &#x110000; &amp;", "&none; &#; &#x; &#x110000; &", true}, {"a&b c", "a&b c", true},
  };
  CHECK_ROWS(rows, false);
}

static void one_in_another (void) {
  static const row rows[] = {
    {"https:\\/\\/host\\/?q=p%40ss", "https://host/?q=p@ss", true}, {"\\u0026quot;", "\"", true}, {"say \\&quot;hi\\&quot;", "say \"hi\"", true}, {"a\\\\\\/b", "a/b", true},
    {"%26amp%3B", "&", true}, {"&amp;lt;", "<", true},
  };
  CHECK_ROWS(rows, false);
}

static void cut_by_the_end (void) {
  static const row rows[] = {
    {"abc\\", "abc", true}, {"abc\\u", "abc", true}, {"abc\\u00", "abc", true}, {"abc\\u006", "abc", true}, {"abc\\ud83d", "abc", true}, {"abc\\ud83d\\", "abc", true}, {"abc\\ud83d\\ude0", "abc", true},
    {"abc%", "abc", true}, {"abc%2", "abc", true}, {"abc&", "abc", true}, {"abc&am", "abc", true}, {"abc&amp", "abc", true}, {"abc&#x2", "abc", true}, {"\\/%2", "/", true},
  };
  CHECK_ROWS(rows, false);
}

/* the output of dk_json_escape decodes to its input, for any bytes; and so does a percent-encoded text */
static void there_and_back (void) {
  char value[64], encoded[4 * sizeof value];
  unsigned seed = 1;
  for (int turn = 0; turn < 5000; turn++) {
    dk_buffer out;
    size_t length = 1 + seed / 7 % sizeof value;
    for (size_t i = 0; i < length; i++) value[i] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
    for (size_t i = 0; i < length; i++) snprintf(encoded + 3 * i, 4, i % 2 ? "%%%02x" : "%%%02X", (unsigned char)value[i]);
    dk_buffer_init(&out, 1000);
    CHECK(dk_json_escape(&out, value, length) == DK_OK && reads(out.bytes, out.length, value, length, false));
    CHECK(reads(encoded, 3 * length, value, length, false));
    dk_buffer_reset(&out);
  }
}

static bool stop (void *arg, const dk_decoded_text *reading) {
  (void)reading;
  return ++*(int *)arg == 2;
}

static void ends_when_no_more_are_wanted (void) {
  int count = 0;
  bool stopped = false;
  CHECK(dk_unescape_visit("\\/%41&lt;", 9, false, false, stop, &count, &stopped) == DK_OK && stopped && count == 2);
}

int main (void) {
  static const check_test tests[] = {
    {"json", json},
    {"addresses_and_forms", addresses_and_forms},
    {"html", html},
    {"one_in_another", one_in_another},
    {"cut_by_the_end", cut_by_the_end},
    {"there_and_back", there_and_back},
    {"ends_when_no_more_are_wanted", ends_when_no_more_are_wanted},
  };
  return CHECK_RUN(tests);
}
