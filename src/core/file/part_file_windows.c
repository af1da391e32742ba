#ifdef _WIN32
#include "file/part_file_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "os/paths_windows.h"
#include <aclapi.h>

/* The lock of a part file is how it is open: it can be renamed (FILE_SHARE_DELETE), and not opened by anybody who does not share writes. */

/* ---- names; part->name is the whole path ---- */

/* 0, or errno: whether Windows can give a file this name, which it would say only after the image was paid for */
static int check_name (const char *name) {
  size_t length = strlen(name);
  if (length == 0) return EISDIR;
  if (dk_part_file_is_part(name)) return EINVAL;
  if (length > 255) return ENAMETOOLONG;
  return strpbrk(name, "<>:\"|?*") != NULL || strchr(" .", name[length - 1]) != NULL ? EINVAL : 0;
}

int dk_part_file_open_target (dk_part_file *part, const char *path) {
  part->limit = UINT64_MAX;
  const char *name = path + dk_file_folder_length(path);
  int reason = *path == '\0' ? ENOENT : check_name(name);
  if (reason != 0) return reason;
  char *absolute = dk_file_absolute(path);
  if (absolute == NULL) return errno;
  if (strncmp(absolute, "\\\\.\\", 4) == 0) reason = EINVAL;    /* the name of a device, such as NUL */
  else if (strlen(absolute) >= sizeof part->name) reason = ENAMETOOLONG;
  else strcpy(part->name, absolute);
  free(absolute);
  return reason;
}

/* the path of the temporary name; the caller frees it; NULL: errno */
static wchar_t *part_path (const dk_part_file *part) {
  size_t length = dk_file_folder_length(part->name);
  char *path = (char *)malloc(length + sizeof part->part_name);
  if (path == NULL) return NULL;
  memcpy(path, part->name, length);
  strcpy(path + length, part->part_name);
  wchar_t *wide = dk_wide_path(path);
  free(path);
  return wide;
}

bool dk_part_file_remove_abandoned (const dk_part_file *part) {
  wchar_t *path = part_path(part);
  if (path == NULL) return true;
  HANDLE file = CreateFileW(path, DELETE, 0, NULL, OPEN_EXISTING, FILE_FLAG_DELETE_ON_CLOSE, NULL);
  bool exists = file != INVALID_HANDLE_VALUE || GetLastError() != ERROR_FILE_NOT_FOUND;
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  free(path);
  return exists;
}

static HANDLE create_file (const dk_part_file *part, bool is_private) {
  wchar_t *path = part_path(part);
  if (path == NULL) return INVALID_HANDLE_VALUE;
  SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .lpSecurityDescriptor = is_private ? dk_private_permissions() : NULL};
  HANDLE file = CreateFileW(path, GENERIC_READ | GENERIC_WRITE | DELETE | READ_CONTROL | WRITE_DAC, FILE_SHARE_DELETE,
                            is_private ? &attributes : NULL, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, NULL);
  int reason = file == INVALID_HANDLE_VALUE ? dk_windows_errno() : 0;
  if (attributes.lpSecurityDescriptor != NULL) LocalFree(attributes.lpSecurityDescriptor);
  free(path);
  errno = reason;
  return file;
}

int dk_part_file_create (dk_part_file *part, unsigned mode) {
  HANDLE file = create_file(part, (mode & 077) == 0);
  if (file != INVALID_HANDLE_VALUE) return (part->fd = dk_descriptor_of(file)) >= 0 ? 0 : errno;
  int reason = errno;
  if (reason == EACCES && dk_part_file_remove_abandoned(part)) reason = EEXIST;   /* else nothing is there, so the folder refuses */
  return reason;
}

int dk_part_file_write (dk_part_file *part, const void *bytes, size_t length) {
  const char *at = (const char *)bytes;
  part->length += length;
  while (length > 0) {
    DWORD n = 0, most = length > 1 << 30 ? 1 << 30 : (DWORD)length;
    if (!WriteFile(dk_handle_of(part->fd), at, most, &n, NULL)) return dk_windows_errno();
    at += n;
    length -= n;
  }
  return 0;
}

/* ---- the permissions of the file that is replaced ---- */

int dk_part_file_copy_permissions (dk_part_file *part) {
  dk_file_info old;
  PSECURITY_DESCRIPTOR permissions;
  int reason = dk_file_look(part->name, &old);
  if (reason != 0) return reason == ENOENT ? 0 : reason;
  if (old.kind != DK_KIND_REGULAR) return EEXIST;
  wchar_t *path = dk_wide_path(part->name);
  if (path == NULL) return errno;
  DWORD error = GetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION, NULL, NULL, NULL, NULL, &permissions);
  free(path);
  SetLastError(error);
  if (error != 0) return dk_windows_errno();
  reason = SetKernelObjectSecurity(dk_handle_of(part->fd), DACL_SECURITY_INFORMATION, permissions) ? 0 : dk_windows_errno();
  LocalFree(permissions);
  return reason;
}

/* ---- the final name ---- */

/* The system refuses to replace a file that another process has open, also if it only looks at it. 0, or errno. */
static int rename_file (const wchar_t *from, const wchar_t *to, DWORD flags) {
  int reason = EACCES;
  for (int i = 0; i < DK_BUSY_TRIES && reason == EACCES; i++) {
    if (i > 0) Sleep(DK_BUSY_PAUSE);
    reason = MoveFileExW(from, to, flags) ? 0 : dk_windows_errno();
  }
  return reason;
}

/* The file stays open until it has its name: else another process could remove it as abandoned. */
int dk_part_file_commit (dk_part_file *part, bool overwrite) {
  if (!FlushFileBuffers(dk_handle_of(part->fd))) return dk_windows_errno();
  wchar_t *from = part_path(part), *to = dk_wide_path(part->name);
  int reason = from == NULL || to == NULL ? ENOMEM : 0;
  if (reason == 0) reason = rename_file(from, to, MOVEFILE_WRITE_THROUGH | (overwrite ? MOVEFILE_REPLACE_EXISTING : 0));
  free(from);
  free(to);
  if (reason != 0) return reason;
  part->part_name[0] = '\0';
  dk_file_close(part->fd);
  part->fd = -1;
  return 0;
}

/* MOVEFILE_WRITE_THROUGH has done it */
void dk_part_file_sync_folder (const dk_part_file *part) { (void)part; }

void dk_part_file_discard (dk_part_file *part) {
  FILE_DISPOSITION_INFO gone = {.DeleteFile = TRUE};
  if (part->fd >= 0) {
    if (part->part_name[0] != '\0') (void)SetFileInformationByHandle(dk_handle_of(part->fd), FileDispositionInfo, &gone, sizeof gone);
    dk_file_close(part->fd);
  }
  part->fd = -1;
  part->part_name[0] = '\0';
}
#endif
