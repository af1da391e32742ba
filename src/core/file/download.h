/* download.h - an image download to a file: the complete file appears under its name, or no file appears. */
#ifndef DK_DOWNLOAD_H
#define DK_DOWNLOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct dk_download_state dk_download_state;   /* fields are in download.c */

typedef struct {
  char *path;                    /* owned; NULL: no download */
  dk_download_state *state;      /* owned; separate, because most transfers have no download */
} dk_download;

/* No download; so is a discarded one. */
void dk_download_init (dk_download *download);

/* Makes the part file in the folder of path. path: copied. overwrite: path may be a regular file that the process may write, or
 * a symbolic link to one; then the part file is in the folder of the link's target. max_bytes: the largest size.
 * Errors: DK_FILE, DK_FILE_EXISTS, DK_NOT_REGULAR, DK_DISK, DK_NO_MEMORY; dk_download_discard is needed after them, too. */
dk_status dk_download_open (dk_download *download, const char *path, bool overwrite, size_t max_bytes, dk_failure *failure);

/* Checks whether an image can be saved at path: makes a file of 64 KiB in its folder, and removes it. Errors: as dk_download_open. */
dk_status dk_download_check (const char *path, bool overwrite, dk_failure *failure);

/* Appends bytes. Errors: DK_OVER_LIMIT, DK_DISK (perhaps for bytes appended before), DK_FILE, DK_NO_MEMORY. */
dk_status dk_download_write (dk_download *download, const char *bytes, size_t length, dk_failure *failure);

/* Checks that the image is complete (image_scanner.h), writes what is left, copies the permissions of the file that it replaces,
 * syncs the file and renames it. Errors: DK_PROTOCOL (not an image), DK_IMAGE_INCOMPLETE, DK_FILE, DK_DISK, DK_FILE_EXISTS. */
dk_status dk_download_finish (dk_download *download, dk_failure *failure);

/* Removes the part file, unless the download is finished; a second call changes nothing. */
void dk_download_discard (dk_download *download);

#endif
