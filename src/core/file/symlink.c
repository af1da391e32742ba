#define _GNU_SOURCE              /* readlink, lstat */
#include "file/symlink.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_LINKS = 40 };         /* links in a row; Linux follows as many */

/* replaces the last part of a path, a link, with the text of the link; false: errno */
static bool follow_once (char path[PATH_MAX]) {
  char text[PATH_MAX];
  ssize_t length = readlink(path, text, sizeof text);
  char *slash = strrchr(path, '/');
  if (length < 0) return false;
  size_t kept = length > 0 && text[0] == '/' ? 0 : slash ? (size_t)(slash + 1 - path) : 0;
  errno = ENAMETOOLONG;
  if (kept + (size_t)length >= PATH_MAX) return false;
  memcpy(path + kept, text, (size_t)length);
  path[kept + (size_t)length] = '\0';
  return true;
}

dk_status dk_symlink_resolve (const char *path, char target[PATH_MAX], dk_failure *failure) {
  struct stat info, descriptors;
  if (strlen(path) >= PATH_MAX) return dk_fail_errno(failure, path, ENAMETOOLONG);
  strcpy(target, path);
  bool has_descriptors = stat("/proc/self/fd", &descriptors) == 0;
  for (int links = 0; lstat(target, &info) == 0 && S_ISLNK(info.st_mode); links++) {
    if (has_descriptors && info.st_dev == descriptors.st_dev)
      return dk_fail(failure, DK_NOT_REGULAR, DK_PATH_FORMAT ": it is an open file of a process", path);
    if (info.st_uid != geteuid() && info.st_uid != 0)
      return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is a symbolic link of another user", path);
    if (links == MAX_LINKS) return dk_fail_errno(failure, path, ELOOP);
    if (!follow_once(target)) return dk_fail_errno(failure, path, errno);
  }
  return DK_OK;
}
