#define _GNU_SOURCE              /* O_CLOEXEC, explicit_bzero */
#include "file/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/symlink.h"
#include "file/part_file.h"

static dk_status failed (dk_failure *failure, const char *path, const char *reason) {
  return dk_fail(failure, DK_FILE, DK_PATH ": %s", path, reason);
}

/* why such a file is not taken; NULL: it is */
static const char *refusal (const struct stat *info) {
  if (S_ISDIR(info->st_mode)) return "it is a folder";
  if (!S_ISREG(info->st_mode)) return "it is no ordinary file";
  if (info->st_uid != geteuid()) return "it belongs to another user";
  if (info->st_mode & 077) return "others can read or write it: chmod 600 it, or delete it where its keys may be known to them";
  return NULL;
}

dk_status dk_private_target (const char *path, char target[PATH_MAX], dk_failure *failure) {
  struct stat info;
  dk_status status = dk_link_follow(path, target, failure);
  if (status != DK_OK || strcmp(path, target) == 0 || lstat(target, &info) == 0 || errno != ENOENT) return status;
  return failed(failure, path, "it is a symbolic link that leads to nothing: make that file, or remove the link");
}

static dk_status read_all (int fd, const char *path, dk_buffer *out, dk_failure *failure) {
  char piece[4096];
  dk_status status = DK_OK;
  ssize_t n;
  while (status == DK_OK && (n = read(fd, piece, sizeof piece)) != 0) {
    if (n > 0) status = dk_buffer_add(out, piece, (size_t)n);
    else if (errno != EINTR) status = failed(failure, path, strerror(errno));
  }
  explicit_bzero(piece, sizeof piece);
  if (status == DK_OVER_CAP) return dk_fail(failure, status, DK_PATH ": it is larger than such a file can be", path);
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_private_load (const char *path, dk_buffer *out, bool *exists, dk_failure *failure) {
  struct stat info;
  char target[PATH_MAX];
  *exists = false;
  dk_status status = dk_private_target(path, target, failure);
  if (status != DK_OK) return status;
  int fd = open(target, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);      /* a pipe under that name must not hold us up */
  if (fd < 0) return errno == ENOENT ? DK_OK : failed(failure, path, strerror(errno));
  const char *reason = fstat(fd, &info) != 0 ? strerror(errno) : refusal(&info);
  status = reason != NULL ? failed(failure, path, reason) : read_all(fd, path, out, failure);
  close(fd);
  *exists = status == DK_OK;
  return status;
}

/* where the file is to be written, unless what is there is not taken */
static dk_status find_target (const char *path, char target[PATH_MAX], dk_failure *failure) {
  struct stat info;
  dk_status status = dk_private_target(path, target, failure);
  const char *reason = status == DK_OK && lstat(target, &info) == 0 ? refusal(&info) : NULL;
  return reason != NULL ? failed(failure, path, reason) : status;
}

dk_status dk_private_check (const char *path, dk_failure *failure) {
  static const char room[4096];
  char target[PATH_MAX];
  dk_part part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int trouble = dk_part_open(&part, target, 0600);
  if (trouble == 0) trouble = dk_part_write(&part, room, sizeof room);
  dk_part_drop(&part);
  return trouble == 0 ? DK_OK : dk_fail_file(failure, path, trouble);
}

dk_status dk_private_save (const char *path, const char *bytes, size_t length, dk_failure *failure) {
  char target[PATH_MAX];
  dk_part part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int trouble = dk_part_open(&part, target, 0600);
  if (trouble == 0 && fchmod(part.fd, 0600) != 0) trouble = errno;            /* an umask may have taken even our own rights */
  if (trouble == 0) trouble = dk_part_write(&part, bytes, length);
  if (trouble == 0) trouble = dk_part_finish(&part, true);
  if (trouble == 0) dk_part_sync_folder(&part);
  dk_part_drop(&part);
  return trouble == 0 ? DK_OK : dk_fail_file(failure, path, trouble);
}
