/* private_file.h - a small file that only its owner can read: read and written as a whole. And a folder for such files. */
#ifndef DK_PRIVATE_FILE_H
#define DK_PRIVATE_FILE_H

#include <stdbool.h>

#include "base/buffer.h"
#include "os/file.h"

/* Finds the file behind path: target is path itself, or the end of its symbolic links, which must belong to this user or to root.
 * All links to a file give the same target. Errors: DK_FILE, also for a link that leads to nothing; DK_NOT_REGULAR. */
dk_status dk_private_file_resolve (const char *path, char target[DK_MAX_PATH], dk_failure *failure);

/* Appends the file's bytes to out. *exists false, with DK_OK: there is no file.
 * Errors: DK_FILE (it belongs to another user, is not a regular file, is open to others, or can't be read), DK_OVER_LIMIT,
 * DK_NO_MEMORY. */
dk_status dk_private_file_read (const char *path, dk_buffer *out, bool *exists, dk_failure *failure);

/* Replaces the file with these bytes, in mode 0600: writes and syncs a part file in the same folder, and renames it. Follows
 * symbolic links (dk_private_file_resolve). After an error the old bytes stay. Errors: DK_FILE (it belongs to another user, or is
 * a folder), DK_NOT_REGULAR, DK_DISK. */
dk_status dk_private_file_write (const char *path, const char *bytes, size_t length, dk_failure *failure);

/* Checks whether dk_private_file_write can write: makes a file of 4 KiB in the folder, and removes it. Errors: as
 * dk_private_file_write. */
dk_status dk_private_file_check (const char *path, dk_failure *failure);

/* Makes the folder, and those in front of it that are missing (dk_file_make_folder). Errors: DK_FILE, DK_DISK. */
dk_status dk_folder_make (const char *path, bool is_private, dk_failure *failure);

#endif
