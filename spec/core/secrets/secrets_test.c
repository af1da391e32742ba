/* secrets_test.c - slots and their parents, values for headers, templates, JSON fields, masking, hashes. */
#include <string.h>

#include "secrets/secrets.h"
#include "support/check.h"

static dk_status set_bytes (dk_secrets *s, const char *name, const char *value, size_t length, dk_slot_use use) {
  dk_failure failure;
  return dk_secrets_set(s, name, value, length, use, &failure);
}

static void set (dk_secrets *s, const char *name, const char *value, dk_slot_use use) {
  CHECK(set_bytes(s, name, value, strlen(value), use) == DK_OK);
}

/* whether the template gives this line; NULL: no line */
static bool line_is (const dk_secrets *s, const char *template, const char *line) {
  dk_buffer out;
  dk_failure failure = {DK_OK, ""};
  dk_buffer_init(&out, 1000);
  bool right = dk_secrets_fill_header(s, template, &out, &failure) == DK_OK;
  right = right && (line ? out.length == strlen(line) + 1 && strcmp(out.bytes, line) == 0 : out.length == 0);
  if (!right) fprintf(stderr, "  '%s' gave '%s' (%s)\n", template, out.bytes ? out.bytes : "", failure.text);
  dk_buffer_reset(&out);
  return right;
}

static dk_status line_fails (const dk_secrets *s, const char *template, size_t cap, dk_failure *failure) {
  dk_buffer out;
  dk_buffer_init(&out, cap);
  dk_status status = dk_secrets_fill_header(s, template, &out, failure);
  dk_buffer_reset(&out);
  return status;
}

static void values_that_can_stand_in_a_header (void) {
  static const struct { const char *value; size_t length; bool header; } rows[] = {
    {"", 0, true}, {"dk_live_abc", 11, true}, {"a b", 3, true}, {"a\tb", 3, false}, {"\xC3\xBC", 2, true},
    {"a\n", 2, false}, {"a\r\nX: y", 7, false}, {"a\0b", 3, false}, {"\0", 1, false}, {"\x7F", 1, false}, {"\x01", 1, false},
    {" a", 2, false}, {"a ", 2, false}, {"\ta", 2, false}, {" ", 1, false},
  };
  dk_secrets *s = dk_secrets_new(NULL);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_status wanted = rows[i].header ? DK_OK : DK_BAD_VALUE;
    bool right = CHECK(set_bytes(s, "h", rows[i].value, rows[i].length, DK_SLOT_HEADER) == wanted);
    right = CHECK(set_bytes(s, "s", rows[i].value, rows[i].length, DK_SLOT_PUBLIC) == wanted) && right;
    right = CHECK(set_bytes(s, "b", rows[i].value, rows[i].length, DK_SLOT_BODY) == DK_OK) && right;
    if (!right) fprintf(stderr, "  row %zu\n", i);
  }
  dk_secrets_release(s);
}

static void refused_value_leaves_the_old_one_and_is_not_told (void) {
  dk_secrets *s = dk_secrets_new(NULL);
  dk_failure failure;
  set(s, "key", "old", DK_SLOT_HEADER);
  CHECK(dk_secrets_set(s, "key", "topsecret\n", 10, DK_SLOT_HEADER, &failure) == DK_BAD_VALUE);
  CHECK(strstr(failure.text, "topsecret") == NULL);
  CHECK(line_is(s, "X: {key}", "X: old"));
  dk_secrets_release(s);
}

static void child_sees_its_parents_slots_behind_its_own (void) {
  dk_secrets *parent = dk_secrets_new(NULL), *child = dk_secrets_new(parent), *grandchild = dk_secrets_new(child);
  set(parent, "key", "p", DK_SLOT_HEADER);
  set(parent, "other", "o", DK_SLOT_HEADER);
  CHECK(line_is(grandchild, "X: {key}{other}", "X: po"));
  set(child, "key", "c", DK_SLOT_HEADER);
  CHECK(line_is(grandchild, "X: {key}{other}", "X: co") && line_is(parent, "X: {key}", "X: p"));
  set(grandchild, "key", "", DK_SLOT_HEADER);                             /* hides the parent's slot */
  CHECK(!dk_secrets_has(grandchild, "key") && dk_secrets_has(child, "key"));
  dk_secrets_remove(grandchild, "key");
  CHECK(line_is(grandchild, "X: {key}", "X: c"));
  dk_secrets_wipe(child);
  CHECK(line_is(grandchild, "X: {key}", "X: p"));
  dk_secrets_remove(grandchild, "nothing");
  dk_secrets_release(parent);                                             /* the children still hold the parent */
  dk_secrets_release(child);
  CHECK(line_is(grandchild, "X: {key}", "X: p"));
  dk_secrets_release(grandchild);
  dk_secrets_release(NULL);
}

