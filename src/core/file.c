#define _GNU_SOURCE              /* O_CLOEXEC, renameat2 */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { GATHER = 128 * 1024 };    /* bytes to a write: libcurl's pieces of 16 KiB, each written, cost 1.6 x (`make bench` R8) */

void dk_file_init (dk_file *file) {
  *file = (dk_file){.fd = -1};
  dk_image_init(&file->image);
}

/* the part file is not ours to remove: it was not made, or it has its name now */
static void forget_part (dk_file *file) {
  free(file->part);
  file->part = NULL;
}

void dk_file_drop (dk_file *file) {
  if (file->fd >= 0) close(file->fd);
  if (file->part != NULL) unlink(file->part);
  forget_part(file);
  free(file->path);
  free(file->gathered);
  file->path = file->gathered = NULL;
  file->fd = -1;
}

static dk_status failed (const dk_file *file, dk_failure *failure, int reason) {
  if (reason == EEXIST) return dk_fail(failure, DK_FILE_EXISTS, DK_PATH ": it exists already", file->path);
  return dk_fail(failure, DK_FILE, DK_PATH ": %s", file->path, strerror(reason));
}

static int open_part (dk_file *file, size_t room) {
  static atomic_uint number;
  int fd;
  do {
    snprintf(file->part, room, "%s.part-%ld-%u", file->path, (long)getpid(), atomic_fetch_add(&number, 1));
    fd = open(file->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (fd < 0 && errno == EEXIST);
  return fd;
}

dk_status dk_file_open (dk_file *file, const char *path, bool overwrite, size_t cap, dk_failure *failure) {
  struct rlimit limit;
  size_t room = strlen(path) + 40;
  file->overwrite = overwrite;
  file->cap = cap;
  file->limit = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
  file->path = strdup(path);
  file->part = malloc(room);
  if (file->path == NULL || file->part == NULL) {
    forget_part(file);
    return dk_fail(failure, DK_NO_MEMORY, "no memory");
  }
  int reason = !overwrite && access(path, F_OK) == 0 ? EEXIST : 0;
  if (reason == 0 && (file->fd = open_part(file, room)) < 0) reason = errno;
  if (reason == 0) return DK_OK;
  forget_part(file);
  return failed(file, failure, reason);
}

/* 0, or errno */
static int write_gathered (dk_file *file) {
  for (size_t written = 0; written < file->gathered_length;) {
    ssize_t n = write(file->fd, file->gathered + written, file->gathered_length - written);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    written += (size_t)n;
  }
  file->gathered_length = 0;
  return 0;
}

dk_status dk_file_add (dk_file *file, const char *bytes, size_t length, dk_failure *failure) {
  if (length > file->cap - file->image.length) return dk_fail(failure, DK_OVER_CAP, "the answer has more than %llu bytes", (unsigned long long)file->cap);
  if (length > file->limit - file->image.length) return failed(file, failure, EFBIG);            /* writing on would raise SIGXFSZ */
  if (file->gathered == NULL && (file->gathered = malloc(GATHER)) == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  dk_image_add(&file->image, bytes, length);
  while (length > 0) {
    size_t room = GATHER - file->gathered_length, n = length < room ? length : room;
    memcpy(file->gathered + file->gathered_length, bytes, n);
    bytes += n;
    length -= n;
    file->gathered_length += n;
    int reason = n == room ? write_gathered(file) : 0;
    if (reason != 0) return failed(file, failure, reason);
  }
  return DK_OK;
}

/* without overwrite only if nobody has taken the name meanwhile */
static int give_name (const dk_file *file) {
  if (file->overwrite) return rename(file->part, file->path);
#ifdef RENAME_NOREPLACE
  if (renameat2(AT_FDCWD, file->part, AT_FDCWD, file->path, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
  if (link(file->part, file->path) != 0) return -1;
  return unlink(file->part);
}

dk_status dk_file_finish (dk_file *file, dk_failure *failure) {
  dk_status status = dk_image_check(&file->image, failure);
  if (status != DK_OK) return status;
  int fd = file->fd, reason = write_gathered(file);
  if (reason == 0 && fsync(fd) != 0) reason = errno;
  if (reason != 0) return failed(file, failure, reason);
  file->fd = -1;
  if (close(fd) != 0 || give_name(file) != 0) return failed(file, failure, errno);
  forget_part(file);
  return DK_OK;
}
