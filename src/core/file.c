#define _GNU_SOURCE              /* strdup */
#include "file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image_end.h"
#include "part_file.h"

enum { GATHER = 128 * 1024 };    /* bytes to a write: libcurl's pieces of 16 KiB, each written, cost 1.6 x (`make bench` R8) */

struct dk_download {
  dk_part part;
  bool overwrite;
  char *gathered;                /* what came and is not written yet; NULL: nothing came */
  size_t gathered_length;
  dk_image image;                /* what came, as an image */
  size_t cap;
};

void dk_file_init (dk_file *file) {
  *file = (dk_file){NULL, NULL};
}

void dk_file_drop (dk_file *file) {
  if (file->download != NULL) {
    dk_part_drop(&file->download->part);
    free(file->download->gathered);
  }
  free(file->download);
  free(file->path);
  dk_file_init(file);
}

static dk_status no_memory (dk_failure *failure) { return dk_fail(failure, DK_NO_MEMORY, "no memory"); }

static dk_status failed (const dk_file *file, dk_failure *failure, int reason) {
  if (reason == EEXIST) return dk_fail(failure, DK_FILE_EXISTS, DK_PATH ": it exists already", file->path);
  return dk_fail(failure, DK_FILE, DK_PATH ": %s", file->path, dk_reason(reason));
}

dk_status dk_file_open (dk_file *file, const char *path, bool overwrite, size_t cap, dk_failure *failure) {
  file->path = strdup(path);
  if (file->path == NULL) return no_memory(failure);
  if (!overwrite && access(path, F_OK) == 0) return failed(file, failure, EEXIST);
  dk_download *d = malloc(sizeof *d);
  if (d == NULL) return no_memory(failure);
  d->overwrite = overwrite;
  d->gathered = NULL;
  d->gathered_length = 0;
  d->cap = cap;
  dk_image_init(&d->image);
  file->download = d;
  int reason = dk_part_open(&d->part, path, 0666);
  return reason == 0 ? DK_OK : failed(file, failure, reason);
}

/* 0, or errno */
static int write_gathered (dk_download *d) {
  int reason = dk_part_write(&d->part, d->gathered, d->gathered_length);
  d->gathered_length = 0;
  return reason;
}

dk_status dk_file_add (dk_file *file, const char *bytes, size_t length, dk_failure *failure) {
  dk_download *d = file->download;
  if (length > d->cap - d->image.length) return dk_fail(failure, DK_OVER_CAP, "the answer has more than %zu bytes", d->cap);
  if (d->gathered == NULL && (d->gathered = malloc(GATHER)) == NULL) return no_memory(failure);
  dk_image_add(&d->image, bytes, length);
  while (length > 0) {
    size_t room = GATHER - d->gathered_length, n = length < room ? length : room;
    memcpy(d->gathered + d->gathered_length, bytes, n);
    bytes += n;
    length -= n;
    d->gathered_length += n;
    int reason = n == room ? write_gathered(d) : 0;
    if (reason != 0) return failed(file, failure, reason);
  }
  return DK_OK;
}

dk_status dk_file_finish (dk_file *file, dk_failure *failure) {
  dk_download *d = file->download;
  dk_status status = dk_image_check(&d->image, failure);
  if (status != DK_OK) return status;
  int reason = write_gathered(d);
  if (reason == 0) reason = dk_part_finish(&d->part, d->overwrite);
  return reason == 0 ? DK_OK : failed(file, failure, reason);
}