static void a_slot_is_found_by_its_whole_name (void) {
  dk_secrets *s = dk_secrets_new(NULL);
  set(s, "key", "1", DK_SLOT_HEADER);
  set(s, "key_two", "2", DK_SLOT_HEADER);
  CHECK(line_is(s, "X: {key}{key_two}", "X: 12"));
  CHECK(!dk_secrets_has(s, "ke") && !dk_secrets_has(s, "key_") && !dk_secrets_has(s, ""));
  dk_secrets_release(s);
}

static void templates_of_lines (void) {
  dk_secrets *s = dk_secrets_new(NULL);
  dk_failure failure;
  set(s, "token", "t0k", DK_SLOT_HEADER);
  set(s, "id", "42", DK_SLOT_PUBLIC);
  set(s, "password", "p\n", DK_SLOT_BODY);
  CHECK(line_is(s, "Accept: application/json", "Accept: application/json"));
  CHECK(line_is(s, "Authorization: Bearer {token}", "Authorization: Bearer t0k"));
  CHECK(line_is(s, "X: {id}-{token}{id}", "X: 42-t0k42"));
  CHECK(line_is(s, "?X: {id}", "X: 42"));
  CHECK(line_is(s, "?X: {none}", NULL));
  CHECK(line_is(s, "?X: {token} {none}", NULL));
  CHECK(line_is(s, "X: {id", "X: {id") && line_is(s, "X: }{", "X: }{"));
  CHECK(line_fails(s, "X: {none}", 100, &failure) == DK_EMPTY_SLOT && strcmp(failure.text, "none") == 0);
  CHECK(line_fails(s, "X: {}", 100, &failure) == DK_EMPTY_SLOT && strcmp(failure.text, "") == 0);
  CHECK(line_fails(s, "X: {password}", 100, &failure) == DK_BAD_VALUE && strstr(failure.text, "password") != NULL);
  CHECK(line_fails(s, "X: {token}", 6, &failure) == DK_OVER_LIMIT);          /* the NUL counts */
  CHECK(line_fails(s, "X: {token}", 7, &failure) == DK_OK);
  dk_secrets_release(s);
}

static void lines_stand_one_behind_the_other (void) {
  dk_secrets *s = dk_secrets_new(NULL);
  dk_buffer out;
  dk_failure failure;
  set(s, "a", "1", DK_SLOT_HEADER);
  dk_buffer_init(&out, 100);
  CHECK(dk_secrets_fill_header(s, "A: {a}", &out, &failure) == DK_OK);
  CHECK(dk_secrets_fill_header(s, "?B: {a}{b}", &out, &failure) == DK_OK);
  CHECK(dk_secrets_fill_header(s, "C: {a}", &out, &failure) == DK_OK);
  CHECK(out.length == 10 && memcmp(out.bytes, "A: 1\0C: 1", 10) == 0);
  dk_buffer_reset(&out);
  dk_secrets_release(s);
}

