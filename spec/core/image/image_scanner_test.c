/* image_scanner_test.c - complete and incomplete images: each format, in pieces of every size, cut at every byte, with bytes after it. */
#include <string.h>

#include "image/image_scanner.h"
#include "support/check.h"

#define PNG "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0:~\x9BU\0\0\0\nIDATx\x9C" "c`\0\0\0\2\0\1H\xAF\xA4q"
#define IEND "\0\0\0\0IEND\xAE" "B`\x82"
/* a thumbnail with its own end in the EXIF segment; fill and stuffed bytes and RST markers in the data; two scans */
#define EXIF "\xFF\xE1\0\x16" "Exif\0\0\xFF\xD8\xFF\xDB\0\4ab\xFF\xD9" "pad\0"
#define SCANS "\xFF\xDB\0\5abc\xFF\xDA\0\4xy" "data\xFF\0more\xFF\xD0" "data\xFF\xD7\xFF\xFF\xFF\xC4\0\3z\xFF\xDA\0\2data"
#define JPEG "\xFF\xD8" EXIF SCANS
#define WEBP "RIFF\x1A\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\7\x10\x11\x11\x88\x88\xFE\7"

typedef struct { const char *name, *bytes; size_t length; const char *lack; } row;

#define ROW(name, bytes, lack) {name, bytes, sizeof bytes - 1, lack}

static const row rows[] = {
  ROW("png", PNG IEND, "no IEND"),
  ROW("jpeg", JPEG "\xFF\xD9", "no EOI marker"),
  ROW("webp", WEBP "\0", "its header says more"),
};
enum { ROWS = sizeof rows / sizeof *rows };

/* the result for an image that arrives in pieces of this size */
static dk_status check (const char *bytes, size_t length, size_t piece, dk_failure *failure) {
  dk_image_scanner image;
  dk_image_scanner_init(&image);
  for (size_t at = 0; at < length; at += piece) dk_image_scanner_add(&image, bytes + at, length - at < piece ? length - at : piece);
  return dk_image_scanner_check(&image, failure);
}

static void whole_in_pieces_of_every_size (void) {
  dk_failure failure;
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t piece = 1; piece <= rows[i].length; piece++) {
      if (!CHECK(check(rows[i].bytes, rows[i].length, piece, &failure) == DK_OK)) fprintf(stderr, "  %s, %zu: %s\n", rows[i].name, piece, failure.text);
    }
  }
}

static void cut_at_every_byte (void) {
  dk_failure failure;
  char text[100];
  for (size_t i = 0; i < ROWS; i++) {
    for (size_t length = DK_IMAGE_SIGNATURE; length < rows[i].length; length++) {
      for (size_t piece = 1; piece <= length; piece += 3) {
        snprintf(text, sizeof text, "the image ended early (%zu bytes, %s)", length, rows[i].lack);
        if (!CHECK(check(rows[i].bytes, length, piece, &failure) == DK_IMAGE_INCOMPLETE && strcmp(failure.text, text) == 0)) fprintf(stderr, "  %s, %zu\n", rows[i].name, length);
      }
    }
  }
}

static void with_more_behind_the_end (void) {
  dk_failure failure;
  for (size_t i = 0; i < ROWS; i++) {
    char bytes[300];
    for (size_t more = 1; more < 100; more += 7) {
      memcpy(bytes, rows[i].bytes, rows[i].length);
      memset(bytes + rows[i].length, (int)more, more);
      for (size_t piece = 1; piece < 50; piece++) CHECK(check(bytes, rows[i].length + more, piece, &failure) == DK_OK);
    }
  }
}

static void what_only_begins_as_one (void) {
  static const row cut[] = {
    ROW("the first bytes", "\x89PNG\r\n\x1A\n", "no IEND"), ROW("the first bytes", "\xFF\xD8\xFF", "no EOI marker"),
    ROW("zeros", PNG "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", "no IEND"),
    ROW("IEND as data", PNG "\0\0\x10\0IDAT" IEND, "no IEND"), ROW("the end within a segment", "\xFF\xD8\xFF\xE1\0\x20" "Exif\0\0\xFF\xD9\xFF\xD9", "no EOI marker"),
    ROW("a stuffed byte", "\xFF\xD8\xFF\xDA\0\2data\xFF\0\xD9 \xFF\xD0\xD9", "no EOI marker"), ROW("more than 4 GB", "RIFF\xFF\xFF\xFF\xFFWEBPVP8 ", "its header says more"),
    ROW("a head without a length", "RIFF\0\0\0\0WEBPVP8L\r\0\0\0/\0\0\0\x10\7", "its header says more"),
  };
  dk_failure failure;
  for (size_t i = 0; i < sizeof cut / sizeof *cut; i++) {
    for (size_t piece = 1; piece < 20; piece++) {
      if (!CHECK(check(cut[i].bytes, cut[i].length, piece, &failure) == DK_IMAGE_INCOMPLETE && strstr(failure.text, cut[i].lack) != NULL)) fprintf(stderr, "  %s\n", cut[i].name);
    }
  }
  CHECK(check("<html></html>", 13, 13, &failure) == DK_PROTOCOL && check("", 0, 1, &failure) == DK_PROTOCOL);
}

int main (void) {
  static const check_test tests[] = {
    {"whole_in_pieces_of_every_size", whole_in_pieces_of_every_size},
    {"cut_at_every_byte", cut_at_every_byte},
    {"with_more_behind_the_end", with_more_behind_the_end},
    {"what_only_begins_as_one", what_only_begins_as_one},
  };
  return CHECK_RUN(tests);
}
