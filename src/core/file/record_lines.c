#include "file/record_lines.h"

#include <string.h>

#include "base/digest.h"

static const char before_sum[] = ",\"sum\":\"", after_sum[] = "\"}\n";
enum { BEFORE = sizeof before_sum - 1, AFTER = sizeof after_sum - 1, TAIL = BEFORE + DK_LINE_SUM + AFTER };

/* the line from start to the offset behind its line feed */
static bool is_right (const char *text, size_t start, size_t end) {
  char sum[DK_LINE_SUM];
  size_t before = start > 0 ? DK_LINE_SUM + AFTER : 0;
  if (end - start < TAIL || start < before) return false;
  const char *tail = text + end - TAIL;
  if (memcmp(tail, before_sum, BEFORE) != 0 || memcmp(text + end - AFTER, after_sum, AFTER) != 0) return false;
  dk_digest_format_word(dk_digest_first_word(text + start - before, end - TAIL - start + before), sum);
  return memcmp(tail + BEFORE, sum, DK_LINE_SUM) == 0;
}

size_t dk_record_lines_check (const char *text, size_t length, size_t start, bool *is_wrong) {
  const char *feed;
  *is_wrong = false;
  while (start < length && (feed = (const char *)memchr(text + start, '\n', length - start)) != NULL) {
    size_t end = (size_t)(feed + 1 - text);
    *is_wrong = !is_right(text, start, end);
    if (*is_wrong) break;
    start = end;
  }
  return start;
}
