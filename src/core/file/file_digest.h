/* file_digest.h - the digest of a file's bytes. */
#ifndef DK_FILE_DIGEST_H
#define DK_FILE_DIGEST_H

#include "base/digest.h"
#include "base/status.h"

/* Reads the file in pieces; follows symbolic links. The digest is that of the digests of its pieces, so it differs from
 * dk_digest_of. Errors: DK_FILE (it can't be read, or is no regular file). */
dk_status dk_file_digest (const char *path, dk_digest *digest, dk_failure *failure);

#endif
