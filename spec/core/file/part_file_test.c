/* part_file_test.c - the system calls of a part file: their order, and the result if one fails. The test program replaces these
 * functions of the C library. */
#define _GNU_SOURCE              /* mkdtemp, syscall */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "file/download.h"
#include "file/part_file.h"
#include "file/private_file.h"
#include "support/check.h"

/* ---- the replaced functions ---- */

static struct {
  size_t most;                   /* the most bytes that one write writes; 0: all */
  size_t room;                   /* bytes until the disk is full; 0: never */
  int fsync_reason;              /* errno of each fsync; 0: it works */
  int noreplace_reason, link_reason;     /* errno of each; 0: it works */
} machine;
static size_t written;
static char calls[64];           /* a letter for each: w, f, r, l; x: a folder is synced */

static void note (char call) {
  size_t length = strlen(calls);
  if (length > 0 && calls[length - 1] == call) return;         /* repeated calls are recorded once */
  if (length + 1 < sizeof calls) calls[length] = call;
}

__attribute__((visibility("default")))
ssize_t write (int fd, const void *bytes, size_t length) {
  if (fd <= STDERR_FILENO) return syscall(SYS_write, fd, bytes, length);
  note('w');
  if (machine.room > 0 && written + length > machine.room) length = machine.room - written;
  if (length == 0) {
    errno = ENOSPC;
    return -1;
  }
  if (machine.most > 0 && length > machine.most) length = machine.most;
  written += length;
  return syscall(SYS_write, fd, bytes, length);
}

__attribute__((visibility("default")))
int fsync (int fd) {
  struct stat info;
  note(fstat(fd, &info) == 0 && S_ISDIR(info.st_mode) ? 'x' : 'f');
  errno = machine.fsync_reason;
  return machine.fsync_reason != 0 ? -1 : 0;
}

__attribute__((visibility("default")))
int renameat (int from_folder, const char *from, int to_folder, const char *to) {
  note('r');
  return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

__attribute__((visibility("default")))
int renameat2 (int from_folder, const char *from, int to_folder, const char *to, unsigned flags) {
  note('r');
  if (machine.noreplace_reason == 0) return (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, flags);
  errno = machine.noreplace_reason;
  return -1;
}

__attribute__((visibility("default")))
int linkat (int from_folder, const char *from, int to_folder, const char *to, int flags) {
  note('l');
  if (machine.link_reason == 0) return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
  errno = machine.link_reason;
  return -1;
}

/* ---- files ---- */

static char folder[] = "/tmp/part_file_test.XXXXXX";
static dk_failure failure;

static const char image[] = "\xFF\xD8\xFF\xD0" "whole\xFF\xD9!";
enum { IMAGE = sizeof image - 1 };

/* the folder's names are removed here: a shell for each of them takes minutes where a processor is emulated */
static void begin (void) {
  memset(&machine, 0, sizeof machine);
  memset(calls, 0, sizeof calls);
  written = 0;
  DIR *dir = chdir(folder) == 0 ? opendir(".") : NULL;
  if (dir == NULL) abort();
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 && remove(entry->d_name) != 0) abort();
  }
  closedir(dir);
}

static int count_names (void) {
  int count = 0;
  DIR *dir = opendir(folder);
  if (dir == NULL) abort();
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) count += entry->d_name[0] != '.';
  closedir(dir);
  return count;
}

static bool file_is (const char *name, const char *bytes, size_t length) {
  char came[256];
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, came, sizeof came);
  if (fd >= 0) close(fd);
  return n == (ssize_t)length && memcmp(came, bytes, length) == 0;
}

/* a download of the image, in two pieces */
static dk_status download (const char *name, bool overwrite) {
  dk_download file;
  dk_download_init(&file);
  dk_status status = dk_download_open(&file, name, overwrite, 1000, &failure);
  if (status == DK_OK) status = dk_download_write(&file, image, 5, &failure);
  if (status == DK_OK) status = dk_download_write(&file, image + 5, IMAGE - 5, &failure);
  if (status == DK_OK) status = dk_download_finish(&file, &failure);
  dk_download_discard(&file);
  return status;
}

