/* digest_map_test.c - the text of a digest, and a map from digests: it grows, and keeps the newest value of each key. */
#include <string.h>

#include "base/digest_map.h"
#include "support/check.h"

static dk_digest key_of (int i) { return dk_digest_of(&i, sizeof i); }

static void reads_the_text_that_it_wrote_and_no_other (void) {
  char text[DK_DIGEST_TEXT];
  dk_digest digest = dk_digest_of("a", 1), read;
  dk_digest_format(&digest, text);
  CHECK(strlen(text) == DK_DIGEST_DIGITS);
  CHECK(dk_digest_parse(text, DK_DIGEST_DIGITS, &read) && memcmp(&read, &digest, sizeof read) == 0);
  CHECK(dk_digest_first_word("a", 1) == digest.words[0]);
  CHECK(!dk_digest_parse(text, DK_DIGEST_DIGITS - 1, &read));
  text[31] = 'A';
  CHECK(!dk_digest_parse(text, DK_DIGEST_DIGITS, &read));
}

static void has_the_newest_value_of_each_key (void) {
  dk_digest_map map;
  dk_digest_map_init(&map);
  dk_digest key = key_of(0);
  CHECK(dk_digest_map_get(&map, &key) == NULL);
  for (int turn = 0; turn < 2; turn++)
    for (int i = 0; i < 5000; i++) {
      dk_digest_value value = {(uint64_t)(i + 1 + turn), key_of(-i)};
      key = key_of(i);
      CHECK(dk_digest_map_set(&map, &key, &value));
    }
  CHECK(map.count == 5000 && map.room < 2 * map.count);
  for (int i = 0; i < 5000; i++) {
    key = key_of(i);
    dk_digest digest = key_of(-i);
    const dk_digest_value *value = dk_digest_map_get(&map, &key);
    if (!CHECK(value != NULL && value->number == (uint64_t)i + 2 && memcmp(&value->digest, &digest, sizeof digest) == 0)) break;
  }
  key = key_of(5000);
  CHECK(dk_digest_map_get(&map, &key) == NULL);
  dk_digest_map_clear(&map);
  key = key_of(1);
  CHECK(dk_digest_map_get(&map, &key) == NULL && map.count == 0);
}

int main (void) {
  static const check_test tests[] = {
    {"reads_the_text_that_it_wrote_and_no_other", reads_the_text_that_it_wrote_and_no_other},
    {"has_the_newest_value_of_each_key", has_the_newest_value_of_each_key},
  };
  return CHECK_RUN(tests);
}
