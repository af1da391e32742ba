/* plain_disk_preload.c - a file system without RENAME_NOREPLACE and without hard links, under LD_PRELOAD: exFAT, 9p, some of FUSE.
 *
 * PLAIN_DISK_RENAME, PLAIN_DISK_LINK  errno of renameat2 with flags, and of linkat */
#define _GNU_SOURCE              /* renameat2 */
#include <errno.h>
#include <stdlib.h>

int renameat2 (int from_folder, const char *from, int to_folder, const char *to, unsigned flags);
int linkat (int from_folder, const char *from, int to_folder, const char *to, int flags);

static int fail (const char *variable) {
  const char *reason = getenv(variable);
  errno = reason != NULL ? atoi(reason) : EINVAL;
  return -1;
}

__attribute__((visibility("default")))
int renameat2 (int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  (void)from_folder, (void)from, (void)to_folder, (void)to, (void)flags;
  return fail("PLAIN_DISK_RENAME");
}

__attribute__((visibility("default")))
int linkat (int from_folder, const char *from, int to_folder, const char *to, int flags) {
  (void)from_folder, (void)from, (void)to_folder, (void)to, (void)flags;
  return fail("PLAIN_DISK_LINK");
}
