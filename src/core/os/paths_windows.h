#ifdef _WIN32
/* paths_windows.h - what the files of Windows share: wide paths, errors, permissions. */
#ifndef DK_PATHS_WINDOWS_H
#define DK_PATHS_WINDOWS_H

#include <stdbool.h>
#include <winsock2.h>            /* first: windows.h would include the old one */
#include <windows.h>

/* The absolute path in UTF-16, also one of more than 260 characters. path: UTF-8, or else of the process's code page, as Lua's io
 * functions take it. The caller frees it. NULL: errno. */
wchar_t *dk_wide_path (const char *path);

/* UTF-8. The caller frees it. NULL: errno. */
char *dk_utf8 (const wchar_t *text);

/* The errno of the last call that failed; sets errno, too. */
int dk_windows_errno (void);

/* Whether the last call failed since the file is open somewhere and is removed when it closes, which is soon. */
bool dk_is_being_deleted (void);

/* How often, and after how many milliseconds, a call is repeated that another process's open handle refuses for a moment. */
enum { DK_BUSY_TRIES = 50, DK_BUSY_PAUSE = 5 };

/* A CRT descriptor for the handle, which then owns it; -1: errno, and the handle is closed. And the handle of a descriptor. */
int dk_descriptor_of (HANDLE handle);
HANDLE dk_handle_of (int fd);

/* Permissions of this user, the system and administrators alone, also if the folder grants more. The caller frees it by LocalFree.
 * NULL: no memory. */
PSECURITY_DESCRIPTOR dk_private_permissions (void);

#endif
#endif
