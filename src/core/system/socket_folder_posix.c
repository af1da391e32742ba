#ifndef _WIN32
#define _GNU_SOURCE              /* mkdtemp, realpath, O_DIRECTORY */
#include "system/socket_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PREFIX "devkit4ai-"      /* the folder is devkit4ai-PID-XXXXXX */
#define SOCKET "s"               /* short, because the whole path is limited */

/* ---- folders that killed processes left ---- */

/* the folder's name has the id of a process that is gone */
static bool names_dead_process (const char *name) {
  char *end;
  if (strncmp(name, PREFIX, sizeof PREFIX - 1) != 0) return false;
  long id = strtol(name + sizeof PREFIX - 1, &end, 10);
  return id > 0 && id <= INT_MAX && *end == '-' && kill((pid_t)id, 0) != 0 && errno == ESRCH;
}

/* by descriptors, and never through a symbolic link: others may write into the parent folder */
static void remove_left_folder (int parent, const char *name) {
  struct stat info;
  int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return;
  if (fstat(fd, &info) == 0 && info.st_uid == geteuid()) {
    unlinkat(fd, SOCKET, 0);
    unlinkat(parent, name, AT_REMOVEDIR);
  }
  close(fd);
}

static void remove_left_folders (const char *parent) {
  char path[DK_SOCKET_PATH];
  DIR *dir = opendir(parent);
  if (dir == NULL) return;
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (!names_dead_process(entry->d_name)) continue;
    int length = snprintf(path, sizeof path, "%s/%s/" SOCKET, parent, entry->d_name);
    if (length < (int)sizeof path && !dk_has_listener(path))   /* the id may be another process's, in another container */
      remove_left_folder(dirfd(dir), entry->d_name);
  }
  closedir(dir);
}

/* ---- this process's folder ---- */

dk_status dk_socket_folder_make (const char *parent, char path[DK_SOCKET_PATH], dk_failure *failure) {
  static const char socket_name[] = "/" SOCKET;
  char real[PATH_MAX];                                /* absolute, because the process may change its working directory */
  if (realpath(parent, real) == NULL) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", parent, dk_errno_text(errno));
  int length = snprintf(path, DK_SOCKET_PATH, "%s/" PREFIX "%ld-XXXXXX", real, (long)getpid());
  int excess = length + (int)sizeof socket_name - DK_SOCKET_PATH;
  if (excess > 0) {
    return dk_fail(failure, DK_FILE, "%.300s: the path is too long for a unix socket by %d bytes: give a folder with a shorter path",
                   real, excess);
  }
  remove_left_folders(real);
  if (mkdtemp(path) == NULL) return dk_fail(failure, DK_FILE, "%.300s: a folder can't be made in it: %s", parent, dk_errno_text(errno));
  chmod(path, 0700);                                  /* an umask may have removed even the owner's permissions */
  memcpy(path + length, socket_name, sizeof socket_name);
  return DK_OK;
}

void dk_socket_folder_remove (const char *path) {
  char folder[DK_SOCKET_PATH];
  size_t length = strlen(path) - strlen("/" SOCKET);
  memcpy(folder, path, length);
  folder[length] = 0;
  unlink(path);
  rmdir(folder);
}
#endif
