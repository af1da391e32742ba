/* part_file.h - a file that grows under another name in the same folder, and gets its own name when it is whole.
 *
 * The other name is devkit4ai-unfinished-N. Its process holds flock(2) on it. A part file without that lock is left of a process
 * that died, and the next part file in the same folder removes it. */
#ifndef DK_PART_FILE_H
#define DK_PART_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { DK_NAME_ROOM = 1536 };    /* bytes of a file's name, the NUL included: 255 on most file systems, 1,530 on FAT */

typedef struct {
  int folder, fd;                /* the folder, which stays the same where the program goes to another one. -1: not open */
  char name[DK_NAME_ROOM];       /* without its folder */
  char part[40];                 /* the name while it grows; "": it was not made, or it has its own */
  uint64_t length, limit;        /* bytes; limit: the process's own (ulimit -f) */
} dk_part;

/* Makes the part file beside path, with the mode, and removes those of dead processes. 0, or errno; dk_part_drop is due all the
 * same. EPERM, EBUSY: what has the name can't be replaced, for its folder is sticky or it is mounted there, say. EINVAL: the name
 * is a part file's. */
int dk_part_open (dk_part *part, const char *path, mode_t mode);

/* Appends all of it. 0, or errno: EFBIG where writing on would raise SIGXFSZ. */
int dk_part_write (dk_part *part, const void *bytes, size_t length);

/* Gives it the permissions, the group and the owner of the regular file that has its name, as far as the process may. The set-ID
 * bits are not kept. 0, also where there is no such file, or errno: EEXIST where something else has the name. */
int dk_part_keep_mode (dk_part *part);

/* Syncs it and gives it its name. overwrite: a file of that name is replaced. 0, or errno: EEXIST. */
int dk_part_finish (dk_part *part, bool overwrite);

/* Makes the name last through a power cut, where the file system can. */
void dk_part_sync_folder (const dk_part *part);

/* Removes it, unless it was finished, and closes all; twice is once. */
void dk_part_drop (dk_part *part);

#endif
