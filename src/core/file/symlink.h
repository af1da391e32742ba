/* symlink.h - the target of a symbolic link, if it can be trusted: another user could make a link that leads anywhere. */
#ifndef DK_LINK_H
#define DK_LINK_H

#include "base/status.h"
#include "os/file.h"

/* Follows all links; each must belong to this user or to root. target: path itself if it is no link; no file need be there.
 * Errors: DK_FILE, DK_NOT_REGULAR (an open file of a process). */
dk_status dk_symlink_resolve (const char *path, char target[DK_MAX_PATH], dk_failure *failure);

#endif
