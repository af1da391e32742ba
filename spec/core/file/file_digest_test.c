/* file_digest_test.c - the digest of bytes and of a file: it is the same on every machine, and differs for other bytes. */
#define _GNU_SOURCE              /* mkdtemp */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file/file_digest.h"
#include "support/check.h"

static char folder[] = "/tmp/file_digest_test.XXXXXX";
static char path[64];
static dk_failure failure;

/* the first half: the example of the paper on SipHash, whose key and input these are */
static void is_siphash (void) {
  unsigned char bytes[15];
  char text[DK_DIGEST_TEXT];
  for (int i = 0; i < 15; i++) bytes[i] = (unsigned char)i;
  dk_digest digest = dk_digest_of(bytes, sizeof bytes);
  dk_digest_format(&digest, text);
  CHECK(strncmp(text, "a129ca6149be45e5", 16) == 0 && strlen(text) == 32);
}

static dk_digest digest_of (const char *bytes, size_t length) {
  dk_digest digest = {{0, 0}};
  FILE *file = fopen(path, "wb");
  if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) abort();
  CHECK(dk_file_digest(path, &digest, &failure) == DK_OK);
  unlink(path);
  return digest;
}

static bool same (dk_digest a, dk_digest b) { return a.words[0] == b.words[0] && a.words[1] == b.words[1]; }

/* also where the bytes are just before and behind a piece of 64 KiB */
static void differs_for_each_byte (void) {
  enum { LENGTH = 2 * 65536 + 1 };
  static const size_t places[] = {0, 65535, 65536, 131071, 131072};
  char *bytes = (char *)calloc(1, LENGTH);
  if (bytes == NULL) abort();
  dk_digest whole = digest_of(bytes, LENGTH);
  CHECK(same(whole, digest_of(bytes, LENGTH)) && !same(whole, digest_of(bytes, LENGTH - 1)));
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    bytes[places[i]] = 1;
    CHECK(!same(whole, digest_of(bytes, LENGTH)));
    bytes[places[i]] = 0;
  }
  CHECK(!same(digest_of("", 0), digest_of("\0", 1)));
  free(bytes);
}

static void refuses_what_is_no_regular_file (void) {
  dk_digest digest;
  CHECK(dk_file_digest(folder, &digest, &failure) == DK_FILE && strstr(failure.text, "not a regular file") != NULL);
  CHECK(dk_file_digest(path, &digest, &failure) == DK_FILE);
}

int main (void) {
  static const check_test tests[] = {
    {"is SipHash", is_siphash}, {"differs for each byte", differs_for_each_byte},
    {"refuses what is no regular file", refuses_what_is_no_regular_file}};
  if (mkdtemp(folder) == NULL) abort();
  snprintf(path, sizeof path, "%s/file", folder);
  int ended = CHECK_RUN(tests);
  rmdir(folder);
  return ended;
}
