/* part_file.h - a new file that is written under a temporary name in the same folder, and renamed when it is complete.
 *
 * The temporary name is devkit4ai-unfinished-N. Its process holds flock(2) on it. A part file without that lock belongs to a
 * process that died, and the next part file in the same folder removes it, unless others are written there at that moment. */
#ifndef DK_PART_FILE_H
#define DK_PART_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "os/file.h"

typedef struct {
  int folder;                    /* descriptor, so that chdir changes nothing; -1: not open */
  int fd;                        /* -1: not open */
  char name[DK_MAX_FILE_NAME];   /* the final name, without its folder */
  char part_name[40];            /* the temporary name; "": not made yet, or renamed */
  uint64_t length, limit;        /* bytes; limit: the process's own (ulimit -f) */
} dk_part_file;

/* Makes the part file for path, with the mode, and removes those of dead processes. Returns 0, or errno; dk_part_file_discard is
 * needed in both cases. EPERM, EBUSY: the file at path can't be replaced, for example in a sticky folder or under a mount.
 * EINVAL: the final name is the name of a part file. */
int dk_part_file_open (dk_part_file *part, const char *path, unsigned mode);

/* Appends all bytes. 0, or errno: EFBIG, where more bytes would raise SIGXFSZ. */
int dk_part_file_write (dk_part_file *part, const void *bytes, size_t length);

/* Copies permissions, group and owner from the regular file that has the final name, as far as the process may. It does not copy
 * the set-ID bits. 0, also without such a file, or errno: EEXIST: the file of that name is not regular. */
int dk_part_file_copy_permissions (dk_part_file *part);

/* Syncs the file and gives it the final name. overwrite: replaces a file of that name. 0, or errno: EEXIST. */
int dk_part_file_commit (dk_part_file *part, bool overwrite);

/* Makes the name survive a power failure, if the file system can. */
void dk_part_file_sync_folder (const dk_part_file *part);

/* Removes the file, unless it was committed, and closes all descriptors; a second call changes nothing. */
void dk_part_file_discard (dk_part_file *part);

#endif
