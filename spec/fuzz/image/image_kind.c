/* image_kind.c - the format depends on the first bytes only; the scanner's result does not depend on the sizes of the pieces, nor on
 * the bytes after the end. */
#include "image/image_scanner.h"
#include "support/fuzz.h"

static const char *wanted (const char *bytes, size_t length) {
  if (length >= 3 && memcmp(bytes, "\xFF\xD8\xFF", 3) == 0) return "image/jpeg";
  if (length >= 8 && memcmp(bytes, "\x89PNG\r\n\x1A\n", 8) == 0) return "image/png";
  if (length >= 12 && memcmp(bytes, "RIFF", 4) == 0 && memcmp(bytes + 8, "WEBP", 4) == 0) return "image/webp";
  return NULL;
}

static void check (const char *bytes, size_t length) {
  const char *type = dk_image_content_type(bytes, length), *kind = dk_image_kind(bytes, length), *right = wanted(bytes, length);
  HOLDS(right ? type != NULL && strcmp(type, right) == 0 : type == NULL);
  HOLDS(right ? kind != NULL && strcmp(kind, right + strlen("image/")) == 0 : kind == NULL);
}

/* the status; *end: the smallest length that is complete */
static dk_status check_pieces (const uint8_t *data, size_t size, size_t piece, size_t *end) {
  dk_image_scanner image;
  dk_failure failure;
  dk_image_scanner_init(&image);
  *end = 0;
  for (size_t at = 0; at < size; at += piece) {
    fuzz_input input = fuzz_open(data + at, size - at);
    size_t length = size - at < piece ? size - at : piece;
    char *bytes = fuzz_bytes(&input, length);
    dk_image_scanner_add(&image, bytes, length);
    free(bytes);
    HOLDS(*end == 0 || image.has_ended);
    if (image.has_ended && *end == 0) *end = at + length;
  }
  return dk_image_scanner_check(&image, &failure);
}

static void check_end (const uint8_t *data, size_t size) {
  size_t at_once, end, other;
  dk_status status = check_pieces(data, size, size + 1, &at_once), bytewise = check_pieces(data, size, 1, &end);
  HOLDS(status == bytewise && (status == DK_OK) == (end != 0));
  HOLDS(check_pieces(data, size, 1 + size % 13, &other) == status);
  if (status != DK_OK) return;
  HOLDS(check_pieces(data, end, end, &other) == DK_OK);
  HOLDS(end <= DK_IMAGE_SIGNATURE || check_pieces(data, end - 1, end, &other) == DK_IMAGE_INCOMPLETE);
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  char *bytes = fuzz_bytes(&input, size);
  const char *type = dk_image_content_type(bytes, size);
  check(bytes, size);
  free(bytes);
  check_end(data, size);
  for (size_t length = 0; length < size && length <= DK_IMAGE_SIGNATURE; length++) {      /* cut short, within the first bytes */
    input = fuzz_open(data, size);
    bytes = fuzz_bytes(&input, length);
    check(bytes, length);
    HOLDS(length < DK_IMAGE_SIGNATURE || dk_image_content_type(bytes, length) == type);
    free(bytes);
  }
  return 0;
}
