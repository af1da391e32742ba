/* private_file.h - a small file for its owner alone: read and written whole. */
#ifndef DK_PRIVATE_FILE_H
#define DK_PRIVATE_FILE_H

#include <limits.h>
#include <stdbool.h>

#include "base/buffer.h"

/* Where the file is: path, or where the symbolic links lead, which must be ours or the superuser's. All who use the file by any
 * link get the same folder and name. Errors: DK_FILE, also for a link that leads to nothing; DK_NOT_REGULAR. */
dk_status dk_private_target (const char *path, char target[PATH_MAX], dk_failure *failure);

/* Appends the file's bytes to out. *exists false, with DK_OK: there is no file.
 * Errors: DK_FILE (another user's, no ordinary file, one that others can read or write, or it can't be read), DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_private_load (const char *path, dk_buffer *out, bool *exists, dk_failure *failure);

/* Gives the file these bytes and the mode 0600, whole or not at all: a part file beside it is filled, synced and renamed. A
 * symbolic link is followed: dk_private_target. Errors: DK_FILE (another user's, a folder), DK_NOT_REGULAR, DK_DISK; the old bytes stay. */
dk_status dk_private_save (const char *path, const char *bytes, size_t length, dk_failure *failure);

/* Whether dk_private_save could write a small file: makes one of 4 KB beside it and removes it. Errors: as dk_private_save. */
dk_status dk_private_check (const char *path, dk_failure *failure);

#endif
