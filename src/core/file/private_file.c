#define _GNU_SOURCE              /* O_CLOEXEC, explicit_bzero */
#include "file/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/part_file.h"
#include "file/symlink.h"

static dk_status fail (dk_failure *failure, const char *path, const char *reason) {
  return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", path, reason);
}

/* why the file is not used; NULL: it is used */
static const char *refusal (const struct stat *info) {
  if (S_ISDIR(info->st_mode)) return "it is a folder";
  if (!S_ISREG(info->st_mode)) return "it is not a regular file";
  if (info->st_uid != geteuid()) return "it belongs to another user";
  if (info->st_mode & 077) return "others can read or write it: chmod 600 it, or delete it if they may know its keys";
  return NULL;
}

dk_status dk_private_file_resolve (const char *path, char target[PATH_MAX], dk_failure *failure) {
  struct stat info;
  dk_status status = dk_symlink_resolve(path, target, failure);
  if (status != DK_OK || strcmp(path, target) == 0 || lstat(target, &info) == 0 || errno != ENOENT) return status;
  return fail(failure, path, "it is a symbolic link that leads to nothing: make that file, or remove the link");
}

static dk_status read_all (int fd, const char *path, dk_buffer *out, dk_failure *failure) {
  char piece[4096];
  dk_status status = DK_OK;
  ssize_t n;
  while (status == DK_OK && (n = read(fd, piece, sizeof piece)) != 0) {
    if (n > 0) status = dk_buffer_add(out, piece, (size_t)n);
    else if (errno != EINTR) status = fail(failure, path, strerror(errno));
  }
  explicit_bzero(piece, sizeof piece);
  if (status == DK_OVER_LIMIT) return dk_fail(failure, status, DK_PATH_FORMAT ": it is larger than such a file can be", path);
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_private_file_read (const char *path, dk_buffer *out, bool *exists, dk_failure *failure) {
  struct stat info;
  char target[PATH_MAX];
  *exists = false;
  dk_status status = dk_private_file_resolve(path, target, failure);
  if (status != DK_OK) return status;
  int fd = open(target, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);      /* O_NONBLOCK: open waits for the other end of a pipe */
  if (fd < 0) return errno == ENOENT ? DK_OK : fail(failure, path, strerror(errno));
  const char *reason = fstat(fd, &info) != 0 ? strerror(errno) : refusal(&info);
  status = reason != NULL ? fail(failure, path, reason) : read_all(fd, path, out, failure);
  close(fd);
  *exists = status == DK_OK;
  return status;
}

/* like dk_private_file_resolve; refuses a file that is not used */
static dk_status find_target (const char *path, char target[PATH_MAX], dk_failure *failure) {
  struct stat info;
  dk_status status = dk_private_file_resolve(path, target, failure);
  const char *reason = status == DK_OK && lstat(target, &info) == 0 ? refusal(&info) : NULL;
  return reason != NULL ? fail(failure, path, reason) : status;
}

dk_status dk_private_file_check (const char *path, dk_failure *failure) {
  static const char zeros[4096] = {0};
  char target[PATH_MAX];
  dk_part_file part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int reason = dk_part_file_open(&part, target, 0600);
  if (reason == 0) reason = dk_part_file_write(&part, zeros, sizeof zeros);
  dk_part_file_discard(&part);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}

dk_status dk_private_file_write (const char *path, const char *bytes, size_t length, dk_failure *failure) {
  char target[PATH_MAX];
  dk_part_file part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int reason = dk_part_file_open(&part, target, 0600);
  if (reason == 0 && fchmod(part.fd, 0600) != 0) reason = errno;            /* an umask may have removed even the owner's permissions */
  if (reason == 0) reason = dk_part_file_write(&part, bytes, length);
  if (reason == 0) reason = dk_part_file_commit(&part, true);
  if (reason == 0) dk_part_file_sync_folder(&part);
  dk_part_file_discard(&part);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}
