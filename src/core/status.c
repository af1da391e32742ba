#include "status.h"

#include <stdarg.h>
#include <stdio.h>

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