static void fields_of_a_json_body (void) {
  static const struct { const char *value; size_t length; const char *before, *after; } rows[] = {
    {"pass", 4, "{}", "{\"pw\":\"pass\"}"},
    {"pass", 4, "{\"a\":1}", "{\"a\":1,\"pw\":\"pass\"}"},
    {"\"\\", 2, "{}", "{\"pw\":\"\\\"\\\\\"}"},
    {"a\nb\0\x1F\x7F", 6, "{}", "{\"pw\":\"a\\u000ab\\u0000\\u001f\x7F\"}"},
    {"/\xC3\xBC", 3, "{}", "{\"pw\":\"/\xC3\xBC\"}"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_secrets *s = dk_secrets_new(NULL);
    dk_buffer out;
    dk_failure failure;
    dk_buffer_init(&out, 200);
    CHECK(set_bytes(s, "pw", rows[i].value, rows[i].length, DK_SLOT_BODY) == DK_OK);
    CHECK(dk_buffer_add(&out, rows[i].before, strlen(rows[i].before)) == DK_OK);
    CHECK(dk_secrets_add_json_field(s, "pw", &out, &failure) == DK_OK);
    if (!CHECK(strcmp(out.bytes, rows[i].after) == 0)) fprintf(stderr, "  %s\n", out.bytes);
    CHECK(dk_secrets_add_json_field(s, "none", &out, &failure) == DK_EMPTY_SLOT && strcmp(out.bytes, rows[i].after) == 0);
    dk_buffer_reset(&out);
    dk_secrets_release(s);
  }
}

static void masking_by_value (void) {
  static const struct { const char *text, *masked; } rows[] = {
    {"", ""},
    {"nothing here", "nothing here"},
    {"key=dk_live_1", "key=***"},
    {"dk_live_1", "***"},
    {"dk_live_1dk_live_1", "***"},
    {"xdk_live_1y dk_live_", "x***y dk_live_"},
    {"dk_live_1_longer!", "***!"},                                        /* the longer value is masked first */
    {"{\"input\":\"say \\\"hi\\\"\"}", "{\"input\":\"***\"}"},            /* escaped for JSON */
    {"say \"hi\"", "***"},
    {"{\"input\":\"say \\u0022hi\\u0022\"}\\n", "{\"input\":\"***\"}\\n"},
    {"\\\"p\\u00e4ss\\/w\\\" p\xC3\xA4ss/w p\\u00e4ss/v", "\\\"***\\\" *** p\\u00e4ss/v"},
    {"project 42-42-42", "project 42-42-42"},                             /* a public slot, not a secret */
    {"abc of the parent", "*** of the parent"},
    {"hidden-by-child", "***"},
    {"bad hidden-by-chil", "bad ***"},                                    /* the text ends inside a value */
    {"bad hidden-by-ch", "bad ***"},
    {"hidden-by-c", "hidden-by-c"},                                       /* too short to be masked */
    {"bad hidden-by-chil...", "bad ***..."},                              /* a value that the server shortened */
  };
  dk_secrets *parent = dk_secrets_new(NULL), *s = dk_secrets_new(parent);
  set(parent, "p", "abc", DK_SLOT_HEADER);
  set(parent, "h", "hidden-by-child", DK_SLOT_HEADER);
  set(s, "h", "", DK_SLOT_HEADER);
  set(s, "key", "dk_live_1", DK_SLOT_HEADER);
  set(s, "longer", "dk_live_1_longer", DK_SLOT_HEADER);
  set(s, "password", "say \"hi\"", DK_SLOT_BODY);
  set(s, "other password", "p\xC3\xA4ss/w", DK_SLOT_BODY);
  set(s, "id", "42-42-42", DK_SLOT_PUBLIC);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_buffer out;
    dk_buffer_init(&out, 200);
    CHECK(dk_buffer_add(&out, "before ", 7) == DK_OK);
    CHECK(dk_secrets_mask(s, rows[i].text, strlen(rows[i].text), &out) == DK_OK);
    if (!CHECK(strcmp(out.bytes + 7, rows[i].masked) == 0)) fprintf(stderr, "  %s\n", out.bytes);
    CHECK(out.length == 7 + strlen(rows[i].masked));
    bool whole = strcmp(rows[i].text, rows[i].masked) != 0 && strncmp(rows[i].masked, "bad ", 4) != 0;
    CHECK(dk_secrets_appear_in(s, rows[i].text, strlen(rows[i].text)) == whole);
    dk_buffer_reset(&out);
  }
  dk_secrets_release(s);
  dk_secrets_release(parent);
}

