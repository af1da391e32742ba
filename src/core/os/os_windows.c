#ifdef _WIN32
#include "os/os.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "os/file.h"
#include "os/paths_windows.h"
#include "os/sigpipe.h"
#include "os/threads.h"
#include <bcrypt.h>
#include <sddl.h>

/* ---- memory, time, the process ---- */

/* volatile: the compiler keeps writes that nobody reads; SecureZeroMemory needs optimisation to link with MinGW */
void dk_wipe (void *bytes, size_t length) {
  volatile unsigned char *at = (volatile unsigned char *)bytes;
  while (length-- > 0) *at++ = 0;
}

const void *dk_find_bytes (const void *text, size_t length, const void *needle, size_t needle_length) {
  const char *at = (const char *)text, *first = (const char *)needle;
  for (; length >= needle_length; at++, length--) {
    const char *next = (const char *)memchr(at, *first, length - needle_length + 1);
    if (next == NULL) return NULL;
    length -= (size_t)(next - at);
    at = next;
    if (memcmp(at, needle, needle_length) == 0) return at;
  }
  return NULL;
}

bool dk_random_bytes (void *bytes, size_t length) {
  return BCryptGenRandom(NULL, (PUCHAR)bytes, (ULONG)length, BCRYPT_USE_SYSTEM_PREFERRED_RNG) >= 0;
}

double dk_now (void) {
  LARGE_INTEGER count, frequency;
  QueryPerformanceCounter(&count);
  QueryPerformanceFrequency(&frequency);
  return (double)count.QuadPart / (double)frequency.QuadPart;
}

void dk_sleep_milliseconds (int milliseconds) { Sleep((DWORD)milliseconds); }

int dk_os_process_id (void) { return (int)GetCurrentProcessId(); }

/* there is no fork */
void *dk_new_wiped_in_child (size_t length) { return calloc(1, length); }

void dk_free_wiped_in_child (void *memory, size_t length) {
  (void)length;
  free(memory);
}

/* the functions of a DLL run when the other threads are gone, and maybe in the middle of a lock */
bool dk_at_exit (void (*run) (void)) { return (void)run, true; }

void dk_pin_library (const void *address) {
  HMODULE module;
  (void)GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS, (LPCWSTR)address, &module);
}

void dk_host_name (char *name, size_t size) {
  DWORD room = (DWORD)size;
  if (!GetComputerNameA(name, &room)) name[0] = '\0';
}

/* it has no folders of root certificates: the system itself has them */
bool dk_folder_has (const char *path, bool (*is_wanted) (const char *name)) { return (void)path, (void)is_wanted, false; }

/* there is no SIGPIPE */
void dk_sigpipe_block (dk_sigpipe_guard *guard) { guard->blocked = false; }
void dk_sigpipe_unblock (dk_sigpipe_guard *guard) { (void)guard; }

#if DK_HAS_THREADS
typedef struct { void *(*run) (void *); void *arg; } start;

static DWORD WINAPI run_start (void *arg) {
  start s = *(start *)arg;
  free(arg);
  s.run(s.arg);
  return 0;
}

bool dk_thread_start (dk_thread *thread, void *(*run) (void *), void *arg) {
  start *s = (start *)malloc(sizeof *s);
  if (s == NULL) return false;
  s->run = run;
  s->arg = arg;
  *thread = CreateThread(NULL, 0, run_start, s, 0, NULL);
  if (*thread == NULL) free(s);
  return *thread != NULL;
}
#endif

/* ---- paths_windows.h ---- */

int dk_windows_errno (void) {
  static const struct { DWORD error; int number; } numbers[] = {
    {ERROR_FILE_NOT_FOUND, ENOENT}, {ERROR_PATH_NOT_FOUND, ENOENT}, {ERROR_INVALID_DRIVE, ENOENT}, {ERROR_BAD_NETPATH, ENOENT},
    {ERROR_BAD_NET_NAME, ENOENT}, {ERROR_ACCESS_DENIED, EACCES}, {ERROR_SHARING_VIOLATION, EACCES}, {ERROR_LOCK_VIOLATION, EACCES},
    {ERROR_FILE_EXISTS, EEXIST}, {ERROR_ALREADY_EXISTS, EEXIST}, {ERROR_DISK_FULL, ENOSPC}, {ERROR_HANDLE_DISK_FULL, ENOSPC},
    {ERROR_WRITE_PROTECT, EROFS}, {ERROR_INVALID_NAME, EINVAL}, {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE}, {ERROR_NOT_ENOUGH_MEMORY, ENOMEM}, {ERROR_OUTOFMEMORY, ENOMEM}, {ERROR_DIRECTORY, ENOTDIR},
    {1295 /* ERROR_DISK_QUOTA_EXCEEDED */, EDQUOT}, {ERROR_FILE_TOO_LARGE, EFBIG}, {ERROR_NO_UNICODE_TRANSLATION, EILSEQ}};
  DWORD error = GetLastError();
  errno = EIO;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (numbers[i].error == error) errno = numbers[i].number;
  return errno;
}

