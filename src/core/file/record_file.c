#define _GNU_SOURCE              /* strdup */
#include "file/record_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/file.h"

void dk_record_file_init (dk_record_file *file) { *file = (dk_record_file){.fd = -1}; }

void dk_record_file_close (dk_record_file *file) {
  if (file->fd >= 0) dk_file_close(file->fd);
  free(file->path);
  dk_record_file_init(file);
}

static int sync_folder_of (const char *path) {
  char folder[DK_MAX_PATH];
  size_t length = dk_file_folder_length(path);
  if (length >= sizeof folder) return ENAMETOOLONG;
  memcpy(folder, path, length);
  folder[length] = '\0';
  return dk_folder_sync(folder);
}

dk_status dk_record_file_open (dk_record_file *file, const char *path, dk_failure *failure) {
  dk_file_info info;
  file->path = strdup(path);
  if (file->path == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  file->fd = dk_file_open_to_append(path, &info);
  int reason = file->fd < 0 ? errno : sync_folder_of(path);
  file->owner = dk_os_process_id();
  file->length = reason == 0 ? info.size : 0;
  if (reason == 0) return DK_OK;
  dk_record_file_close(file);
  if (reason == EINVAL) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is not a regular file", path);
  return dk_fail_errno(failure, path, reason);
}

static dk_status refuse (const dk_record_file *file, const char *why, dk_failure *failure) {
  return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", file->path, why);
}

/* why nothing can be written; NULL: it can */
static const char *refusal (const dk_record_file *file) {
  if (file->is_broken) return "an earlier write failed, so it is not written any more";
  if (file->owner != dk_os_process_id()) return "it belongs to the process that this one was forked from";
  if (dk_file_is_removed(file->fd)) return "it was deleted while it was in use";
  return NULL;
}

dk_status dk_record_file_append (dk_record_file *file, const void *bytes, size_t length, dk_failure *failure) {
  const char *why = refusal(file);
  if (why != NULL) return refuse(file, why, failure);
  int reason = dk_file_write_at(file->fd, bytes, length, file->length), unsynced = 0;
  if (reason == 0) reason = unsynced = dk_file_sync(file->fd);
  if (reason == 0) {
    file->length += length;
    return DK_OK;
  }
  file->is_broken = dk_file_cut(file->fd, file->length) != 0 || unsynced != 0;
  return dk_fail_errno(failure, file->path, reason);
}

dk_status dk_record_file_read (dk_record_file *file, void *bytes, size_t length, uint64_t offset, size_t *count, dk_failure *failure) {
  ptrdiff_t n;
  do n = dk_file_read_at(file->fd, bytes, length, offset);
  while (n < 0 && errno == EINTR);
  *count = n > 0 ? (size_t)n : 0;
  return n >= 0 ? DK_OK : dk_fail_errno(failure, file->path, errno);
}

dk_status dk_record_file_cut (dk_record_file *file, uint64_t length, dk_failure *failure) {
  const char *why = refusal(file);
  if (why != NULL) return refuse(file, why, failure);
  int reason = dk_file_cut(file->fd, length);
  if (reason == 0) reason = dk_file_sync(file->fd);
  if (reason != 0) return dk_fail_errno(failure, file->path, reason);
  file->length = length;
  return DK_OK;
}
