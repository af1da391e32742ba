/* image_kind_test.c - image formats by their first bytes: complete, cut short, and almost right. */
#include <string.h>

#include "image/image_kind.h"
#include "support/check.h"

typedef struct {
  const char *bytes;
  size_t length;
  const char *kind;              /* NULL: not an image */
} row;

#define ROW(bytes, kind) {bytes, sizeof bytes - 1, kind}

static const row rows[] = {
  ROW("\xFF\xD8\xFF\xE0\0\x10JFIF", "jpeg"),
  ROW("\xFF\xD8\xFF", "jpeg"),
  ROW("\x89PNG\r\n\x1A\n", "png"),
  ROW("\x89PNG\r\n\x1A\n\0\0\0\rIHDR", "png"),
  ROW("RIFF\x24\0\0\0WEBPVP8 ", "webp"),
  ROW("RIFF\xFF\xFF\xFF\xFFWEBP", "webp"),
  ROW("", NULL),
  ROW("\xFF\xD8", NULL),
  ROW("\x89PNG\r\n\x1A", NULL),
  ROW("\x89PNG\n\n\x1A\n", NULL),
  ROW("RIFF\x24\0\0\0WEB", NULL),
  ROW("RIFF\x24\0\0\0WAVE", NULL),
  ROW("riff\x24\0\0\0WEBP", NULL),
  ROW("GIF89a", NULL),
  ROW("<!doctype html>", NULL),
  ROW(" \xFF\xD8\xFF", NULL),
};

static bool same (const char *a, const char *b) { return a == b || (a && b && strcmp(a, b) == 0); }

static void kind_by_first_bytes (void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    if (!CHECK(same(dk_image_kind(rows[i].bytes, rows[i].length), rows[i].kind))) fprintf(stderr, "  row %zu\n", i);
  }
}

static void type_is_the_kind_of_an_image (void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char type[16] = "image/";
    if (rows[i].kind) strcat(type, rows[i].kind);
    CHECK(same(dk_image_content_type(rows[i].bytes, rows[i].length), rows[i].kind ? type : NULL));
  }
}

static void head_is_long_enough_for_every_kind (void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t length = rows[i].length < DK_IMAGE_SIGNATURE ? rows[i].length : DK_IMAGE_SIGNATURE;
    CHECK(same(dk_image_kind(rows[i].bytes, length), rows[i].kind));
  }
}

int main (void) {
  static const check_test tests[] = {
    {"kind_by_first_bytes", kind_by_first_bytes},
    {"type_is_the_kind_of_an_image", type_is_the_kind_of_an_image},
    {"head_is_long_enough_for_every_kind", head_is_long_enough_for_every_kind},
  };
  return CHECK_RUN(tests);
}