/* the error of Win32 is the same as without permission; mingw's headers lack the function */
__declspec(dllimport) LONG NTAPI RtlGetLastNtStatus (void);

bool dk_is_being_deleted (void) {
  const DWORD delete_pending = 0xC0000056;
  return (DWORD)RtlGetLastNtStatus() == delete_pending;
}

static wchar_t *widen (const char *text, UINT page, DWORD flags) {
  int length = MultiByteToWideChar(page, flags, text, -1, NULL, 0);
  wchar_t *wide = length > 0 ? (wchar_t *)malloc((size_t)length * sizeof *wide) : NULL;
  if (wide != NULL) MultiByteToWideChar(page, flags, text, -1, wide, length);
  return wide;
}

wchar_t *dk_wide_path (const char *path) {
  static const wchar_t prefix[] = L"\\\\?\\", share[] = L"\\\\?\\UNC";
  wchar_t *wide = widen(path, CP_UTF8, MB_ERR_INVALID_CHARS);
  if (wide == NULL) wide = widen(path, CP_ACP, 0);
  DWORD room = wide != NULL ? GetFullPathNameW(wide, 0, NULL, NULL) : 0;
  wchar_t *full = room > 0 ? (wchar_t *)malloc((room + sizeof share / sizeof *share) * sizeof *full) : NULL;
  if (full == NULL) {
    errno = wide != NULL && room == 0 ? ENOENT : ENOMEM;
    free(wide);
    return NULL;
  }
  GetFullPathNameW(wide, room, full, NULL);
  free(wide);
  bool is_share = wcsncmp(full, L"\\\\", 2) == 0, is_special = is_share && (full[2] == L'?' || full[2] == L'.');
  if (is_special) return full;
  const wchar_t *front = is_share ? share : prefix, *rest = is_share ? full + 1 : full;
  memmove(full + wcslen(front), rest, (wcslen(rest) + 1) * sizeof *full);
  memcpy(full, front, wcslen(front) * sizeof *full);
  return full;
}

char *dk_utf8 (const wchar_t *text) {
  int length = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);
  char *copy = length > 0 ? (char *)malloc((size_t)length) : NULL;
  if (copy != NULL) WideCharToMultiByte(CP_UTF8, 0, text, -1, copy, length, NULL, NULL);
  else errno = ENOMEM;
  return copy;
}

int dk_descriptor_of (HANDLE handle) {
  int fd = _open_osfhandle((intptr_t)handle, _O_BINARY | _O_NOINHERIT);
  if (fd < 0) CloseHandle(handle);
  return fd;
}

HANDLE dk_handle_of (int fd) { return (HANDLE)_get_osfhandle(fd); }

PSECURITY_DESCRIPTOR dk_private_permissions (void) {
  PSECURITY_DESCRIPTOR permissions = NULL;
  union { TOKEN_USER user; char room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE]; } owner;
  wchar_t text[400], *sid = NULL;
  HANDLE token;
  DWORD length;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return NULL;
  if (GetTokenInformation(token, TokenUser, &owner, sizeof owner, &length) && ConvertSidToStringSidW(owner.user.User.Sid, &sid)) {
    _snwprintf(text, sizeof text / sizeof *text, L"D:P(A;;FA;;;%ls)(A;;FA;;;SY)(A;;FA;;;BA)", sid);
    (void)ConvertStringSecurityDescriptorToSecurityDescriptorW(text, SDDL_REVISION_1, &permissions, NULL);
    LocalFree(sid);
  }
  CloseHandle(token);
  return permissions;
}
#endif
