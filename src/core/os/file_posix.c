#ifndef _WIN32
#define _GNU_SOURCE              /* O_CLOEXEC, flock, strdup, AT_EACCESS */
#include "os/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- what is there ---- */

static dk_file_kind kind_of (mode_t mode) {
  if (S_ISREG(mode)) return DK_KIND_REGULAR;
  if (S_ISDIR(mode)) return DK_KIND_FOLDER;
  if (S_ISLNK(mode)) return DK_KIND_LINK;
  if (S_ISFIFO(mode)) return DK_KIND_PIPE;
  if (S_ISSOCK(mode)) return DK_KIND_SOCKET;
  return DK_KIND_DEVICE;
}

static void describe (const struct stat *found, dk_file_info *info) {
  *info = (dk_file_info){
    .kind = kind_of(found->st_mode),
    .size = (uint64_t)found->st_size,
    .device = (uint64_t)found->st_dev,
    .mode = found->st_mode & 07777,
    .is_own = found->st_uid == geteuid(),
    .is_roots = found->st_uid == 0,
    .is_open_to_others = (found->st_mode & 077) != 0};
}

int dk_file_look (const char *path, dk_file_info *info) {
  struct stat found;
  if (lstat(path, &found) != 0) return errno;
  describe(&found, info);
  return 0;
}

int dk_file_look_behind (const char *path, dk_file_info *info) {
  struct stat found;
  if (stat(path, &found) != 0) return errno;
  describe(&found, info);
  return 0;
}

ptrdiff_t dk_file_read_link (const char *path, char *text, size_t size) { return readlink(path, text, size); }

int dk_file_check_writable (const char *path) { return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) == 0 ? 0 : errno; }

size_t dk_file_folder_length (const char *path) {
  const char *slash = strrchr(path, '/');
  return slash != NULL ? (size_t)(slash + 1 - path) : 0;
}

char *dk_file_absolute (const char *path) {
  char folder[DK_MAX_PATH];
  if (path[0] == '/' || getcwd(folder, sizeof folder) == NULL) return strdup(path);
  size_t room = strlen(folder) + 1 + strlen(path) + 1;
  char *copy = (char *)malloc(room);
  if (copy != NULL) snprintf(copy, room, "%s/%s", folder, path);
  return copy;
}

int dk_file_make_folder (const char *path, bool is_private) { return mkdir(path, is_private ? 0700 : 0777) == 0 ? 0 : errno; }

/* ---- reads ---- */

int dk_file_open (const char *path, bool follows, dk_file_info *info) {
  struct stat found;
  int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | (follows ? 0 : O_NOFOLLOW));
  if (fd >= 0 && fstat(fd, &found) == 0) {
    describe(&found, info);
    return fd;
  }
  int reason = errno;
  if (fd >= 0) close(fd);
  errno = reason;
  return -1;
}

ptrdiff_t dk_file_read (int fd, void *bytes, size_t length) { return read(fd, bytes, length); }

ptrdiff_t dk_file_read_at (int fd, void *bytes, size_t length, uint64_t offset) { return pread(fd, bytes, length, (off_t)offset); }

/* readdir tells an error from the end of the folder by errno alone */
static int add_names (DIR *folder, bool (*add) (void *arg, const char *name), void *arg) {
  for (;;) {
    errno = 0;
    struct dirent *entry = readdir(folder);
    if (entry == NULL) return errno;
    bool is_own = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
    if (!is_own && !add(arg, entry->d_name)) return ENOMEM;
  }
}

int dk_folder_list (const char *path, bool (*add) (void *arg, const char *name), void *arg) {
  DIR *folder = opendir(path);
  if (folder == NULL) return errno;
  int reason = add_names(folder, add, arg);
  closedir(folder);
  return reason;
}

/* ---- appends ---- */

int dk_file_open_to_append (const char *path, dk_file_info *info) {
  struct stat found;
  int fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
  if (fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode)) {
    describe(&found, info);
    return fd;
  }
  int reason = fd < 0 ? errno : EINVAL;
  if (fd >= 0) close(fd);
  errno = reason;
  return -1;
}

int dk_file_write_at (int fd, const void *bytes, size_t length, uint64_t offset) {
  const char *at = (const char *)bytes;
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && offset + length > limit.rlim_cur) return EFBIG;
  while (length > 0) {
    ssize_t n = pwrite(fd, at, length, (off_t)offset);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    at += n;
    offset += (uint64_t)n;
    length -= (size_t)n;
  }
  return 0;
}

bool dk_file_is_removed (int fd) {
  struct stat found;
  return fstat(fd, &found) == 0 && found.st_nlink == 0;
}

#ifdef __APPLE__
int dk_file_sync (int fd) { return fcntl(fd, F_FULLFSYNC) != -1 || fsync(fd) == 0 ? 0 : errno; }
#else
int dk_file_sync (int fd) { return fdatasync(fd) == 0 ? 0 : errno; }
#endif

int dk_file_cut (int fd, uint64_t length) { return ftruncate(fd, (off_t)length) == 0 ? 0 : errno; }

int dk_folder_sync (const char *path) {
  int fd = open(path[0] != '\0' ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errno;
  int reason = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;       /* EINVAL: the file system can't sync a folder */
  close(fd);
  return reason;
}

int dk_file_make_private (int fd) { return fchmod(fd, 0600) == 0 ? 0 : errno; }

void dk_file_close (int fd) { close(fd); }

/* ---- locks ---- */

/* Another program may have removed or replaced the file; then our descriptor locks nothing. */
static bool has_path (int fd, const char *path) {
  struct stat opened, named;
  return fstat(fd, &opened) == 0 && lstat(path, &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

int dk_file_open_locked (const char *path) {
  int fd;
  do {
    fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
      int reason = errno;
      close(fd);
      errno = reason;
      return -1;
    }
    if (has_path(fd, path)) return fd;
    close(fd);
  } while (true);
}

void dk_file_unlock (int fd, const char *path) {
  if (has_path(fd, path)) unlink(path);
  flock(fd, LOCK_UN);            /* not by close alone: a child of _Fork has a copy of the descriptor */
}
#endif
