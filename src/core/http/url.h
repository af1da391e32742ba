/* url.h - resolves the URL of a redirect. */
#ifndef DK_URL_H
#define DK_URL_H

#include <stddef.h>

#include "base/status.h"

enum { DK_MAX_URL = 8192 };      /* bytes, the NUL included */

/* Resolves location against base into url: http or https, without a fragment.
 * Errors: DK_BAD_URL (empty, not a URL, another scheme, with a user, too long), DK_NO_MEMORY. */
dk_status dk_url_resolve (const char *base, const char *location, char url[DK_MAX_URL]);

#endif
