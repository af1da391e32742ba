#define _GNU_SOURCE              /* strdup */
#include "file/download.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "file/part_file.h"
#include "file/symlink.h"
#include "image/image_scanner.h"

enum { WRITE_BUFFER = 128 * 1024 };                   /* bytes per write: libcurl's pieces of 16 KiB cost 1.6 x (`make bench` R8) */

struct dk_download_state {
  dk_part_file part;
  bool overwrite;
  char *buffer;                  /* bytes not written yet; NULL: nothing came */
  size_t buffered;
  dk_image_scanner scanner;
  size_t max_bytes;
};

void dk_download_init (dk_download *download) {
  *download = (dk_download){NULL, NULL};
}

void dk_download_discard (dk_download *download) {
  if (download->state != NULL) {
    dk_part_file_discard(&download->state->part);
    free(download->state->buffer);
  }
  free(download->state);
  free(download->path);
  dk_download_init(download);
}

static dk_status no_memory (dk_failure *failure) { return dk_fail(failure, DK_NO_MEMORY, "no memory"); }

static dk_status refuse (dk_failure *failure, dk_status status, const char *path, const char *why) {
  return dk_fail(failure, status, DK_PATH_FORMAT ": %s", path, why);
}

/* reason: errno of the part file */
static dk_status fail (const dk_download *download, dk_failure *failure, int reason) {
  if (reason != EEXIST) return dk_fail_errno(failure, download->path, reason);
  if (download->state->overwrite) return refuse(failure, DK_NOT_REGULAR, download->path, "it is not a regular file any more");
  return refuse(failure, DK_FILE_EXISTS, download->path, "it exists already");
}

/* ---- the file that has the name now ---- */

/* why an image can't replace a file of this kind; NULL: a regular file */
static const char *refusal_of_kind (dk_file_kind kind) {
  if (kind == DK_KIND_REGULAR) return NULL;
  if (kind == DK_KIND_FOLDER) return "it is a folder";
  if (kind == DK_KIND_PIPE) return "it is a pipe, not a regular file";
  if (kind == DK_KIND_SOCKET) return "it is a socket, not a regular file";
  return "it is a device, not a regular file";
}

/* target: the path of the new file. mode: of the part file, unchanged if there is no file to replace. */
static dk_status find_target (const char *path, bool overwrite, char target[DK_MAX_PATH], unsigned *mode, dk_failure *failure) {
  dk_file_info named, info;
  if (strlen(path) >= DK_MAX_PATH) return dk_fail_errno(failure, path, ENAMETOOLONG);
  strcpy(target, path);
  if (dk_file_look(path, &named) != 0) return DK_OK;                  /* dk_part_file_open reports any other error */
  int reason = dk_file_look_behind(path, &info);
  if (reason != 0) {
    if (reason != ENOENT) return dk_fail_errno(failure, path, reason);
    return refuse(failure, DK_NOT_REGULAR, path, "it is a symbolic link that leads to nothing: remove it, or make that file");
  }
  const char *refusal = refusal_of_kind(info.kind);
  if (refusal != NULL) return refuse(failure, DK_NOT_REGULAR, path, refusal);
  if (!overwrite) return refuse(failure, DK_FILE_EXISTS, path, "it exists already");
  *mode = info.mode & 0600;                                 /* the part file may belong to another group until its end */
  dk_status status = named.kind == DK_KIND_LINK ? dk_symlink_resolve(path, target, failure) : DK_OK;
  if (status != DK_OK) return status;
  reason = dk_file_check_writable(target);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}

/* ---- the download ---- */

dk_status dk_download_open (dk_download *download, const char *path, bool overwrite, size_t max_bytes, dk_failure *failure) {
  char target[DK_MAX_PATH];
  unsigned mode = 0666;
  dk_status status = find_target(path, overwrite, target, &mode, failure);
  if (status != DK_OK) return status;
  download->path = strdup(path);
  dk_download_state *state = download->path ? (dk_download_state *)malloc(sizeof *state) : NULL;
  if (state == NULL) return no_memory(failure);
  state->overwrite = overwrite;
  state->buffer = NULL;
  state->buffered = 0;
  state->max_bytes = max_bytes;
  dk_image_scanner_init(&state->scanner);
  download->state = state;
  int reason = dk_part_file_open(&state->part, target, mode);
  if (reason == EACCES) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": no file can be made in its folder (%s)", path, strerror(reason));
  return reason == 0 ? DK_OK : fail(download, failure, reason);
}

dk_status dk_download_check (const char *path, bool overwrite, dk_failure *failure) {
  static const char zeros[4096] = {0};
  dk_download download;
  dk_download_init(&download);
  dk_status status = dk_download_open(&download, path, overwrite, 0, failure);
  for (int i = 0; i < 16 && status == DK_OK; i++) {
    int reason = dk_part_file_write(&download.state->part, zeros, sizeof zeros);
    if (reason != 0) status = fail(&download, failure, reason);
  }
  dk_download_discard(&download);
  return status;
}

/* 0, or errno */
static int flush_buffer (dk_download_state *state) {
  int reason = dk_part_file_write(&state->part, state->buffer, state->buffered);
  state->buffered = 0;
  return reason;
}

dk_status dk_download_write (dk_download *download, const char *bytes, size_t length, dk_failure *failure) {
  dk_download_state *state = download->state;
  if (length > state->max_bytes - state->scanner.length)
    return dk_fail(failure, DK_OVER_LIMIT, "the response has more than %zu bytes", state->max_bytes);
  if (state->buffer == NULL && (state->buffer = (char *)malloc(WRITE_BUFFER)) == NULL) return no_memory(failure);
  dk_image_scanner_add(&state->scanner, bytes, length);
  while (length > 0) {
    size_t room = WRITE_BUFFER - state->buffered, n = length < room ? length : room;
    memcpy(state->buffer + state->buffered, bytes, n);
    bytes += n;
    length -= n;
    state->buffered += n;
    int reason = n == room ? flush_buffer(state) : 0;
    if (reason != 0) return fail(download, failure, reason);
  }
  return DK_OK;
}

dk_status dk_download_finish (dk_download *download, dk_failure *failure) {
  dk_download_state *state = download->state;
  dk_status status = dk_image_scanner_check(&state->scanner, failure);
  if (status != DK_OK) return status;
  int reason = flush_buffer(state);
  if (reason == 0 && state->overwrite) reason = dk_part_file_copy_permissions(&state->part);
  if (reason == 0) reason = dk_part_file_commit(&state->part, state->overwrite);
  return reason == 0 ? DK_OK : fail(download, failure, reason);
}
