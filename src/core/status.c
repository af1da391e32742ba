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

const char *dk_reason (int number) {
  switch (number) {
    case ENOSPC: return "the disk is full";
    case EDQUOT: return "the disk space that this user may take is used up";
    case EFBIG: return "it is larger than a file may be here (ulimit -f)";
    default: return strerror(number);
  }
}

dk_status dk_fail (dk_failure *failure, dk_status status, const char *format, ...) {
  va_list args;
  failure->status = status;
  va_start(args, format);
  vsnprintf(failure->text, sizeof failure->text, format, args);
  va_end(args);
  return status;
}
