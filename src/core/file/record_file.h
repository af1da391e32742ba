/* record_file.h - a file that grows by whole records: each append is on the disk when it returns, or it is not in the file. */
#ifndef DK_RECORD_FILE_H
#define DK_RECORD_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/status.h"

typedef struct {
  char *path;                    /* owned; as it was given; NULL: closed */
  int fd;                        /* -1: closed */
  int owner;                     /* the process that opened it: a forked child writes nothing */
  bool is_broken;                /* what is behind length is unknown: nothing more is appended */
  uint64_t length;               /* bytes that are in the file */
} dk_record_file;

/* Closed. */
void dk_record_file_init (dk_record_file *file);

/* Opens the file, and makes it if there is none; its name survives a power failure. path: copied; a symbolic link is refused. One
 * process at a time may have it open: use a dk_file_lock. Errors: DK_FILE, DK_DISK, DK_NO_MEMORY; the file is closed then. */
dk_status dk_record_file_open (dk_record_file *file, const char *path, dk_failure *failure);

/* Appends bytes, and returns when they are on the disk. After an error, the file is cut off at its old length. After an error of the
 * sync, or of the cut, each later append fails, too: the system may have lost what it wrote. Errors: DK_DISK, DK_FILE: also if the file
 * was deleted, because what is written to it is lost then. */
dk_status dk_record_file_append (dk_record_file *file, const void *bytes, size_t length, dk_failure *failure);

/* Reads up to length bytes at the offset into bytes. *count: how many; 0: the end. Errors: DK_FILE. */
dk_status dk_record_file_read (dk_record_file *file, void *bytes, size_t length, uint64_t offset, size_t *count, dk_failure *failure);

/* Removes what is behind the first length bytes. Errors: DK_FILE, DK_DISK. */
dk_status dk_record_file_cut (dk_record_file *file, uint64_t length, dk_failure *failure);

/* Closes it; a second call changes nothing. */
void dk_record_file_close (dk_record_file *file);

#endif
