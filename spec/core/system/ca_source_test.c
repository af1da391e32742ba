/* ca_source_test.c - the root certificates that each TLS library gets: a hashed directory, a bundle, or the system's store. */
#define _GNU_SOURCE              /* mkdtemp */
#include "system/ca_source.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/check.h"

static char folder[] = "/tmp/ca_source_test.XXXXXX", empty[64], hashed[64], certificate[96], bundle[64];

static void touch (const char *path) {
  FILE *file = fopen(path, "w");
  if (file == NULL) abort();
  fclose(file);
}

typedef enum { NOTHING, FILE_ALONE, DIRECTORY_ALONE, STORE } choice;

static choice choose (const char *library, const char *file, const char *directory) {
  dk_ca_source source = dk_ca_source_of(library, file, directory);
  CHECK((source.file != NULL) + (source.directory != NULL) + source.system_store <= 1);
  return source.file ? FILE_ALONE : source.directory ? DIRECTORY_ALONE : source.system_store ? STORE : NOTHING;
}

static void each_library (void) {
  static const struct { const char *library; choice both, none; } rows[] = {
    {"OpenSSL/3.0.17", DIRECTORY_ALONE, STORE}, {"LibreSSL/3.9.2", DIRECTORY_ALONE, STORE}, {"AWS-LC/1.40", DIRECTORY_ALONE, STORE},
    {"GnuTLS/3.8.9", FILE_ALONE, STORE}, {"wolfSSL/5.7.2", FILE_ALONE, STORE}, {"mbedTLS/3.6.4", FILE_ALONE, NOTHING},
    {"Schannel", FILE_ALONE, STORE}, {"SecureTransport", FILE_ALONE, STORE}, {"(OpenSSL/3.0.17) GnuTLS/3.8.9", FILE_ALONE, STORE},
    {"(GnuTLS/3.8.9) OpenSSL/3.0.17", DIRECTORY_ALONE, STORE}, {"another/1.0", FILE_ALONE, NOTHING},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool same = CHECK(choose(rows[i].library, bundle, hashed) == rows[i].both) & CHECK(choose(rows[i].library, NULL, NULL) == rows[i].none);
    if (!same) fprintf(stderr, "  %s\n", rows[i].library);
  }
}

static void an_empty_directory_counts_as_none (void) {
  CHECK(choose("OpenSSL/3.0.17", bundle, empty) == FILE_ALONE);
  CHECK(choose("OpenSSL/3.0.17", NULL, empty) == STORE);
  CHECK(choose("OpenSSL/3.0.17", bundle, "/nowhere") == FILE_ALONE);
}

static void a_bundle_that_is_not_there (void) {
  CHECK(choose("GnuTLS/3.8.9", "/nowhere.crt", hashed) == DIRECTORY_ALONE);
  CHECK(choose("GnuTLS/3.8.9", "/nowhere.crt", empty) == FILE_ALONE);          /* libcurl's error names it */
}

int main (void) {
  static const check_test tests[] = {{"each_library", each_library},
    {"an_empty_directory_counts_as_none", an_empty_directory_counts_as_none}, {"a_bundle_that_is_not_there", a_bundle_that_is_not_there}};
  if (mkdtemp(folder) == NULL) abort();
  snprintf(empty, sizeof empty, "%s/empty", folder);
  snprintf(hashed, sizeof hashed, "%s/hashed", folder);
  snprintf(certificate, sizeof certificate, "%s/1d3472b9.0", hashed);
  snprintf(bundle, sizeof bundle, "%s/bundle.crt", folder);
  char command[256];
  snprintf(command, sizeof command, "mkdir %s %s", empty, hashed);
  if (system(command) != 0) abort();
  touch(certificate);
  touch(bundle);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  int code = CHECK_RUN(tests);
  snprintf(command, sizeof command, "rm -r %s", folder);
  return system(command) != 0 ? 1 : code;
}
