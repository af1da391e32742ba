#include "file/file_digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

enum { PIECE = 64 * 1024 };      /* bytes */

/* fills the piece, unless the file ends. The number of bytes; -1: errno */
static ptrdiff_t read_piece (int fd, char *piece) {
  size_t length = 0;
  while (length < PIECE) {
    ptrdiff_t n = dk_file_read(fd, piece + length, PIECE - length);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    length += (size_t)n;
  }
  return (ptrdiff_t)length;
}

/* block: the digest of what was read, then room for a piece. 0, or errno */
static int read_all (int fd, char *block, dk_digest *digest) {
  ptrdiff_t n;
  *digest = dk_digest_of(NULL, 0);
  while ((n = read_piece(fd, block + sizeof *digest)) > 0) {
    memcpy(block, digest, sizeof *digest);
    *digest = dk_digest_of(block, sizeof *digest + (size_t)n);
  }
  return n < 0 ? errno : 0;
}

dk_status dk_file_digest (const char *path, dk_digest *digest, dk_failure *failure) {
  dk_file_info info;
  int fd = dk_file_open(path, true, &info);
  if (fd < 0) return dk_fail_errno(failure, path, errno);
  char *block = info.kind == DK_KIND_REGULAR ? (char *)malloc(sizeof *digest + PIECE) : NULL;
  int reason = block != NULL ? read_all(fd, block, digest) : 0;
  dk_file_close(fd);
  if (info.kind != DK_KIND_REGULAR) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is not a regular file", path);
  if (block == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  free(block);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}
