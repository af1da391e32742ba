#define _GNU_SOURCE              /* strdup, AT_EACCESS */
#include "file/download.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image_scanner.h"
#include "file/symlink.h"
#include "file/part_file.h"

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

static dk_status refused (dk_failure *failure, dk_status status, const char *path, const char *why) {
  return dk_fail(failure, status, DK_PATH ": %s", path, why);
}

static dk_status failed (const dk_file *file, dk_failure *failure, int reason) {
  if (reason != EEXIST) return dk_fail_file(failure, file->path, reason);
  if (file->download->overwrite) return refused(failure, DK_NOT_REGULAR, file->path, "it is no regular file any more");
  return refused(failure, DK_FILE_EXISTS, file->path, "it exists already");
}

/* ---- what has the name already ---- */

/* what it is, where a picture can't take its place; NULL: a regular file */
static const char *kind_refused (mode_t mode) {
  if (S_ISREG(mode)) return NULL;
  if (S_ISDIR(mode)) return "it is a folder";
  if (S_ISFIFO(mode)) return "it is a pipe, and no regular file";
  if (S_ISSOCK(mode)) return "it is a socket, and no regular file";
  return "it is a device, and no regular file";
}

/* target: where the file is to appear. mode: of the file that it replaces. */
static dk_status find_target (const char *path, bool overwrite, char target[PATH_MAX], mode_t *mode, dk_failure *failure) {
  struct stat named, info;
  if (strlen(path) >= PATH_MAX) return dk_fail_file(failure, path, ENAMETOOLONG);
  strcpy(target, path);
  if (lstat(path, &named) != 0) return DK_OK;                  /* what it may be, dk_part_open says */
  if (stat(path, &info) != 0) {
    if (errno != ENOENT) return dk_fail_file(failure, path, errno);
    return refused(failure, DK_NOT_REGULAR, path, "it is a symbolic link that leads to nothing: remove it, or make that file");
  }
  const char *kind = kind_refused(info.st_mode);
  if (kind != NULL) return refused(failure, DK_NOT_REGULAR, path, kind);
  if (!overwrite) return refused(failure, DK_FILE_EXISTS, path, "it exists already");
  *mode = info.st_mode & 0600;                                 /* its group may be another one than the file's at the end */
  dk_status status = S_ISLNK(named.st_mode) ? dk_link_follow(path, target, failure) : DK_OK;
  if (status == DK_OK && faccessat(AT_FDCWD, target, W_OK, AT_EACCESS) != 0) status = dk_fail_file(failure, path, errno);
  return status;
}

/* ---- the file ---- */

dk_status dk_file_open (dk_file *file, const char *path, bool overwrite, size_t cap, dk_failure *failure) {
  char target[PATH_MAX];
  mode_t mode = 0666;
  dk_status status = find_target(path, overwrite, target, &mode, failure);
  if (status != DK_OK) return status;
  file->path = strdup(path);
  dk_download *d = file->path ? malloc(sizeof *d) : NULL;
  if (d == NULL) return no_memory(failure);
  d->overwrite = overwrite;
  d->gathered = NULL;
  d->gathered_length = 0;
  d->cap = cap;
  dk_image_init(&d->image);
  file->download = d;
  int reason = dk_part_open(&d->part, target, mode);
  if (reason == EACCES) return dk_fail(failure, DK_FILE, DK_PATH ": no file can be made in its folder (%s)", path, strerror(reason));
  return reason == 0 ? DK_OK : failed(file, failure, reason);
}

dk_status dk_file_check (const char *path, bool overwrite, dk_failure *failure) {
  static const char room[4096];
  dk_file file;
  dk_file_init(&file);
  dk_status status = dk_file_open(&file, path, overwrite, 0, failure);
  for (int i = 0; i < 16 && status == DK_OK; i++) {
    int reason = dk_part_write(&file.download->part, room, sizeof room);
    if (reason != 0) status = failed(&file, failure, reason);
  }
  dk_file_drop(&file);
  return status;
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
  if (reason == 0 && d->overwrite) reason = dk_part_keep_mode(&d->part);
  if (reason == 0) reason = dk_part_finish(&d->part, d->overwrite);
  return reason == 0 ? DK_OK : failed(file, failure, reason);
}
