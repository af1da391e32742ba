/* symlink.h - where a name leads that may be a symbolic link. Another user could make a link that leads anywhere. */
#ifndef DK_LINK_H
#define DK_LINK_H

#include <limits.h>

#include "base/status.h"

/* Follows the links, each of which must be ours or the superuser's. target: path itself where that is no link; nothing may be
 * there. Errors: DK_FILE, DK_NOT_REGULAR (an open file of a process). */
dk_status dk_link_follow (const char *path, char target[PATH_MAX], dk_failure *failure);

#endif
