/* image_kind.c - a kind is told only for what begins as such a picture, and by the first bytes alone. */
#include "fuzz.h"
#include "image_kind.h"

static const char *wanted (const char *bytes, size_t length) {
  if (length >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0) return "image/jpeg";
  if (length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0) return "image/png";
  if (length >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) return "image/webp";
  return NULL;
}

static void check (const char *bytes, size_t length) {
  const char *type = dk_image_type(bytes, length), *kind = dk_image_kind(bytes, length), *right = wanted(bytes, length);
  HOLDS(right ? type != NULL && strcmp(type, right) == 0 : type == NULL);
  HOLDS(right ? kind != NULL && strcmp(kind, right + strlen("image/")) == 0 : kind == NULL);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  char *bytes = fuzz_bytes(&input, size);
  const char *type = dk_image_type(bytes, size);
  check(bytes, size);
  free(bytes);
  for (size_t length = 0; length < size && length <= DK_IMAGE_HEAD; length++) {      /* cut short, up to what decides */
    input = fuzz_open(data, size);
    bytes = fuzz_bytes(&input, length);
    check(bytes, length);
    HOLDS(length < DK_IMAGE_HEAD || dk_image_type(bytes, length) == type);
    free(bytes);
  }
  return 0;
}
