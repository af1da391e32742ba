/* url.h - where a redirect leads. */
#ifndef DK_URL_H
#define DK_URL_H

#include <stddef.h>

#include "base/status.h"

enum { DK_MAX_URL = 8192 };      /* bytes, the NUL included */

/* The address that location names, seen from base: http or https, without a fragment.
 * Errors: DK_BAD_URL (empty, can't be read, another scheme, a user in it, too long), DK_NO_MEMORY. */
dk_status dk_url_resolve (const char *base, const char *location, char url[DK_MAX_URL]);

#endif
