#ifndef _WIN32
#define _GNU_SOURCE              /* O_PATH, flock, renameat2 */
#include "file/part_file_internal.h"

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

enum { MAX_ACL = 1024 };         /* bytes: 4, and 8 for each entry */

/* 0, or why a writable file can't be replaced. rename(2) reports it, too, but only after the image was paid for. */
static int check_replaceable (const dk_part_file *part) {
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

/* A folder that only takes new names (chattr +a) would keep each part file. */
static bool is_append_only (const dk_part_file *part) {
#ifdef STATX_ATTR_APPEND
  struct statx info;
  return statx(part->folder, "", AT_EMPTY_PATH, 0, &info) == 0 && (info.stx_attributes & STATX_ATTR_APPEND) != 0;
#else
  (void)part;
  return false;
#endif
}

int dk_part_file_open_target (dk_part_file *part, const char *path) {
  char folder[PATH_MAX];
  struct rlimit limit;
  const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
  size_t length = slash == path ? 1 : slash ? (size_t)(slash - path) : 0;
  part->limit = getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? limit.rlim_cur : UINT64_MAX;
  if (*name == '\0') return slash ? EISDIR : ENOENT;
  if (dk_part_file_is_part(name)) return EINVAL;
  if (length >= sizeof folder || strlen(name) >= sizeof part->name) return ENAMETOOLONG;
  memcpy(folder, path, length);
  folder[length] = '\0';
  strcpy(part->name, name);
  part->folder = open(length > 0 ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (part->folder < 0) return errno;
  return is_append_only(part) ? EPERM : check_replaceable(part);        /* now, before the image is paid for */
}

static bool is_same_file (const struct stat *a, const struct stat *b) { return a->st_ino == b->st_ino && a->st_dev == b->st_dev; }

/* whether the temporary name still leads to this file; else errno */
static bool has_name (const dk_part_file *part, int fd) {
  struct stat held, named;
  if (fstat(fd, &held) != 0 || fstatat(part->folder, part->part_name, &named, AT_SYMLINK_NOFOLLOW) != 0) return false;
  errno = ENOENT;
  return S_ISREG(held.st_mode) && is_same_file(&held, &named);
}

bool dk_part_file_remove_abandoned (const dk_part_file *part) {
  struct stat info;
  if (fstatat(part->folder, part->part_name, &info, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) return false;  /* half of openat's time */
  int fd = openat(part->folder, part->part_name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return errno != ENOENT;
  if (flock(fd, LOCK_EX | LOCK_NB) == 0 && has_name(part, fd)) unlinkat(part->folder, part->part_name, 0);
  close(fd);
  return true;
}

/* Locks a new file. False: another process removed it as abandoned. A file system may have no locks. */
static bool lock_new (int fd) {
  struct stat info;
  return (flock(fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) && fstat(fd, &info) == 0 && info.st_nlink > 0;
}

int dk_part_file_create (dk_part_file *part, unsigned mode) {
  part->fd = openat(part->folder, part->part_name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, (mode_t)mode);
  if (part->fd < 0) return errno;
  if (lock_new(part->fd)) return 0;
  close(part->fd);
  part->fd = -1;
  return EEXIST;
}

int dk_part_file_write (dk_part_file *part, const void *bytes, size_t length) {
  const char *at = (const char *)bytes;
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

/* Copies the ACL, or removes the new file's if the old file has none. False: it can't be copied. */
static bool copy_acl (const dk_part_file *part) {
#ifdef __linux__
  static const char acl_name[] = "system.posix_acl_access";
  char acl[MAX_ACL];
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

static bool copy_owner (const dk_part_file *part, const struct stat *old, const struct stat *now) {
  if (old->st_uid == now->st_uid && old->st_gid == now->st_gid) return true;
  return fchown(part->fd, old->st_uid, old->st_gid) == 0 || old->st_gid == now->st_gid || fchown(part->fd, (uid_t)-1, old->st_gid) == 0;
}

int dk_part_file_copy_permissions (dk_part_file *part) {
  struct stat old, now;
  if (fstatat(part->folder, part->name, &old, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT ? 0 : errno;
  if (!S_ISREG(old.st_mode)) return EEXIST;
  if (fstat(part->fd, &now) != 0) return errno;
  mode_t mode = old.st_mode & 0777;
  bool has_owner = copy_owner(part, &old, &now);
  if (!copy_acl(part) || !has_owner) mode &= ~(mode_t)070 | (mode & 07) << 3;     /* another group gets only what everybody may */
  if (fchmod(part->fd, mode) == 0 || (now.st_mode & 0777 & ~mode) == 0) return 0;
  return errno;
}

/* ---- the final name ---- */

/* For a file system without another way: makes an empty file of that name, and replaces it. Another program may see the empty
 * file in between. */
static int replace_placeholder (const dk_part_file *part) {
  int fd = openat(part->folder, part->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return -1;
  close(fd);
  if (renameat(part->folder, part->part_name, part->folder, part->name) == 0) return 0;
  int reason = errno;
  unlinkat(part->folder, part->name, 0);
  errno = reason;
  return -1;
}

/* without overwrite, fails if the name exists by now */
static int rename_part (const dk_part_file *part, bool overwrite) {
  if (overwrite) return renameat(part->folder, part->part_name, part->folder, part->name);
#ifdef RENAME_NOREPLACE
  if (renameat2(part->folder, part->part_name, part->folder, part->name, RENAME_NOREPLACE) == 0) return 0;
  if (errno == EEXIST) return -1;
#endif
  if (linkat(part->folder, part->part_name, part->folder, part->name, 0) != 0) return errno == EEXIST ? -1 : replace_placeholder(part);
  (void)unlinkat(part->folder, part->part_name, 0);
  return 0;
}

/* Holds the lock until the rename: without it, another process could remove the file as abandoned. */
int dk_part_file_commit (dk_part_file *part, bool overwrite) {
  if (fsync(part->fd) != 0 || !has_name(part, part->fd) || rename_part(part, overwrite) != 0) return errno;
  part->part_name[0] = '\0';
  close(part->fd);
  part->fd = -1;
  return 0;
}

void dk_part_file_sync_folder (const dk_part_file *part) {
  int fd = openat(part->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)fsync(fd);
  close(fd);
}

void dk_part_file_discard (dk_part_file *part) {
  if (part->fd >= 0 && has_name(part, part->fd)) unlinkat(part->folder, part->part_name, 0);
  if (part->fd >= 0) close(part->fd);
  if (part->folder >= 0) close(part->folder);
  part->fd = part->folder = -1;
  part->part_name[0] = '\0';
}
#endif
