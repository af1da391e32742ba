/* part_file_internal.h - what part_file.c, which numbers the temporary names, and the files for each system need from each other. */
#ifndef DK_PART_FILE_INTERNAL_H
#define DK_PART_FILE_INTERNAL_H

#include "file/part_file.h"

/* Whether it is the name of a part file, which the next part file could remove. */
bool dk_part_file_is_part (const char *name);

/* ---- by each system ---- */

/* Opens the folder of path, if the system has descriptors of folders, and sets the final name and the limit. 0, or errno: no file
 * can get that name, which is to be known before the image is paid for. */
int dk_part_file_open_target (dk_part_file *part, const char *path);

/* Makes the file of the temporary name, locked. 0, or errno: EEXIST: the name is in use. */
int dk_part_file_create (dk_part_file *part, unsigned mode);

/* Removes the file of the temporary name if no process holds its lock. False: there is no such file. */
bool dk_part_file_remove_abandoned (const dk_part_file *part);

#endif
