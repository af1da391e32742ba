#ifdef _WIN32
#include "os/file.h"

#include <errno.h>
#include <io.h>
#include <stdlib.h>
#include <string.h>

#include "os/paths_windows.h"
#include <aclapi.h>

enum { SHARE_ALL = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE };

/* ---- what is there ---- */

static bool is_known (PSID sid, WELL_KNOWN_SID_TYPE type) { return IsWellKnownSid(sid, type) != 0; }

static bool is_this_user (PSID sid) {
  union { TOKEN_USER user; char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE]; } own;
  HANDLE token;
  DWORD length;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return false;
  bool is_same = GetTokenInformation(token, TokenUser, &own, sizeof own, &length) && EqualSid(sid, own.user.User.Sid);
  CloseHandle(token);
  return is_same;
}

static bool is_trusted (PSID sid) {
  return is_this_user(sid) || is_known(sid, WinLocalSystemSid) || is_known(sid, WinBuiltinAdministratorsSid) ||
         is_known(sid, WinCreatorOwnerSid) || is_known(sid, WinCreatorOwnerRightsSid);
}

/* whether somebody else may read or write; no list grants everything */
static bool grants_others (PACL list) {
  const DWORD content = FILE_READ_DATA | FILE_WRITE_DATA | FILE_APPEND_DATA | GENERIC_READ | GENERIC_WRITE | GENERIC_ALL;
  if (list == NULL) return true;
  for (DWORD i = 0; i < list->AceCount; i++) {
    void *entry;
    if (!GetAce(list, i, &entry)) return true;
    ACCESS_ALLOWED_ACE *allowed = (ACCESS_ALLOWED_ACE *)entry;
    if (allowed->Header.AceType != ACCESS_ALLOWED_ACE_TYPE || !(allowed->Mask & content)) continue;
    if (!is_trusted((PSID)&allowed->SidStart)) return true;
  }
  return false;
}

static void describe_permissions (HANDLE file, dk_file_info *info) {
  PSID owner;
  PACL list;
  PSECURITY_DESCRIPTOR permissions;
  info->is_open_to_others = true;
  if (GetSecurityInfo(file, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &owner, NULL, &list, NULL, &permissions) != 0)
    return;
  info->is_own = is_this_user(owner) || is_known(owner, WinBuiltinAdministratorsSid);         /* an elevated process's files are theirs */
  info->is_roots = is_known(owner, WinLocalSystemSid);
  info->is_open_to_others = grants_others(list);
  LocalFree(permissions);
}

/* 0, or errno */
static int describe (HANDLE file, dk_file_info *info) {
  BY_HANDLE_FILE_INFORMATION found;
  *info = (dk_file_info){.kind = DK_KIND_DEVICE, .mode = 0600};
  DWORD type = GetFileType(file);
  if (type == FILE_TYPE_PIPE) info->kind = DK_KIND_PIPE;
  if (type != FILE_TYPE_DISK) return 0;
  if (!GetFileInformationByHandle(file, &found)) return dk_windows_errno();
  info->kind = found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? DK_KIND_FOLDER : DK_KIND_REGULAR;
  info->size = (uint64_t)found.nFileSizeHigh << 32 | found.nFileSizeLow;
  info->device = found.dwVolumeSerialNumber;
  describe_permissions(file, info);
  return 0;
}

