#define _GNU_SOURCE              /* O_PATH, renameat2 */
#include "part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

enum { SHOWN = 40 };             /* bytes of the name that the part's name begins with, so that it fits where the name does */

/* 0, or errno */
static int open_folder (dk_part *part, const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
  if (*name == '\0') return slash ? EISDIR : ENOENT;
  if (length >= sizeof folder || strlen(name) >= sizeof part->name) return ENAMETOOLONG;
  memcpy(folder, path, length);
  folder[length] = '\0';
  strcpy(part->name, name);
  part->folder = open(length > 0 ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return part->folder < 0 ? errno : 0;
}

/* whole characters of UTF-8, for file systems that take no others */
static int shown_length (const char *name) {
  size_t length = strlen(name);
  if (length <= SHOWN) return (int)length;
  for (length = SHOWN; length > 0 && ((unsigned char)name[length] & 0xC0) == 0x80;) length--;
  return (int)length;
}

int dk_part_open (dk_part *part, const char *path, mode_t mode) {
  static atomic_uint number;
  struct rlimit limit;
  *part = (dk_part){.folder = -1, .fd = -1};
  part->limit = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
  int reason = open_folder(part, path);
  if (reason != 0) return reason;
  do {
    snprintf(part->part, sizeof part->part, "%.*s.part-%ld-%u", shown_length(part->name), part->name, (long)getpid(), atomic_fetch_add(&number, 1));
    part->fd = openat(part->folder, part->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  } while (part->fd < 0 && errno == EEXIST);
  if (part->fd >= 0) return 0;
  part->part[0] = '\0';
  return errno;
}

int dk_part_write (dk_part *part, const void *bytes, size_t length) {
  const char *at = bytes;
  if (length > part->limit - part->length) return EFBIG;
  part->length += length;
  while (length > 0) {
    ssize_t n = write(part->fd, at, length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno;
    at += n;
    length -= (size_t)n;
  }
  return 0;
}

/* For a file system that has no other way: the name is taken by an empty file, which is then replaced. A program that looks
 * in between finds the empty file. */
static int replace_placeholder (const dk_part *part) {
  int fd = openat(part->folder, part->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  close(fd);
  if (renameat(part->folder, part->part, part->folder, part->name) == 0) return 0;
  int reason = errno;
  unlinkat(part->folder, part->name, 0);
  errno = reason;
  return -1;
}

/* without overwrite only if nobody has taken the name meanwhile */
static int give_name (const dk_part *part, bool overwrite) {
  if (overwrite) return renameat(part->folder, part->part, part->folder, part->name);
#ifdef RENAME_NOREPLACE
  if (renameat2(part->folder, part->part, part->folder, part->name, RENAME_NOREPLACE) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return -1;
#endif
  if (linkat(part->folder, part->part, part->folder, part->name, 0) == 0) return unlinkat(part->folder, part->part, 0);
  return errno == EEXIST ? -1 : replace_placeholder(part);
}

int dk_part_finish (dk_part *part, bool overwrite) {
  if (fsync(part->fd) != 0) return errno;
  int fd = part->fd;
  part->fd = -1;
  if (close(fd) != 0 || give_name(part, overwrite) != 0) return errno;
  part->part[0] = '\0';
  return 0;
}

void dk_part_sync_folder (const dk_part *part) {
  int fd = openat(part->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

void dk_part_drop (dk_part *part) {
  if (part->fd >= 0) close(part->fd);
  if (part->part[0] != '\0') unlinkat(part->folder, part->part, 0);
  if (part->folder >= 0) close(part->folder);
  part->fd = part->folder = -1;
  part->part[0] = '\0';
}