static void write_old (const char *name) {
  int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 || syscall(SYS_write, fd, "old", 3) != 3 || close(fd) != 0) abort();
}

/* a power cut after the rename must not leave an empty file under the name */
static void is_synced_before_it_has_its_name (void) {
  begin();
  CHECK(download("a.jpg", false) == DK_OK && file_is("a.jpg", image, IMAGE));
  CHECK(strcmp(calls, "wfr") == 0);
  begin();
  CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_OK && file_is("store", "tokens", 6));
  CHECK(strcmp(calls, "wfrx") == 0);
}

static void a_write_that_takes_less_is_gone_on_with (void) {
  for (size_t most = 1; most < 8; most++) {
    begin();
    machine.most = most;
    CHECK(download("a.jpg", false) == DK_OK && file_is("a.jpg", image, IMAGE));
    CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_OK && file_is("store", "tokens", 6));
  }
}

static void a_full_disk_leaves_what_was_there (void) {
  for (size_t room = 1; room < 6; room++) {
    begin();
    write_old("a.jpg");
    write_old("store");
    if (chmod("store", 0600) != 0) abort();
    machine.room = room;
    CHECK(download("a.jpg", true) == DK_DISK && strstr(failure.text, "the disk is full") != NULL);
    written = 0;
    CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_DISK && strstr(failure.text, "the disk is full") != NULL);
    CHECK(dk_private_file_check("store", &failure) == DK_DISK && dk_download_check("b.jpg", false, &failure) == DK_DISK);
    CHECK(file_is("a.jpg", "old", 3) && file_is("store", "old", 3) && count_names() == 2);
  }
}

static void a_sync_that_fails_leaves_what_was_there (void) {
  begin();
  write_old("a.jpg");
  write_old("store");
  machine.fsync_reason = EIO;
  CHECK(download("a.jpg", true) == DK_FILE && strstr(failure.text, strerror(EIO)) != NULL);
  CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_FILE && strstr(failure.text, strerror(EIO)) != NULL);
  CHECK(file_is("a.jpg", "old", 3) && file_is("store", "old", 3) && count_names() == 2);
}

/* some file systems have no RENAME_NOREPLACE, and some of these no links: exFAT, 9p, some of FUSE */
static const struct { int noreplace, link; const char *calls; } systems[] = {
  {0, 0, "wfr"},
  {EINVAL, 0, "wfrl"}, {ENOSYS, 0, "wfrl"}, {EPERM, 0, "wfrl"}, {EOPNOTSUPP, 0, "wfrl"},
  {EINVAL, EPERM, "wfrlr"}, {ENOSYS, ENOSYS, "wfrlr"}, {EPERM, EOPNOTSUPP, "wfrlr"}, {EOPNOTSUPP, EINVAL, "wfrlr"}, {EINVAL, EMLINK, "wfrlr"},
};
enum { SYSTEMS = sizeof systems / sizeof *systems };

static void begin_on (int system) {
  begin();
  machine.noreplace_reason = systems[system].noreplace;
  machine.link_reason = systems[system].link;
}

static void on_any_file_system (void) {
  for (int system = 0; system < SYSTEMS; system++) {
    begin_on(system);
    CHECK(download("a.jpg", false) == DK_OK && file_is("a.jpg", image, IMAGE) && count_names() == 1);
    CHECK(strcmp(calls, systems[system].calls) == 0);
    struct stat info;
    mode_t mask = umask(0);
    umask(mask);
    CHECK(stat("a.jpg", &info) == 0 && (info.st_mode & 0777) == (0666 & ~mask));
    CHECK(download("a.jpg", false) == DK_FILE_EXISTS && count_names() == 1);
    CHECK(download("a.jpg", true) == DK_OK && count_names() == 1);
  }
}

