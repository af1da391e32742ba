/* buffer_test.c - the growth, the limit and the empty state of a buffer. wipe_memory_test.c tests the wiping. */
#include <string.h>

#include "base/buffer.h"
#include "support/check.h"

static void starts_empty (void) {
  dk_buffer b;
  dk_buffer_init(&b, 10);
  CHECK(b.bytes == NULL && b.length == 0);
  dk_buffer_truncate(&b, 0);
  dk_buffer_reset(&b);
  CHECK(b.bytes == NULL && b.length == 0);
}

static void takes_up_to_its_cap_and_no_more (void) {
  static const struct { size_t cap, first, second; dk_status status; } rows[] = {
    {0, 0, 0, DK_OK}, {0, 0, 1, DK_OVER_LIMIT}, {8, 8, 0, DK_OK}, {8, 7, 1, DK_OK}, {8, 8, 1, DK_OVER_LIMIT}, {8, 1, 8, DK_OVER_LIMIT},
    {8, 1, (size_t)-1, DK_OVER_LIMIT}, {(size_t)-1 / 2, 1, (size_t)-1, DK_OVER_LIMIT},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    static const char bytes[8] = "abcdefg";
    dk_buffer b;
    dk_buffer_init(&b, rows[i].cap);
    CHECK(dk_buffer_add(&b, bytes, rows[i].first) == DK_OK);
    if (!CHECK(dk_buffer_add(&b, bytes, rows[i].second) == rows[i].status)) fprintf(stderr, "  row %zu\n", i);
    CHECK(b.length == rows[i].first + (rows[i].status == DK_OK ? rows[i].second : 0));
    CHECK(memcmp(b.bytes ? b.bytes : "", bytes, rows[i].first) == 0);
    dk_buffer_reset(&b);
  }
}

static void keeps_every_byte_while_it_grows (void) {
  dk_buffer b;
  dk_buffer_init(&b, 1 << 20);
  for (int i = 0; i < 100000; i++) {
    char c = (char)(i * 7);
    if (!CHECK(dk_buffer_add(&b, &c, 1) == DK_OK)) break;
    if (!CHECK(b.bytes[b.length] == '\0')) break;
  }
  CHECK(b.length == 100000);
  for (int i = 0; i < 100000 && CHECK(b.bytes[i] == (char)(i * 7)); i++) {}
  dk_buffer_reset(&b);
}

static void cut_keeps_the_room (void) {
  dk_buffer b;
  dk_buffer_init(&b, 100);
  CHECK(dk_buffer_add(&b, "secret", 6) == DK_OK);
  const char *before = b.bytes;
  dk_buffer_truncate(&b, 0);
  CHECK(b.length == 0 && b.bytes == before && b.bytes[0] == '\0');
  CHECK(dk_buffer_add(&b, "abc", 3) == DK_OK);
  dk_buffer_truncate(&b, 2);
  CHECK(b.length == 2 && strcmp(b.bytes, "ab") == 0);
  dk_buffer_truncate(&b, 0);
  CHECK(dk_buffer_add(&b, "x", 1) == DK_OK && b.bytes == before && strcmp(b.bytes, "x") == 0);
  dk_buffer_reset(&b);
}

static void reset_keeps_the_cap (void) {
  dk_buffer b;
  dk_buffer_init(&b, 3);
  CHECK(dk_buffer_add(&b, "abc", 3) == DK_OK);
  dk_buffer_reset(&b);
  CHECK(dk_buffer_add(&b, "abcd", 4) == DK_OVER_LIMIT && dk_buffer_add(&b, "abc", 3) == DK_OK);
  dk_buffer_reset(&b);
}

int main (void) {
  static const check_test tests[] = {
    {"starts_empty", starts_empty},
    {"takes_up_to_its_cap_and_no_more", takes_up_to_its_cap_and_no_more},
    {"keeps_every_byte_while_it_grows", keeps_every_byte_while_it_grows},
    {"cut_keeps_the_room", cut_keeps_the_room},
    {"reset_keeps_the_cap", reset_keeps_the_cap},
  };
  return CHECK_RUN(tests);
}
