#include "image/image_scanner.h"

#include <string.h>

/* reads the field that begins at bytes, or a part of it; what it took */
typedef size_t reader (dk_image *image, const unsigned char *bytes, size_t length);

/* adds to the field until it has so many bytes */
static size_t fill (dk_image *image, const unsigned char *bytes, size_t length, size_t wanted) {
  size_t room = wanted - image->filled, n = length < room ? length : room;
  memcpy(image->field + image->filled, bytes, n);
  image->filled += n;
  return n;
}

/* four bytes, the highest first */
static uint64_t number_of (const unsigned char bytes[4]) {
  return (uint64_t)bytes[0] << 24 | (uint64_t)bytes[1] << 16 | (uint64_t)bytes[2] << 8 | bytes[3];
}

/* a chunk: the length of its data, its type, the data, a checksum */
static size_t read_chunk (dk_image *image, const unsigned char *bytes, size_t length) {
  enum { HEAD = 8, CHECKSUM = 4 };
  size_t n = fill(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    image->skip = number_of(image->field) + CHECKSUM;
    image->is_last = memcmp(image->field + 4, "IEND", 4) == 0;
    image->filled = 0;
  }
  return n;
}

/* these stand alone; FF 00 is a byte of the compressed data, which RST markers part */
static bool has_length (unsigned char marker) {
  enum { STUFFED = 0x00, TEM = 0x01, RST0 = 0xD0, SOI = 0xD8 };
  return marker != STUFFED && marker != TEM && !(marker >= RST0 && marker <= SOI);
}

/* FF, a marker, and with most of them the length of what follows. Compressed data stand between them, where only FF counts. */
static size_t read_marker (dk_image *image, const unsigned char *bytes, size_t length) {
  enum { FILL = 0xFF, EOI = 0xD9, HEAD = 4 };
  if (image->filled == 0) {
    const unsigned char *mark = memchr(bytes, FILL, length);
    image->filled = mark != NULL;
    return mark ? (size_t)(mark - bytes) + 1 : length;
  }
  if (image->filled == 1) {
    if (*bytes == EOI) image->has_ended = true;
    if (*bytes != FILL) image->filled = has_length(*bytes) ? 2 : 0;
    return 1;
  }
  size_t n = fill(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    size_t size = (size_t)image->field[2] << 8 | image->field[3];        /* these two bytes included */
    image->skip = size > 2 ? size - 2 : 0;
    image->filled = 0;
  }
  return n;
}

/* "RIFF", the length of all that follows (the lowest byte first), and that */
static size_t read_riff (dk_image *image, const unsigned char *bytes, size_t length) {
  enum { HEAD = 8, LEAST = 12 };                       /* "WEBP" and the head of a chunk; a writer that broke off left 0 there */
  size_t n = fill(image, bytes, length, HEAD);
  if (image->filled == HEAD) {
    const unsigned char *f = image->field, size[4] = {f[7], f[6], f[5], f[4]};
    image->skip = number_of(size) >= LEAST ? number_of(size) : UINT64_MAX;
    image->is_last = true;
  }
  return n;
}

static const struct {
  const char *kind;
  size_t first;                  /* where the first field begins */
  reader *read;
  const char *lack;
} rows[] = {
  {"png", 8, read_chunk, "no IEND"},
  {"jpeg", 2, read_marker, "no EOI marker"},
  {"webp", 0, read_riff, "its head names more"},
};

/* the row of the image, by its first bytes; -1: it is none */
static int row_of (const dk_image *image) {
  const char *kind = dk_image_kind(image->head, image->length < DK_IMAGE_HEAD ? (size_t)image->length : DK_IMAGE_HEAD);
  for (int i = 0; kind != NULL && i < (int)(sizeof rows / sizeof *rows); i++) {
    if (strcmp(rows[i].kind, kind) == 0) return i;
  }
  return -1;
}

static void follow (dk_image *image, reader *read, const unsigned char *at, const unsigned char *end) {
  while (at < end && !image->has_ended) {
    uint64_t left = (uint64_t)(end - at), n = image->skip < left ? image->skip : left;
    at += n;
    image->skip -= n;
    if (image->skip == 0 && image->is_last) image->has_ended = true;
    else if (at < end) at += read(image, at, (size_t)(end - at));
  }
}

void dk_image_init (dk_image *image) { memset(image, 0, sizeof *image); }

void dk_image_add (dk_image *image, const char *bytes, size_t length) {
  uint64_t before = image->length;
  for (size_t i = 0; i < length && before + i < DK_IMAGE_HEAD; i++) image->head[before + i] = bytes[i];
  image->length += length;
  int row = image->length < DK_IMAGE_HEAD || image->has_ended ? -1 : row_of(image);
  if (row < 0) return;
  size_t known = 0;
  if (before < DK_IMAGE_HEAD) {
    known = (size_t)(DK_IMAGE_HEAD - before);
    follow(image, rows[row].read, (const unsigned char *)image->head + rows[row].first, (const unsigned char *)image->head + DK_IMAGE_HEAD);
  }
  follow(image, rows[row].read, (const unsigned char *)bytes + known, (const unsigned char *)bytes + length);
}

dk_status dk_image_check (const dk_image *image, dk_failure *failure) {
  int row = row_of(image);
  if (row < 0) return dk_fail(failure, DK_PROTOCOL, "what came is no JPEG, PNG or WebP picture by its first bytes");
  if (image->has_ended) return DK_OK;
  return dk_fail(failure, DK_IMAGE_CUT, "the image ended early (%llu bytes, %s)", (unsigned long long)image->length, rows[row].lack);
}
