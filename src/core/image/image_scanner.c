#include "image/image_scanner.h"

#include <string.h>

/* reads the field that begins at bytes, or a part of it; returns how many bytes it used */
typedef size_t field_reader (dk_image_scanner *image, const unsigned char *bytes, size_t length);

/* adds bytes to the field, up to a size */
static size_t fill_field (dk_image_scanner *image, const unsigned char *bytes, size_t length, size_t size) {
  size_t room = size - image->filled, n = length < room ? length : room;
  memcpy(image->field + image->filled, bytes, n);
  image->filled += n;
  return n;
}

/* four bytes, the highest first */
static uint64_t read_uint32 (const unsigned char bytes[4]) {
  return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
}

/* a chunk: the length of its data, its type, the data, a checksum */
static size_t read_chunk (dk_image_scanner *image, const unsigned char *bytes, size_t length) {
  enum { HEAD = 8, CHECKSUM = 4 };
  size_t n = fill_field(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    image->skip = read_uint32(image->field) + CHECKSUM;
    image->is_last = memcmp(image->field + 4, "IEND", 4) == 0;
    image->filled = 0;
  }
  return n;
}

/* these markers have no length; FF 00 is a byte of the compressed data, and RST markers separate its parts */
static bool has_length (unsigned char marker) {
  enum { STUFFED = 0x00, TEM = 0x01, RST0 = 0xD0, SOI = 0xD8 };
  return marker != STUFFED && marker != TEM && !(marker >= RST0 && marker <= SOI);
}

/* FF, a marker, and for most of them the length of the data after it; in compressed data, only FF matters */
static size_t read_marker (dk_image_scanner *image, const unsigned char *bytes, size_t length) {
  enum { FILL = 0xFF, EOI = 0xD9, HEAD = 4 };
  if (image->filled == 0) {
    const unsigned char *mark = (const unsigned char *)memchr(bytes, FILL, length);
    image->filled = mark != NULL;
    return mark ? (size_t)(mark - bytes) + 1 : length;
  }
  if (image->filled == 1) {
    if (*bytes == EOI) image->has_ended = true;
    if (*bytes != FILL) image->filled = has_length(*bytes) ? 2 : 0;
    return 1;
  }
  size_t n = fill_field(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    size_t size = (size_t)image->field[2] << 8 | image->field[3];        /* with these two bytes */
    image->skip = size > 2 ? size - 2 : 0;
    image->filled = 0;
  }
  return n;
}

/* "RIFF", the length of all data after it (the lowest byte first), and the data */
static size_t read_riff (dk_image_scanner *image, const unsigned char *bytes, size_t length) {
  enum { HEAD = 8, LEAST = 12 };                       /* "WEBP" and a chunk's header; a writer that stopped early leaves 0 */
  size_t n = fill_field(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    const unsigned char *f = image->field, size[4] = {f[7], f[6], f[5], f[4]};
    image->skip = read_uint32(size) >= LEAST ? read_uint32(size) : UINT64_MAX;
    image->is_last = true;
  }
  return n;
}

static const struct {
  const char *kind;
  size_t first_field;            /* its offset */
  field_reader *read;
  const char *missing;           /* of an image that ends early, for the message */
} rows[] = {
  {"png", 8, read_chunk, "no IEND"},
  {"jpeg", 2, read_marker, "no EOI marker"},
  {"webp", 0, read_riff, "its header says more"},
};

/* the row for the image's format; -1: not an image */
static int find_row (const dk_image_scanner *image) {
  const char *kind = dk_image_kind(image->signature, image->length < DK_IMAGE_SIGNATURE ? (size_t)image->length : (size_t)DK_IMAGE_SIGNATURE);
  for (int i = 0; kind != NULL && i < (int)(sizeof rows / sizeof *rows); i++) {
    if (strcmp(rows[i].kind, kind) == 0) return i;
  }
  return -1;
}

static void read_fields (dk_image_scanner *image, field_reader *read, const unsigned char *at, const unsigned char *end) {
  while (at < end && !image->has_ended) {
    uint64_t left = (uint64_t)(end - at), n = image->skip < left ? image->skip : left;
    at += n;
    image->skip -= n;
    if (image->skip == 0 && image->is_last) image->has_ended = true;
    else if (at < end) at += read(image, at, (size_t)(end - at));
  }
}

void dk_image_scanner_init (dk_image_scanner *image) { memset(image, 0, sizeof *image); }

void dk_image_scanner_add (dk_image_scanner *image, const char *bytes, size_t length) {
  uint64_t before = image->length;
  for (size_t i = 0; i < length && before + i < DK_IMAGE_SIGNATURE; i++) image->signature[before + i] = bytes[i];
  image->length += length;
  int row = image->length < DK_IMAGE_SIGNATURE || image->has_ended ? -1 : find_row(image);
  if (row < 0) return;
  size_t done = 0;
  if (before < DK_IMAGE_SIGNATURE) {
    done = (size_t)(DK_IMAGE_SIGNATURE - before);
    read_fields(image, rows[row].read, (const unsigned char *)image->signature + rows[row].first_field, (const unsigned char *)image->signature + DK_IMAGE_SIGNATURE);
  }
  read_fields(image, rows[row].read, (const unsigned char *)bytes + done, (const unsigned char *)bytes + length);
}

dk_status dk_image_scanner_check (const dk_image_scanner *image, dk_failure *failure) {
  int row = find_row(image);
  if (row < 0) return dk_fail(failure, DK_PROTOCOL, "the response is not a JPEG, PNG or WebP image by its first bytes");
  if (image->has_ended) return DK_OK;
  return dk_fail(failure, DK_IMAGE_INCOMPLETE, "the image ended early (%llu bytes, %s)", (unsigned long long)image->length, rows[row].missing);
}
