#include "file/private_file.h"

#include <errno.h>
#include <string.h>

#include "file/part_file.h"
#include "file/symlink.h"
#include "os/os.h"

static dk_status fail (dk_failure *failure, const char *path, const char *reason) {
  return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", path, reason);
}

/* why the file is not used; NULL: it is used */
static const char *refusal (const dk_file_info *info) {
  if (info->kind == DK_KIND_FOLDER) return "it is a folder";
  if (info->kind != DK_KIND_REGULAR) return "it is not a regular file";
  if (!info->is_own) return "it belongs to another user";
  if (info->is_open_to_others) return "others can read or write it: " DK_LET_ONLY_OWNER ", or delete it if they may know its keys";
  return NULL;
}

dk_status dk_private_file_resolve (const char *path, char target[DK_MAX_PATH], dk_failure *failure) {
  dk_file_info info;
  dk_status status = dk_symlink_resolve(path, target, failure);
  if (status != DK_OK || strcmp(path, target) == 0 || dk_file_look(target, &info) != ENOENT) return status;
  return fail(failure, path, "it is a symbolic link that leads to nothing: make that file, or remove the link");
}

static dk_status read_all (int fd, const char *path, dk_buffer *out, dk_failure *failure) {
  char piece[4096];
  dk_status status = DK_OK;
  ptrdiff_t n;
  while (status == DK_OK && (n = dk_file_read(fd, piece, sizeof piece)) != 0) {
    if (n > 0) status = dk_buffer_add(out, piece, (size_t)n);
    else if (errno != EINTR) status = fail(failure, path, strerror(errno));
  }
  dk_wipe(piece, sizeof piece);
  if (status == DK_OVER_LIMIT) return dk_fail(failure, status, DK_PATH_FORMAT ": it is larger than such a file can be", path);
  if (status == DK_NO_MEMORY) return dk_fail(failure, status, "no memory");
  return status;
}

dk_status dk_private_file_read (const char *path, dk_buffer *out, bool *exists, dk_failure *failure) {
  dk_file_info info;
  char target[DK_MAX_PATH];
  *exists = false;
  dk_status status = dk_private_file_resolve(path, target, failure);
  if (status != DK_OK) return status;
  int fd = dk_file_open(target, false, &info);
  if (fd < 0) return errno == ENOENT ? DK_OK : fail(failure, path, strerror(errno));
  const char *reason = refusal(&info);
  status = reason != NULL ? fail(failure, path, reason) : read_all(fd, path, out, failure);
  dk_file_close(fd);
  *exists = status == DK_OK;
  return status;
}

/* like dk_private_file_resolve; refuses a file that is not used */
static dk_status find_target (const char *path, char target[DK_MAX_PATH], dk_failure *failure) {
  dk_file_info info;
  dk_status status = dk_private_file_resolve(path, target, failure);
  const char *reason = status == DK_OK && dk_file_look(target, &info) == 0 ? refusal(&info) : NULL;
  return reason != NULL ? fail(failure, path, reason) : status;
}

dk_status dk_private_file_check (const char *path, dk_failure *failure) {
  static const char zeros[4096] = {0};
  char target[DK_MAX_PATH];
  dk_part_file part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int reason = dk_part_file_open(&part, target, 0600);
  if (reason == 0) reason = dk_part_file_write(&part, zeros, sizeof zeros);
  dk_part_file_discard(&part);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}

dk_status dk_private_file_write (const char *path, const char *bytes, size_t length, dk_failure *failure) {
  char target[DK_MAX_PATH];
  dk_part_file part;
  dk_status status = find_target(path, target, failure);
  if (status != DK_OK) return status;
  int reason = dk_part_file_open(&part, target, 0600);
  if (reason == 0) reason = dk_file_make_private(part.fd);         /* an umask may have removed even the owner's permissions */
  if (reason == 0) reason = dk_part_file_write(&part, bytes, length);
  if (reason == 0) reason = dk_part_file_commit(&part, true);
  if (reason == 0) dk_part_file_sync_folder(&part);
  dk_part_file_discard(&part);
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}

/* 0, or errno */
static int make_one_folder (const char *path, bool is_private) {
  dk_file_info info;
  return dk_file_look_behind(path, &info) == 0 && info.kind == DK_KIND_FOLDER ? 0 : dk_file_make_folder(path, is_private);
}

dk_status dk_folder_make (const char *path, bool is_private, dk_failure *failure) {
  char folder[DK_MAX_PATH] = "";
  int reason = strlen(path) < DK_MAX_PATH ? 0 : ENAMETOOLONG;
  for (const char *end = path; reason == 0 && *end != '\0';) {
    end += strspn(end, DK_SEPARATORS);
    end += strcspn(end, DK_SEPARATORS);
    memcpy(folder, path, (size_t)(end - path));
    folder[end - path] = '\0';
    reason = make_one_folder(folder, is_private);
  }
  return reason == 0 ? DK_OK : dk_fail_errno(failure, path, reason);
}
