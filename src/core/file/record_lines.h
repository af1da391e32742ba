/* record_lines.h - the lines of a file of records. Each ends with its sum, over its text and the sum of the line before, so that a line
 * that was changed, removed or moved is noticed. */
#ifndef DK_RECORD_LINES_H
#define DK_RECORD_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { DK_LINE_SUM = 16 };       /* hexadecimal digits: of the first word of a dk_digest */

/* Checks the lines in text from start on. A line is TEXT,"sum":"SUM"} and a line feed. Its SUM is of the bytes from the first digit of the
 * SUM of the line before to the last byte of TEXT; start is 0 for the first line of a file, which has no line before. Returns the offset
 * behind the last right line. *is_wrong: a whole line follows that is not right. */
size_t dk_record_lines_check (const char *text, size_t length, size_t start, bool *is_wrong);

#endif