/* each encoding of the value: complete, cut at the end of the text, and without its start */
static void masking_of_each_spelling (void) {
  static const struct { const char *text, *masked; bool shows; } rows[] = {
    {"bad key kfX8/abc <d>&\"e f\"ijklm", "bad key ***", true},
    {"{\"detail\":\"bad key kfX8\\/abc <d>&\\\"e f\\\"ijklm!\"}", "{\"detail\":\"bad key ***!\"}", true},
    {"q=kfX8%2Fabc%20%3Cd%3E%26%22e%20f%22ijklm&x=1", "q=***&x=1", true},
    {"q=kfX8%2fabc%20%3cd%3e%26%22e%20f%22ijklm&x=1", "q=***&x=1", true},
    {"q=kfX8%2Fabc+%3Cd%3E%26%22e+f%22ijklm&x=1", "q=***&x=1", true},
    {"<p>kfX8/abc &lt;d&gt;&amp;&quot;e f&quot;ijklm</p>", "<p>***</p>", true},
    {"<p>kfX8&#x2F;abc &#60;d&#62;&#38;&#34;e f&#x22;ijklm</p>", "<p>***</p>", true},
    {"<p>kfX8\\/abc &lt;d&gt;&amp;\\&quot;e f\\&quot;ijklm</p>", "<p>***</p>", true},           /* JSON in HTML */
    {"\"kfX8\\/abc \\u0026lt;d\\u0026gt;\\u0026amp;\\u0026quot;e f\\u0026quot;ijklm\"", "\"***\"", true},      /* HTML in JSON */
    {"q=kfX8%252Fabc%2520%253Cd%253E%2526%2522e%2520f%2522ijklm.", "q=***.", true},                  /* twice */
    {"bad key kfX8/abc <d>&", "bad key ***", false},
    {"bad key kfX8\\/abc <d>&\\", "bad key ***", false},
    {"bad key kfX8\\/abc \\u003cd\\u003e\\u00", "bad key ***", false},
    {"bad key kfX8%2Fabc%20%3Cd%3E%26%2", "bad key ***", false},
    {"bad key kfX8%2fabc+%3cd%3e%26%22", "bad key ***", false},
    {"bad key kfX8/abc &lt;d&gt;&amp;&quo", "bad key ***", false},
    {"bad key kfX8&#47;abc &#60;d&#62;&#3", "bad key ***", false},
    {"...>&\"e f\"ijklm is wrong", "...*** is wrong", false},
    {"...d>&\\\"e f\\\"ijklm is wrong", "...*** is wrong", false},
    {"...%3Cd%3E%26%22e+f%22ijklm is wrong", "...*** is wrong", false},
    {"...d&gt;&amp;&quot;e f&quot;ijklm is wrong", "...*** is wrong", false},
    {"kfX8/abc <d> and f\"ijklm", "*** and f\"ijklm", false},
    {"kfX8%2Fabc%20%3Cd%3E... is wrong", "***... is wrong", false},
    {"kfX8/abc <d and f\"ijklm", "kfX8/abc <d and f\"ijklm", false},                               /* too short to be masked */
    {"100% of a & b \\ c+d %2F &lt;", "100% of a & b \\ c+d %2F &lt;", false},
  };
  dk_secrets *s = dk_secrets_new(NULL);
  set(s, "key", "kfX8/abc <d>&\"e f\"ijklm", DK_SLOT_BODY);
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_buffer out;
    dk_buffer_init(&out, 200);
    CHECK(dk_secrets_mask(s, rows[i].text, strlen(rows[i].text), &out) == DK_OK);
    bool right = CHECK(strcmp(out.bytes, rows[i].masked) == 0) & CHECK(dk_secrets_appear_in(s, rows[i].text, strlen(rows[i].text)) == rows[i].shows);
    if (!right) fprintf(stderr, "  %s: %s\n", rows[i].text, out.bytes);
    dk_buffer_reset(&out);
  }
  dk_secrets_release(s);
}

/* a piece without start and end: as long as the gap between two searched parts, plus one part */
static void masking_of_pieces (void) {
  enum { MOST = 600 };
  for (size_t length = 24; length <= MOST; length += 64) {
    char value[MOST + 1];
    dk_secrets *s = dk_secrets_new(NULL);
    for (size_t i = 0; i < length; i++) value[i] = (char)('!' + (i * i + i / 7 + length) % 90);
    value[length] = '\0';
    set(s, "key", value, DK_SLOT_BODY);
    size_t piece = (length / 8 > 12 ? length / 8 : 12) + 12;
    for (size_t from = 0; from + piece <= length; from++) {
      dk_buffer out;
      dk_buffer_init(&out, 1000);
      CHECK(dk_secrets_mask(s, value + from, piece, &out) == DK_OK);
      if (!CHECK(strcmp(out.bytes, "***") == 0)) fprintf(stderr, "  %zu of %zu: %s\n", from, length, out.bytes);
      dk_buffer_reset(&out);
    }
    dk_secrets_release(s);
  }
}

