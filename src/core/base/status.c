#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "os/file.h"

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

static const struct { int number; dk_status status; const char *what, *advice; } reasons[] = {
  {ENOSPC, DK_DISK, "the disk is full", "free some space, or give a path on another disk"},
  {EDQUOT, DK_DISK, "the disk quota is used up", "delete some files, or give a path on another disk"},
  {EFBIG, DK_DISK, "the process may not write so large a file", "raise its limit (ulimit -f)"},
  {EROFS, DK_DISK, "the file system is read-only", "give a path on another one"},
  {EBUSY, DK_NOT_REGULAR, "it can't be replaced", "something is mounted there"},
  {EPERM, DK_NOT_REGULAR, "it can't be replaced", "its folder is sticky, or it has an attribute of chattr"},
  {EINVAL, DK_NOT_REGULAR, "a file can't have this name", "the file system does not allow it, or it is reserved for unfinished files"},
};
enum { REASONS = sizeof reasons / sizeof *reasons };

const char *dk_errno_text (int number) {
  for (size_t i = 0; i < REASONS; i++)
    if (reasons[i].number == number && reasons[i].status == DK_DISK) return reasons[i].what;
  return strerror(number);
}

dk_status dk_fail_errno (dk_failure *failure, const char *path, int reason) {
  for (size_t i = 0; i < REASONS; i++) {
    if (reasons[i].number != reason) continue;
    return dk_fail(failure, reasons[i].status, "%.300s: %s (%s): %s", path, reasons[i].what, strerror(reason), reasons[i].advice);
  }
  return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", path, strerror(reason));
}