/* INVALID_HANDLE_VALUE: errno. Folders open, too. A file that another process replaces at this moment is waited for. */
static HANDLE open_existing (const char *path, DWORD access) {
  wchar_t *wide = dk_wide_path(path);
  if (wide == NULL) return INVALID_HANDLE_VALUE;
  HANDLE file = INVALID_HANDLE_VALUE;
  for (int i = 0; i < DK_BUSY_TRIES && file == INVALID_HANDLE_VALUE; i++) {
    if (i > 0) Sleep(DK_BUSY_PAUSE);
    file = CreateFileW(wide, access, SHARE_ALL, NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    if (file == INVALID_HANDLE_VALUE && !dk_is_being_deleted()) break;
  }
  if (file == INVALID_HANDLE_VALUE) (void)dk_windows_errno();
  free(wide);
  return file;
}

int dk_file_look_behind (const char *path, dk_file_info *info) {
  HANDLE file = open_existing(path, FILE_READ_ATTRIBUTES | READ_CONTROL);
  if (file == INVALID_HANDLE_VALUE) return errno;
  int reason = describe(file, info);
  CloseHandle(file);
  return reason;
}

int dk_file_look (const char *path, dk_file_info *info) { return dk_file_look_behind(path, info); }

ptrdiff_t dk_file_read_link (const char *path, char *text, size_t size) {
  (void)path, (void)text, (void)size;
  errno = EINVAL;
  return -1;
}

int dk_file_check_writable (const char *path) {
  HANDLE file = open_existing(path, GENERIC_WRITE | DELETE);
  if (file == INVALID_HANDLE_VALUE) return errno;
  CloseHandle(file);
  return 0;
}

size_t dk_file_folder_length (const char *path) {
  size_t length = strlen(path);
  while (length > 0 && strchr(DK_SEPARATORS ":", path[length - 1]) == NULL) length--;
  return length;
}

char *dk_file_absolute (const char *path) {
  wchar_t *wide = dk_wide_path(path);
  char *copy = wide != NULL ? dk_utf8(wide) : NULL;
  free(wide);
  return copy;
}

int dk_file_make_folder (const char *path, bool is_private) {
  (void)is_private;
  wchar_t *wide = dk_wide_path(path);
  if (wide == NULL) return errno;
  int reason = CreateDirectoryW(wide, NULL) ? 0 : dk_windows_errno();
  free(wide);
  return reason;
}

/* ---- reads ---- */

int dk_file_open (const char *path, bool follows, dk_file_info *info) {
  (void)follows;
  HANDLE file = open_existing(path, GENERIC_READ);
  if (file == INVALID_HANDLE_VALUE) return -1;
  int reason = describe(file, info);
  if (reason == 0) return dk_descriptor_of(file);
  CloseHandle(file);
  errno = reason;
  return -1;
}

static ptrdiff_t read_from (int fd, void *bytes, size_t length, OVERLAPPED *place) {
  DWORD n = 0, most = length > 1 << 30 ? 1 << 30 : (DWORD)length;
  if (ReadFile(dk_handle_of(fd), bytes, most, &n, place)) return (ptrdiff_t)n;
  if (GetLastError() == ERROR_HANDLE_EOF || GetLastError() == ERROR_BROKEN_PIPE) return 0;
  (void)dk_windows_errno();
  return -1;
}

ptrdiff_t dk_file_read (int fd, void *bytes, size_t length) { return read_from(fd, bytes, length, NULL); }

ptrdiff_t dk_file_read_at (int fd, void *bytes, size_t length, uint64_t offset) {
  OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
  return read_from(fd, bytes, length, &place);
}

static HANDLE find_first (const char *path, WIN32_FIND_DATAW *entry) {
  size_t length = strlen(path);
  char *pattern = (char *)malloc(length + 3);
  wchar_t *wide = NULL;
  if (pattern != NULL) {
    memcpy(pattern, path, length);
    memcpy(pattern + length, "/*", 3);
    wide = dk_wide_path(pattern);
  }
  free(pattern);
  HANDLE search = wide != NULL ? FindFirstFileW(wide, entry) : INVALID_HANDLE_VALUE;
  if (wide != NULL && search == INVALID_HANDLE_VALUE) (void)dk_windows_errno();
  free(wide);
  return search;
}

static bool add_wide_name (const wchar_t *wide, bool (*add) (void *arg, const char *name), void *arg) {
  if (wcscmp(wide, L".") == 0 || wcscmp(wide, L"..") == 0) return true;
  char *name = dk_utf8(wide);
  bool added = name != NULL && add(arg, name);
  free(name);
  return added;
}

int dk_folder_list (const char *path, bool (*add) (void *arg, const char *name), void *arg) {
  WIN32_FIND_DATAW entry;
  if (path[0] == '\0') return ENOENT;
  HANDLE search = find_first(path, &entry);
  if (search == INVALID_HANDLE_VALUE) return errno;
  bool added, is_last = false;
  do {
    added = add_wide_name(entry.cFileName, add, arg);
    if (added) is_last = !FindNextFileW(search, &entry);
  } while (added && !is_last);
  int reason = !added ? ENOMEM : GetLastError() == ERROR_NO_MORE_FILES ? 0 : dk_windows_errno();
  FindClose(search);
  return reason;
}

/* ---- appends ---- */

int dk_file_open_to_append (const char *path, dk_file_info *info) {
  wchar_t *wide = dk_wide_path(path);
  if (wide == NULL) return -1;
  HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ, NULL, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
  int reason = file == INVALID_HANDLE_VALUE ? dk_windows_errno() : describe(file, info);
  free(wide);
  if (reason == 0 && info->kind != DK_KIND_REGULAR) reason = EINVAL;
  if (reason == 0) return dk_descriptor_of(file);
  if (file != INVALID_HANDLE_VALUE) CloseHandle(file);
  errno = reason;
  return -1;
}

bool dk_file_is_removed (int fd) {
  (void)fd;
  return false;
}

int dk_file_write_at (int fd, const void *bytes, size_t length, uint64_t offset) {
  const char *at = (const char *)bytes;
  while (length > 0) {
    OVERLAPPED place = {.Offset = (DWORD)offset, .OffsetHigh = (DWORD)(offset >> 32)};
    DWORD n = 0, most = length > 1 << 30 ? 1 << 30 : (DWORD)length;
    if (!WriteFile(dk_handle_of(fd), at, most, &n, &place)) return dk_windows_errno();
    at += n;
    offset += n;
    length -= n;
  }
  return 0;
}

int dk_file_sync (int fd) { return FlushFileBuffers(dk_handle_of(fd)) ? 0 : dk_windows_errno(); }

int dk_file_cut (int fd, uint64_t length) {
  FILE_END_OF_FILE_INFO end;
  end.EndOfFile.QuadPart = (LONGLONG)length;
  return SetFileInformationByHandle(dk_handle_of(fd), FileEndOfFileInfo, &end, sizeof end) ? 0 : dk_windows_errno();
}

/* MOVEFILE_WRITE_THROUGH has done it for each renamed file */
int dk_folder_sync (const char *path) {
  (void)path;
  return 0;
}

/* SetSecurityInfo would add what the folder passes on (wine adds it even to a protected list) */
int dk_file_make_private (int fd) {
  PSECURITY_DESCRIPTOR permissions = dk_private_permissions();
  if (permissions == NULL) return ENOMEM;
  int reason = SetKernelObjectSecurity(dk_handle_of(fd), DACL_SECURITY_INFORMATION, permissions) ? 0 : dk_windows_errno();
  LocalFree(permissions);
  return reason;
}

void dk_file_close (int fd) { _close(fd); }

/* ---- locks ---- */

/* Without sharing, nobody else can open the file, and the system removes it when the handle closes, also after a kill. A lock of a part
 * of the file (LockFileEx) would leave the file, and the question who may remove it. */
int dk_file_open_locked (const char *path) {
  wchar_t *wide = dk_wide_path(path);
  if (wide == NULL) return -1;
  SECURITY_ATTRIBUTES attributes = {.nLength = sizeof attributes, .lpSecurityDescriptor = dk_private_permissions()};
  HANDLE file = CreateFileW(wide, GENERIC_READ | GENERIC_WRITE | DELETE, 0, &attributes, OPEN_ALWAYS, FILE_FLAG_DELETE_ON_CLOSE, NULL);
  DWORD error = GetLastError();
  bool is_going = file == INVALID_HANDLE_VALUE && dk_is_being_deleted();
  free(wide);
  LocalFree(attributes.lpSecurityDescriptor);
  if (file != INVALID_HANDLE_VALUE) return dk_descriptor_of(file);
  SetLastError(error);
  if (error == ERROR_SHARING_VIOLATION || is_going) errno = EWOULDBLOCK;
  else (void)dk_windows_errno();
  return -1;
}

/* the close removes the file, and frees the lock */
void dk_file_unlock (int fd, const char *path) { (void)fd, (void)path; }
#endif
