#include "image/image_kind.h"

#include <string.h>

typedef struct {
  const char *type;
  struct { size_t at; const char *bytes; size_t length; } marks[2];    /* both must be there; length 0 always is */
} kind_row;

static const kind_row kinds[] = {
  {"image/jpeg", {{0, "\xFF\xD8\xFF", 3}}},
  {"image/png", {{0, "\x89PNG\r\n\x1A\n", 8}}},
  {"image/webp", {{0, "RIFF", 4}, {8, "WEBP", 4}}},
};

const char *dk_image_content_type (const void *bytes, size_t length) {
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    size_t found = 0;
    for (size_t m = 0; m < 2; m++) {
      size_t at = kinds[i].marks[m].at, n = kinds[i].marks[m].length;
      found += at + n <= length && memcmp((const char *)bytes + at, kinds[i].marks[m].bytes ? kinds[i].marks[m].bytes : "", n) == 0;
    }
    if (found == 2) return kinds[i].type;
  }
  return NULL;
}

const char *dk_image_kind (const void *bytes, size_t length) {
  const char *type = dk_image_content_type(bytes, length);
  return type ? type + sizeof "image/" - 1 : NULL;
}
