/* file.h - files by path: what is at a path, opening for reads, locks. A function that returns an int gives 0, or errno; one that
 * returns a descriptor gives -1 after an error, and errno. Paths are of bytes; on Windows they are UTF-8. */
#ifndef DK_FILE_H
#define DK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef _WIN32
#include <errno.h>
#ifndef EDQUOT
#define EDQUOT 10069             /* winsock's number */
#endif
#define DK_SEPARATORS "/\\"       /* of folders in a path */
#define DK_LET_ONLY_OWNER "permit only your account to use it"
enum { DK_HAS_LINKS = false };   /* the system follows links by itself, and lets only administrators make them */
enum { DK_MAX_PATH = 8192, DK_MAX_FILE_NAME = DK_MAX_PATH };   /* bytes, with the NUL; NTFS has 32,767 UTF-16 units */
#else
#define DK_SEPARATORS "/"
#define DK_LET_ONLY_OWNER "chmod 600 it"
enum { DK_HAS_LINKS = true };
enum { DK_MAX_PATH = 4096, DK_MAX_FILE_NAME = 1536 };          /* Linux's limit; of a name: 255 on most file systems, 1,530 on FAT */
#endif

typedef enum { DK_KIND_REGULAR, DK_KIND_FOLDER, DK_KIND_LINK, DK_KIND_PIPE, DK_KIND_SOCKET, DK_KIND_DEVICE } dk_file_kind;

typedef struct {
  dk_file_kind kind;
  uint64_t size;                 /* bytes */
  uint64_t device;               /* of its file system */
  unsigned mode;                 /* the permissions; 0600 on a system without them */
  bool is_own, is_roots;         /* its owner */
  bool is_open_to_others;        /* who are neither its owner nor an administrator */
} dk_file_info;

/* What is at a path: the link itself, or the file behind it. */
int dk_file_look (const char *path, dk_file_info *info);
int dk_file_look_behind (const char *path, dk_file_info *info);

/* The text of a symbolic link, without a NUL. Returns its length, at most size; -1: errno. */
ptrdiff_t dk_file_read_link (const char *path, char *text, size_t size);

/* 0: the process may write the file. */
int dk_file_check_writable (const char *path);

/* The folder in front of a path's last name, with its slash, as a length; 0: there is none. */
size_t dk_file_folder_length (const char *path);

/* A copy of the absolute path, or of the path as it is if the current folder is unknown. The caller frees it; NULL: no memory. */
char *dk_file_absolute (const char *path);

/* Opens for reads, and never waits, as open would for the other end of a pipe. follows: also a symbolic link. The caller closes the
 * descriptor, by dk_file_close. */
int dk_file_open (const char *path, bool follows, dk_file_info *info);

/* As read and pread: the number of bytes; 0: the end; -1: errno. */
ptrdiff_t dk_file_read (int fd, void *bytes, size_t length);
ptrdiff_t dk_file_read_at (int fd, void *bytes, size_t length, uint64_t offset);

/* Makes a folder. is_private: only its owner can read it; on Windows, it always has the permissions of the folder around it. 0, or errno. */
int dk_file_make_folder (const char *path, bool is_private);

/* Calls add with each name in a folder, but not with "." and "..", until it returns false: no memory. name: borrowed during the call.
 * 0, or errno. */
int dk_folder_list (const char *path, bool (*add) (void *arg, const char *name), void *arg);

/* Opens a regular file for reads and writes, and makes it if there is none. It follows no symbolic link. The caller closes the descriptor. */
int dk_file_open_to_append (const char *path, dk_file_info *info);

/* Writes all bytes at the offset. 0, or errno: EFBIG, where more bytes would raise SIGXFSZ. */
int dk_file_write_at (int fd, const void *bytes, size_t length, uint64_t offset);

/* Whether an open file has no name any more: what is written to it is lost when it is closed. Never true on Windows, where an open file
 * keeps its name. */
bool dk_file_is_removed (int fd);

/* Makes what was written survive a power failure. 0, or errno. */
int dk_file_sync (int fd);

/* Removes what is behind the first length bytes. 0, or errno. */
int dk_file_cut (int fd, uint64_t length);

/* Makes the names in a folder survive a power failure, if the file system can. path: of the folder, or "" for the current one.
 * 0, or errno. */
int dk_folder_sync (const char *path);

/* Permits only the owner to read and write an open file. */
int dk_file_make_private (int fd);

void dk_file_close (int fd);

/* Makes the file, if there is none, and locks it for this process until dk_file_unlock or the process's end. Never waits; errno is
 * EWOULDBLOCK if another owner holds the lock. */
int dk_file_open_locked (const char *path);

/* Removes the file, if the path still leads to it, and frees the lock, also for the copies that forked children have. Close the
 * descriptor next. */
void dk_file_unlock (int fd, const char *path);

#endif
