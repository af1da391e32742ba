#include "file/part_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "file/part_file_internal.h"

#define PREFIX "devkit4ai-unfinished-"

enum {
  MAX_NUMBERS = 10000,           /* part files in one folder at the same time */
  CLEANED_NUMBERS = 128          /* numbers that are always searched for abandoned files; higher ones only in a row */
};

bool dk_part_file_is_part (const char *name) { return strncmp(name, PREFIX, sizeof PREFIX - 1) == 0; }

static void set_number (dk_part_file *part, unsigned number) {
  snprintf(part->part_name, sizeof part->part_name, PREFIX "%u", number);
}

/* Of files that are written at the same time, the one with the number 0 searches, and the others only in a row: a hundred names cost more
 * than the file. */
static void remove_all_abandoned (dk_part_file *part, unsigned own) {
  bool exists = true;
  unsigned searched = own == 0 ? CLEANED_NUMBERS : 0;
  for (unsigned number = own + 1; number < searched || (exists && number < MAX_NUMBERS); number++) {
    set_number(part, number);
    exists = dk_part_file_remove_abandoned(part);
  }
  set_number(part, own);
}

/* 0, or errno */
static int make_part (dk_part_file *part, unsigned mode) {
  for (unsigned number = 0; number < MAX_NUMBERS; number++) {
    set_number(part, number);
    dk_part_file_remove_abandoned(part);
    int reason = dk_part_file_create(part, mode);
    if (reason == 0) remove_all_abandoned(part, number);
    if (reason != EEXIST) return reason;
  }
  return EAGAIN;
}

int dk_part_file_open (dk_part_file *part, const char *path, unsigned mode) {
  memset(part, 0, sizeof *part);
  part->folder = part->fd = -1;
  int reason = dk_part_file_open_target(part, path);
  if (reason != 0) return reason;
  reason = make_part(part, mode);
  if (reason != 0) part->part_name[0] = '\0';
  return reason;
}
