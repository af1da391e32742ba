#define _GNU_SOURCE              /* O_PATH, flock, renameat2 */
#include "file/part_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/xattr.h>
#endif
#include <unistd.h>

#ifndef O_PATH
#define O_PATH O_RDONLY
#endif

#define PREFIX "devkit4ai-unfinished-"

enum {
  NUMBERS = 10000,               /* part files in one folder at the same time */
  LOOKED_AT = 128,               /* numbers at which a left file is looked for, and on from there while there are more */
  ACL_ROOM = 1024                /* bytes: 4, and 8 for each entry */
};

/* 0, or why the file that has the name can't be replaced though it may be written: rename(2) says it, too, but when all is paid for */
static int why_it_stays (const dk_part *part) {
  struct stat file, folder;
  if (fstatat(part->folder, part->name, &file, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENAMETOOLONG ? errno : 0;
  uid_t user = geteuid();
  bool is_sticky = fstat(part->folder, &folder) == 0 && (folder.st_mode & S_ISVTX) != 0;
  if (is_sticky && user != 0 && user != file.st_uid && user != folder.st_uid) return EPERM;
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx more;
  if (statx(part->folder, part->name, AT_SYMLINK_NOFOLLOW, 0, &more) != 0) return 0;
  if (more.stx_attributes & STATX_ATTR_MOUNT_ROOT) return EBUSY;
  if (more.stx_attributes & (STATX_ATTR_APPEND | STATX_ATTR_IMMUTABLE)) return EPERM;
#endif
  return 0;
}

/* A folder to which names can only be added (chattr +a) would keep each part. */
static bool only_adds (const dk_part *part) {
#ifdef STATX_ATTR_APPEND
  struct statx info;
  return statx(part->folder, "", AT_EMPTY_PATH, 0, &info) == 0 && (info.stx_attributes & STATX_ATTR_APPEND) != 0;
#else
  (void)part;
  return false;
#endif
}

/* 0, or errno */
static int open_folder (dk_part *part, const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
  if (*name == '\0') return slash ? EISDIR : ENOENT;
  if (strncmp(name, PREFIX, sizeof PREFIX - 1) == 0) return EINVAL;            /* the next part file would remove it */
  if (length >= sizeof folder || strlen(name) >= sizeof part->name) return ENAMETOOLONG;
  memcpy(folder, path, length);
  folder[length] = '\0';
  strcpy(part->name, name);
  part->folder = open(length > 0 ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (part->folder < 0) return errno;
  return only_adds(part) ? EPERM : why_it_stays(part);        /* now, and not when the whole file is there */
}

static bool same_file (const struct stat *a, const struct stat *b) { return a->st_ino == b->st_ino && a->st_dev == b->st_dev; }

/* whether the part's name still leads to the part; errno */
static bool stands (const dk_part *part, int fd) {
  struct stat held, named;
  if (fstat(fd, &held) != 0 || fstatat(part->folder, part->part, &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  errno = ENOENT;
  return S_ISREG(held.st_mode) && same_file(&held, &named);
}

/* ---- names ---- */

static void set_number (dk_part *part, unsigned number) {
  snprintf(part->part, sizeof part->part, PREFIX "%u", number);
}

/* Removes the file with the part's name if no process holds its lock. false: there is no file of that name. */
static bool remove_left (const dk_part *part) {
  int fd = openat(part->folder, part->part, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno != ENOENT;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && stands(part, fd)) unlinkat(part->folder, part->part, 0);
  close(fd);
  return true;
}

/* Takes the lock of a new file. false: another process has taken it for a left one. A file system may have no locks. */
static bool lock_new (int fd) {
  struct stat info;
  return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(fd, &info) == 0 && info.st_nlink > 0;
}

/* the number that it got, or -1 and errno */
static int make_part (dk_part *part, mode_t mode) {
  for (unsigned number = 0; number < NUMBERS; number++) {
    set_number(part, number);
    remove_left(part);
    part->fd = openat(part->folder, part->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (part->fd < 0 && errno != EEXIST) return -1;
    if (part->fd >= 0 && lock_new(part->fd)) return (int)number;
    if (part->fd >= 0) close(part->fd);
    part->fd = -1;
  }
  errno = EAGAIN;
  return -1;
}

static void remove_others_left (dk_part *part, unsigned own) {
  bool is_there = true;
  for (unsigned number = own + 1; number < LOOKED_AT || (is_there && number < NUMBERS); number++) {
    set_number(part, number);
    is_there = remove_left(part);
  }
  set_number(part, own);
}

int dk_part_open (dk_part *part, const char *path, mode_t mode) {
  struct rlimit limit;
  *part = (dk_part){.folder = -1, .fd = -1};
  part->limit = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
  int reason = open_folder(part, path);
  if (reason != 0) return reason;
  int number = make_part(part, mode);
  if (number >= 0) {
    remove_others_left(part, (unsigned)number);
    return 0;
  }
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

/* ---- the permissions of the file that is replaced ---- */

/* An ACL comes along, or with none there is none. false: it can't be kept. */
static bool keep_acl (const dk_part *part) {
#ifdef __linux__
  static const char acl_name[] = "system.posix_acl_access";
  char acl[ACL_ROOM];
  int old = openat(part->folder, part->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (old < 0) return false;
  ssize_t length = fgetxattr(old, acl_name, acl, sizeof acl);
  bool none = length < 0 && errno != ERANGE;
  close(old);
  if (none) return fremovexattr(part->fd, acl_name) == 0 || errno == ENODATA || errno == EOPNOTSUPP;
  return length >= 0 && fsetxattr(part->fd, acl_name, acl, (size_t)length, 0) == 0;
#else
  (void)part;
  return true;
#endif
}

static bool keep_owner (const dk_part *part, const struct stat *old, const struct stat *now) {
  if (old->st_uid == now->st_uid && old->st_gid == now->st_gid) return true;
  return fchown(part->fd, old->st_uid, old->st_gid) == 0 || old->st_gid == now->st_gid || fchown(part->fd, (uid_t)-1, old->st_gid) == 0;
}

int dk_part_keep_mode (dk_part *part) {
  struct stat old, now;
  if (fstatat(part->folder, part->name, &old, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISREG(old.st_mode)) return EEXIST;
  if (fstat(part->fd, &now) != 0) return errno;
  mode_t mode = old.st_mode & 0777;
  bool kept = keep_owner(part, &old, &now);
  if (!keep_acl(part) || !kept) mode &= ~(mode_t)070 | (mode & 07) << 3;     /* another group gets no more than everybody */
  if (fchmod(part->fd, mode) == 0 || (now.st_mode & 0777 & ~mode) == 0) return 0;
  return errno;
}

/* ---- the name at the end ---- */

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
  if (errno == EEXIST) return -1;
#endif
  if (linkat(part->folder, part->part, part->folder, part->name, 0) != 0) return errno == EEXIST ? -1 : replace_placeholder(part);
  (void)unlinkat(part->folder, part->part, 0);
  return 0;
}

/* The lock is held until it has its name: else another process could take it for a left one. */
int dk_part_finish (dk_part *part, bool overwrite) {
  if (fsync(part->fd) != 0 || !stands(part, part->fd) || give_name(part, overwrite) != 0) return errno;
  part->part[0] = '\0';
  close(part->fd);
  part->fd = -1;
  return 0;
}

void dk_part_sync_folder (const dk_part *part) {
  int fd = openat(part->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

void dk_part_drop (dk_part *part) {
  if (part->fd >= 0 && stands(part, part->fd)) unlinkat(part->folder, part->part, 0);
  if (part->fd >= 0) close(part->fd);
  if (part->folder >= 0) close(part->folder);
  part->fd = part->folder = -1;
  part->part[0] = '\0';
}