static void keeps_what_took_the_name_meanwhile (void) {
  for (int system = 0; system < SYSTEMS; system++) {
    dk_part_file part;
    begin_on(system);
    CHECK(dk_part_file_open(&part, "a.jpg", 0600) == 0 && dk_part_file_write(&part, "new", 3) == 0);
    write_old("a.jpg");
    CHECK(dk_part_file_commit(&part, false) == EEXIST);
    dk_part_file_discard(&part);
    CHECK(file_is("a.jpg", "old", 3) && count_names() == 1);
  }
}

/* the temporary name fits if the final name does */
static void names_of_every_length (void) {
  enum { LONGEST = 255 };        /* here */
  for (size_t length = 1; length < LONGEST + 10; length++) {
    char name[300];
    begin();
    memset(name, 'a', length);
    name[length] = '\0';
    bool fits = length <= LONGEST;
    CHECK(download(name, false) == (fits ? DK_OK : DK_FILE) && unlink(name) == (fits ? 0 : -1));
    dk_part_file part;
    CHECK(dk_part_file_open(&part, name, 0600) == (fits ? 0 : ENAMETOOLONG));
    dk_part_file_discard(&part);
    CHECK(dk_private_file_write(name, "x", 1, &failure) == (fits ? DK_OK : DK_FILE));
    CHECK(dk_download_check(name, true, &failure) == (fits ? DK_OK : DK_FILE) && dk_private_file_check(name, &failure) == (fits ? DK_OK : DK_FILE));
  }
}

static void names_that_cannot_be (void) {
  static const struct { const char *path; int reason; } rows[] = {{"", ENOENT}, {"a/", EISDIR}, {"/", EISDIR}, {"none/a", ENOENT}, {"file/a", ENOTDIR}};
  begin();
  write_old("file");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_part_file part;
    if (!CHECK(dk_part_file_open(&part, rows[i].path, 0600) == rows[i].reason)) fprintf(stderr, "  '%s'\n", rows[i].path);
    dk_part_file_discard(&part);
  }
  CHECK(count_names() == 1);
}

/* the program may change its folder in between */
static void stays_in_its_folder (void) {
  for (int overwrite = 0; overwrite < 2; overwrite++) {
    dk_part_file whole, dropped;
    begin();
    if (mkdir("other", 0700) != 0) abort();
    CHECK(dk_part_file_open(&whole, "a.jpg", 0600) == 0 && dk_part_file_open(&dropped, "b.jpg", 0600) == 0 && dk_part_file_write(&whole, "new", 3) == 0);
    if (chdir("other") != 0) abort();
    CHECK(dk_part_file_commit(&whole, overwrite) == 0);
    dk_part_file_discard(&whole);
    dk_part_file_discard(&dropped);
    CHECK(file_is("../a.jpg", "new", 3) && count_names() == 2);
  }
}

int main (void) {
  static const check_test tests[] = {
    {"is_synced_before_it_has_its_name", is_synced_before_it_has_its_name},
    {"a_write_that_takes_less_is_gone_on_with", a_write_that_takes_less_is_gone_on_with},
    {"a_full_disk_leaves_what_was_there", a_full_disk_leaves_what_was_there},
    {"a_sync_that_fails_leaves_what_was_there", a_sync_that_fails_leaves_what_was_there},
    {"on_any_file_system", on_any_file_system},
    {"keeps_what_took_the_name_meanwhile", keeps_what_took_the_name_meanwhile},
    {"names_of_every_length", names_of_every_length},
    {"names_that_cannot_be", names_that_cannot_be},
    {"stays_in_its_folder", stays_in_its_folder},
  };
  if (mkdtemp(folder) == NULL) abort();
  int ended = CHECK_RUN(tests);
  begin();
  rmdir(folder);
  return ended;
}