/* compared with a simple search, at every offset of a text: values of few letters, so that their parts are everywhere */
static void shows_finds_it_wherever_it_stands (void) {
  unsigned seed = 1;
  char text[64], value[16];
  for (int turn = 0; turn < 20000; turn++) {
    size_t length = seed % 40, value_length = 3 + seed / 64 % 9;
    dk_secrets *s = dk_secrets_new(NULL);
    for (size_t i = 0; i < length; i++) text[i] = "ab\"c"[(seed = seed * 1664525 + 1013904223) >> 28 & 3];
    for (size_t i = 0; i < value_length; i++) value[i] = "abca"[(seed = seed * 1664525 + 1013904223) >> 28 & 3];
    text[length] = value[value_length] = '\0';
    set(s, "v", value, DK_SLOT_HEADER);
    if (!CHECK(dk_secrets_appear_in(s, text, length) == (strstr(text, value) != NULL))) fprintf(stderr, "  '%s' in '%s'\n", value, text);
    dk_secrets_release(s);
  }
}

static void what_is_no_secret_does_not_show (void) {
  dk_secrets *s = dk_secrets_new(NULL);
  set(s, "short", "ab", DK_SLOT_HEADER);
  set(s, "empty", "", DK_SLOT_HEADER);
  set(s, "quote", "\"", DK_SLOT_BODY);
  set(s, "project", "42-42-42", DK_SLOT_PUBLIC);
  CHECK(!dk_secrets_appear_in(s, "ab \"\\\" 42-42-42", 15));
  CHECK(!dk_secrets_appear_in(s, "", 0));
  CHECK(set_bytes(s, "nul", "a\0b", 3, DK_SLOT_BODY) == DK_OK);
  CHECK(dk_secrets_appear_in(s, "xa\0by", 5) && dk_secrets_appear_in(s, "a\\u0000b", 8) && !dk_secrets_appear_in(s, "xa\0by", 3));
  dk_secrets_release(s);
}

static void tags_tell_values_apart (void) {
  dk_secrets *parent = dk_secrets_new(NULL), *s = dk_secrets_new(parent);
  uint64_t one = 0, again = 0, other = 0;
  set(parent, "key", "dk_live_1", DK_SLOT_HEADER);
  CHECK(dk_secrets_hash(s, "key", &one));
  set(s, "key", "dk_live_2", DK_SLOT_HEADER);
  CHECK(dk_secrets_hash(s, "key", &other));
  set(s, "other", "dk_live_1", DK_SLOT_PUBLIC);
  CHECK(dk_secrets_hash(s, "other", &again));
  CHECK(one == again && one != other);
  set(s, "key", "", DK_SLOT_HEADER);
  CHECK(!dk_secrets_hash(s, "key", &one) && !dk_secrets_hash(s, "none", &one));
  dk_secrets_release(s);
  dk_secrets_release(parent);
}

int main (void) {
  static const check_test tests[] = {
    {"values_that_can_stand_in_a_header", values_that_can_stand_in_a_header},
    {"refused_value_leaves_the_old_one_and_is_not_told", refused_value_leaves_the_old_one_and_is_not_told},
    {"child_sees_its_parents_slots_behind_its_own", child_sees_its_parents_slots_behind_its_own},
    {"a_slot_is_found_by_its_whole_name", a_slot_is_found_by_its_whole_name},
    {"templates_of_lines", templates_of_lines},
    {"lines_stand_one_behind_the_other", lines_stand_one_behind_the_other},
    {"fields_of_a_json_body", fields_of_a_json_body},
    {"masking_by_value", masking_by_value},
    {"masking_of_each_spelling", masking_of_each_spelling},
    {"masking_of_pieces", masking_of_pieces},
    {"shows_finds_it_wherever_it_stands", shows_finds_it_wherever_it_stands},
    {"what_is_no_secret_does_not_show", what_is_no_secret_does_not_show},
    {"tags_tell_values_apart", tags_tell_values_apart},
  };
  return CHECK_RUN(tests);
}
