#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *dk_status_name (dk_status status) {
  static const char *const names[] = {
#define DK_STATUS_TEXT(name, text) text,
    DK_STATUS_ROWS(DK_STATUS_TEXT)
#undef DK_STATUS_TEXT
  };
  return names[status];
}

dk_status dk_fail (dk_failure *failure, dk_status status, const char *format, ...) {
  va_list args;
  failure->status = status;
  va_start(args, format);
  vsnprintf(failure->text, sizeof failure->text, format, args);
  va_end(args);
  return status;
}

static const struct { int number; const char *what, *advice; } disk[] = {
  {ENOSPC, "the disk is full", "free some space, or give a path on another disk"},
  {EDQUOT, "the disk quota is used up", "delete some files, or give a path on another disk"},
  {EFBIG, "the process may not write so large a file", "raise its limit (ulimit -f)"},
  {EROFS, "the file system is read-only", "give a path on another one"},
};
enum { DISK = sizeof disk / sizeof *disk };

const char *dk_reason (int number) {
  for (size_t i = 0; i < DISK; i++)
    if (disk[i].number == number) return disk[i].what;
  return strerror(number);
}

dk_status dk_fail_file (dk_failure *failure, const char *path, int reason) {
  for (size_t i = 0; i < DISK; i++) {
    if (disk[i].number != reason) continue;
    return dk_fail(failure, DK_DISK, "%.300s: %s (%s): %s", path, disk[i].what, strerror(reason), disk[i].advice);
  }
  return dk_fail(failure, DK_FILE, DK_PATH ": %s", path, strerror(reason));
}
