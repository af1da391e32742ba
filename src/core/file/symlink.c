#include "file/symlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { MAX_LINKS = 40 };         /* links in a row; Linux follows as many */

/* replaces the last part of a path, a link, with the text of the link; false: errno */
static bool follow_once (char path[DK_MAX_PATH]) {
  char text[DK_MAX_PATH];
  ptrdiff_t length = dk_file_read_link(path, text, sizeof text);
  if (length < 0) return false;
  size_t kept = length > 0 && text[0] == '/' ? 0 : dk_file_folder_length(path);
  errno = ENAMETOOLONG;
  if (kept + (size_t)length >= DK_MAX_PATH) return false;
  memcpy(path + kept, text, (size_t)length);
  path[kept + (size_t)length] = '\0';
  return true;
}

dk_status dk_symlink_resolve (const char *path, char target[DK_MAX_PATH], dk_failure *failure) {
  dk_file_info info, descriptors;
  if (strlen(path) >= DK_MAX_PATH) return dk_fail_errno(failure, path, ENAMETOOLONG);
  strcpy(target, path);
  if (!DK_HAS_LINKS) return DK_OK;
  bool has_descriptors = dk_file_look_behind("/proc/self/fd", &descriptors) == 0;
  for (int links = 0; dk_file_look(target, &info) == 0 && info.kind == DK_KIND_LINK; links++) {
    if (has_descriptors && info.device == descriptors.device)
      return dk_fail(failure, DK_NOT_REGULAR, DK_PATH_FORMAT ": it is an open file of a process", path);
    if (!info.is_own && !info.is_roots)
      return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is a symbolic link of another user", path);
    if (links == MAX_LINKS) return dk_fail_errno(failure, path, ELOOP);
    if (!follow_once(target)) return dk_fail_errno(failure, path, errno);
  }
  return DK_OK;
}
