/* step_line.h - a step of a job, as a line of a batch's journal has it. */
#ifndef DK_STEP_LINE_H
#define DK_STEP_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
  const char *bytes;             /* not owned; NULL: absent */
  size_t length;
} dk_span;

typedef struct {
  dk_span job, step;
  dk_span digest;                /* of the job */
  dk_span id;                    /* of its generation */
  dk_span reason;
  uint64_t since;                /* Unix time; 0: absent */
  uint64_t attempt;              /* 0: absent */
  bool paid;
} dk_step_record;

/* Reads a usual line, without its line feed: a JSON object without spaces, with the texts job and step first, and no other fields than the
 * texts digest, id, images, sum and the numbers since, bytes, time. The record points into the line. False: it is another line, such as one
 * with an escape in a text. */
bool dk_step_line_read (const char *line, size_t length, dk_step_record *record);

#endif
