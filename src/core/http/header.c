#include "http/header.h"

#include <string.h>

#include "base/ascii.h"

const char *dk_header_find (const char *block, size_t block_length, const char *name, size_t *length) {
  size_t name_length = strlen(name);
  const char *end = block + block_length;
  for (const char *line = block; line < end;) {
    const char *feed = (const char *)memchr(line, '\n', (size_t)(end - line));
    const char *stop = feed ? feed : end;
    if ((size_t)(stop - line) > name_length && line[name_length] == ':' && dk_ascii_equal(line, name, name_length)) {
      const char *value = line + name_length + 1;
      while (value < stop && (*value == ' ' || *value == '\t')) value++;
      while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t' || stop[-1] == '\r')) stop--;
      *length = (size_t)(stop - value);
      return value;
    }
    line = stop + 1;
  }
  return NULL;
}
