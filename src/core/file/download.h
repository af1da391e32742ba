/* download.h - a picture on its way into a file: it grows under another name, and gets its own when it is whole. */
#ifndef DK_FILE_H
#define DK_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct dk_download dk_download;

typedef struct {
  char *path;                    /* NULL: no file */
  dk_download *download;         /* apart, for most transfers have none; fields live in file.c */
} dk_file;

/* No file; what dk_file_drop leaves behind. */
void dk_file_init (dk_file *file);

/* Makes the part file beside path. path: copied. overwrite: path may be a regular file that the process may write, or a symbolic
 * link to one; then the part file is beside the link's target. cap: bytes.
 * Errors: DK_FILE, DK_FILE_EXISTS, DK_NOT_REGULAR, DK_DISK, DK_NO_MEMORY; dk_file_drop is due all the same. */
dk_status dk_file_open (dk_file *file, const char *path, bool overwrite, size_t cap, dk_failure *failure);

/* Whether a picture could be saved there: makes a file of 64 KiB beside it and removes it. Errors: as dk_file_open. */
dk_status dk_file_check (const char *path, bool overwrite, dk_failure *failure);

/* Appends. Errors: DK_OVER_CAP, DK_DISK (maybe for bytes that were appended before), DK_FILE, DK_NO_MEMORY. */
dk_status dk_file_add (dk_file *file, const char *bytes, size_t length, dk_failure *failure);

/* Sees that it is a whole image (image_end.h), writes what is left, gives it the permissions of the file that
 * it replaces, syncs it, gives it its name. Errors: DK_PROTOCOL (no image), DK_IMAGE_CUT, DK_FILE, DK_DISK, DK_FILE_EXISTS. */
dk_status dk_file_finish (dk_file *file, dk_failure *failure);

/* Removes the part file, unless it was finished; twice is once. */
void dk_file_drop (dk_file *file);

#endif
