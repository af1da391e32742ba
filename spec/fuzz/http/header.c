/* header.c - a header's value points into the block, into the first line of that name, without the blanks around it.
 * Input: the name, a NUL, the block. */
#define _DEFAULT_SOURCE          /* strncasecmp */
#include <stdbool.h>
#include <strings.h>

#include "http/header.h"
#include "support/fuzz.h"

typedef struct { const char *name; size_t length; } header;

static bool begins (header h, const char *line, const char *end) {
  return (size_t)(end - line) > h.length && strncasecmp(line, h.name, h.length) == 0 && line[h.length] == ':';
}

/* the first line that begins with the name and a colon; NULL: none does */
static const char *first_line (header h, const char *head, const char *end) {
  for (const char *at = head; at < end; at++) {
    if ((at == head || at[-1] == '\n') && begins(h, at, end)) return at;
  }
  return NULL;
}

static bool is_space (char c) { return c == ' ' || c == '\t' || c == '\r'; }

static bool is_blank (const char *from, const char *to) {
  while (from < to && is_space(*from)) from++;
  return from == to;
}

static void check (header h, const char *head, size_t head_length) {
  size_t length = 0;
  const char *end = head + head_length, *line = first_line(h, head, end);
  const char *value = dk_header_find(head, head_length, h.name, &length);
  HOLDS((value != NULL) == (line != NULL));
  if (value == NULL) return;
  const char *stop = memchr(line, '\n', (size_t)(end - line));
  if (stop == NULL) stop = end;
  HOLDS(line + h.length < value && value <= stop && length <= (size_t)(stop - value));
  HOLDS(is_blank(line + h.length + 1, value) && is_blank(value + length, stop));
  HOLDS(length == 0 || (value[0] != ' ' && value[0] != '\t' && !is_space(value[length - 1])));
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  char *name = fuzz_text(&input);
  size_t length = input.left;
  name[strcspn(name, "\n")] = '\0';                  /* no name continues in the next line */
  char *head = fuzz_bytes(&input, length);
  check((header){name, strlen(name)}, head, length);
  free(head);
  free(name);
  return 0;
}
