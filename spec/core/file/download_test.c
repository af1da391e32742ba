/* download_test.c - the file of a download: the files that it may replace, their permissions, and files of killed processes. */
#define _GNU_SOURCE              /* mkdtemp, mkfifo, mknod */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/xattr.h>
#endif
#include <unistd.h>

#include "file/download.h"
#include "file/part_file.h"
#include "file/private_file.h"
#include "support/check.h"

static char folder[] = "/tmp/download_test.XXXXXX";
static dk_failure failure;

static const char image[] = "\xFF\xD8\xFF\xD0" "whole\xFF\xD9!";
enum { IMAGE = sizeof image - 1, OTHER_USER = 12345 };

static void must (bool done) {
  if (!done) {
    perror("download_test");
    abort();
  }
}

static void begin (void) {
  must(chdir(folder) == 0 && system("rm -rf ./* ./.??*") == 0);
}

static int count_names (void) {
  int count = 0;
  DIR *dir = opendir(".");
  must(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
  closedir(dir);
  return count;
}

static bool file_is (const char *name, const char *bytes, size_t length) {
  char came[256];
  int fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, came, sizeof came);
  if (fd >= 0) close(fd);
  return n == (ssize_t)length && memcmp(came, bytes, length) == 0;
}

static bool is_new (const char *name) { return file_is(name, image, IMAGE); }
static bool is_old (const char *name) { return file_is(name, "old", 3); }

static void write_old (const char *name, mode_t mode) {
  int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  must(fd >= 0 && write(fd, "old", 3) == 3 && fchmod(fd, mode) == 0 && close(fd) == 0);
}

static mode_t mode_of (const char *name) {
  struct stat info;
  return lstat(name, &info) == 0 ? info.st_mode : 0;
}

static dk_status save (const char *name, bool overwrite) {
  dk_download file;
  dk_download_init(&file);
  dk_status status = dk_download_open(&file, name, overwrite, 1000, &failure);
  if (status == DK_OK) status = dk_download_write(&file, image, IMAGE, &failure);
  if (status == DK_OK) status = dk_download_finish(&file, &failure);
  dk_download_discard(&file);
  return status;
}

/* ---- not a regular file ---- */

static void make_socket (const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strcpy(address.sun_path, name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  must(fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
  close(fd);
}

/* each one, or a link to it, stays unchanged, and no file appears in its folder. The test makes its own device: a broken program
 * would replace those in /dev. */
static void replaces_no_other_kind (void) {
  static const struct { const char *name, *words; mode_t kind; } rows[] = {
    {"sub", "it is a folder", S_IFDIR}, {"pipe", "it is a pipe", S_IFIFO}, {"socket", "it is a socket", S_IFSOCK},
    {"device", "it is a device", S_IFCHR}, {"none", "leads to nothing", S_IFLNK}, {"loop", "", S_IFLNK},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    begin();
    must(mkdir("sub", 0755) == 0 && mkfifo("pipe", 0644) == 0 && symlink("nothing", "none") == 0 && symlink("loop", "loop") == 0);
    make_socket("socket");
    bool has_device = mknod("device", S_IFCHR | 0666, makedev(1, 3)) == 0;
    if (rows[i].kind == S_IFCHR && !has_device) continue;      /* only root can make one */
    must(symlink(rows[i].name, "link") == 0);
    int names = count_names();
    for (int overwrite = 0; overwrite < 2; overwrite++) {
      dk_status status = save(rows[i].name, overwrite);
      bool told = status == (rows[i].words[0] ? DK_NOT_REGULAR : DK_FILE) && strstr(failure.text, rows[i].words) != NULL;
      if (!CHECK(told)) fprintf(stderr, "  %s: %s\n", rows[i].name, failure.text);
      CHECK(save("link", overwrite) != DK_OK && dk_download_check("link", overwrite, &failure) != DK_OK);
      CHECK((mode_of(rows[i].name) & S_IFMT) == rows[i].kind && S_ISLNK(mode_of("link")) && count_names() == names);
    }
  }
}

/* in `program > file`, /dev/stdout is a link to a regular file that the program still writes */
static void replaces_no_open_file_of_a_process (void) {
  begin();
  write_old("out", 0600);
  int fd = open("out", O_WRONLY | O_APPEND | O_CLOEXEC);
  char path[64];
  must(fd >= 0);
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (access(path, F_OK) == 0) CHECK(save(path, true) == DK_NOT_REGULAR && strstr(failure.text, "open file") != NULL);
  CHECK(is_old("out") && count_names() == 1);
  close(fd);
}

/* ---- a regular file ---- */

static void keeps_what_is_there_unless_told (void) {
  begin();
  write_old("a.jpg", 0600);
  must(symlink("a.jpg", "link") == 0);
  CHECK(save("a.jpg", false) == DK_FILE_EXISTS && save("link", false) == DK_FILE_EXISTS);
  CHECK(dk_download_check("a.jpg", false, &failure) == DK_FILE_EXISTS && is_old("a.jpg") && count_names() == 2);
}

/* the set-ID bits belonged to another program; the umask does not change the mode of the old file */
static void keeps_the_mode (void) {
  static const struct { mode_t before, after; } rows[] = {
    {0600, 0600}, {0640, 0640}, {0644, 0644}, {0666, 0666}, {0755, 0755}, {0222, 0222}, {04755, 0755}, {02775, 0775}, {01666, 0666}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    begin();
    write_old("a.jpg", rows[i].before);
    mode_t mask = umask(i % 2 == 0 ? 0 : 077);
    CHECK(save("a.jpg", true) == DK_OK && (mode_of("a.jpg") & 07777) == rows[i].after && count_names() == 1);
    umask(mask);
    must(chmod("a.jpg", 0600) == 0);
    CHECK(is_new("a.jpg"));
  }
}

/* the part file is as private as the file that it replaces */
static void is_as_private_while_it_grows (void) {
  begin();
  write_old("a.jpg", 0600);
  mode_t mask = umask(0);
  dk_download file;
  dk_download_init(&file);
  CHECK(dk_download_open(&file, "a.jpg", true, 1000, &failure) == DK_OK && (mode_of("devkit4ai-unfinished-0") & 07777) == 0600);
  dk_download_discard(&file);
  must(chmod("a.jpg", 0664) == 0);                             /* this user may not be in its group */
  CHECK(dk_download_open(&file, "a.jpg", true, 1000, &failure) == DK_OK && (mode_of("devkit4ai-unfinished-0") & 07777) == 0600);
  dk_download_discard(&file);
  umask(mask);
}

static void keeps_the_owner_where_it_may (void) {
  struct stat info;
  if (geteuid() != 0) return;
  begin();
  write_old("a.jpg", 0640);
  must(chown("a.jpg", OTHER_USER, OTHER_USER + 1) == 0);
  CHECK(save("a.jpg", true) == DK_OK && is_new("a.jpg"));
  CHECK(stat("a.jpg", &info) == 0 && info.st_uid == OTHER_USER && info.st_gid == OTHER_USER + 1 && (info.st_mode & 07777) == 0640);
}

/* runs a test as another user; 0: every check holds */
static bool holds_as_user (void (*run) (void)) {
  fflush(NULL);
  pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    must(setgid(OTHER_USER) == 0 && setuid(OTHER_USER) == 0);
    run();
    fflush(NULL);
    _exit(check_misses > 0);
  }
  int ended;
  must(waitpid(child, &ended, 0) == child);
  return ended == 0;
}

static void as_other_user (void) {
  struct stat info;
  CHECK(save("open.jpg", true) == DK_OK && is_new("open.jpg"));
  CHECK(stat("open.jpg", &info) == 0 && info.st_uid == OTHER_USER && (info.st_mode & 07777) == 0666);      /* another group gets only what everybody may */
  CHECK(save("closed.jpg", true) == DK_FILE && strstr(failure.text, strerror(EACCES)) != NULL && is_old("closed.jpg"));
  CHECK(save("mine.jpg", true) == DK_FILE && is_old("mine.jpg"));
  CHECK(save("link", true) == DK_FILE && strstr(failure.text, "symbolic link of another user") != NULL && is_old("open too.jpg"));
  CHECK(save("roots/a.jpg", true) == DK_FILE && strstr(failure.text, "in its folder") != NULL && is_old("roots/a.jpg"));
  CHECK(save("roots/b.jpg", false) == DK_FILE && strstr(failure.text, "in its folder") != NULL);
  CHECK(dk_download_check("roots/b.jpg", false, &failure) == DK_FILE);
}

static void asks_whether_the_file_may_be_written (void) {
  if (geteuid() != 0) return;                                  /* only root can make them */
  begin();
  must(chmod(".", 0777) == 0 && mkdir("roots", 0755) == 0);
  write_old("open.jpg", 0676);
  write_old("open too.jpg", 0666);
  write_old("closed.jpg", 0644);
  write_old("mine.jpg", 0444);
  write_old("roots/a.jpg", 0666);
  must(chown("mine.jpg", OTHER_USER, OTHER_USER) == 0 && symlink("open too.jpg", "link") == 0 && lchown("link", OTHER_USER + 1, 0) == 0);
  CHECK(holds_as_user(as_other_user));
}

/* a target that rename(2) would refuse is refused at the start, without a part file */
static bool stays (const char *name, int reason) {
  int names = count_names();
  bool told = dk_download_check(name, true, &failure) == DK_NOT_REGULAR && strstr(failure.text, strerror(reason)) != NULL;
  return CHECK(told && save(name, true) == DK_NOT_REGULAR && count_names() == names);
}

static void in_sticky_folder (void) {
  CHECK(stays("sticky/roots.jpg", EPERM) && is_old("sticky/roots.jpg"));
  CHECK(save("sticky/mine.jpg", true) == DK_OK && save("own sticky/roots.jpg", true) == DK_OK && save("sticky/new.jpg", false) == DK_OK);
}

static void a_sticky_folder_keeps_files_of_others (void) {
  if (geteuid() != 0) return;
  begin();
  must(mkdir("sticky", 0777) == 0 && chmod("sticky", 01777) == 0 && mkdir("own sticky", 0777) == 0 && chmod("own sticky", 01777) == 0);
  write_old("sticky/roots.jpg", 0666);
  write_old("sticky/mine.jpg", 0666);
  write_old("own sticky/roots.jpg", 0666);
  must(chown("sticky/mine.jpg", OTHER_USER, OTHER_USER) == 0 && chown("own sticky", OTHER_USER, OTHER_USER) == 0);
  CHECK(holds_as_user(in_sticky_folder));
}

static void replaces_no_mount (void) {
  begin();
  write_old("a.jpg", 0600);
  write_old("other", 0600);
  if (mount("other", "a.jpg", NULL, MS_BIND, NULL) != 0) return;               /* not root */
  CHECK(stays("a.jpg", EBUSY) && dk_private_file_check("a.jpg", &failure) == DK_NOT_REGULAR && is_old("a.jpg"));
  must(umount("a.jpg") == 0);
}

#ifdef FS_IOC_SETFLAGS
/* the file's other flags stay: ext4 would change how the file's blocks are stored, and fails half-way */
static bool change_attribute (const char *name, int attribute, bool set) {
  int flags, fd = open(name, O_RDONLY | O_CLOEXEC);
  must(fd >= 0);
  bool done = ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0;
  flags = set ? flags | attribute : flags & ~attribute;
  done = done && ioctl(fd, FS_IOC_SETFLAGS, &flags) == 0;
  close(fd);
  return done;
}

static void replaces_nothing_that_has_attributes (void) {
  static const int attributes[] = {FS_APPEND_FL, FS_IMMUTABLE_FL};
  for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++) {
    begin();
    must(mkdir("sub", 0700) == 0);
    write_old("a.jpg", 0600);
    if (change_attribute("a.jpg", attributes[i], true)) {
      CHECK(stays("a.jpg", EPERM) && dk_private_file_check("a.jpg", &failure) == DK_NOT_REGULAR && is_old("a.jpg"));
      must(change_attribute("a.jpg", attributes[i], false));
    }
    if (change_attribute("sub", attributes[i], true)) {
      CHECK(dk_download_check("sub/a.jpg", false, &failure) == DK_NOT_REGULAR && dk_private_file_check("sub/a.jpg", &failure) == DK_NOT_REGULAR);
      must(change_attribute("sub", attributes[i], false) && rmdir("sub") == 0);
    }
  }
}
#else
static void replaces_nothing_that_has_attributes (void) { }
#endif

/* the next save would remove it as abandoned */
static void has_no_name_of_a_part (void) {
  begin();
  CHECK(dk_download_check("devkit4ai-unfinished-3", false, &failure) == DK_NOT_REGULAR && save("./devkit4ai-unfinished-3", true) == DK_NOT_REGULAR);
  CHECK(dk_private_file_check("devkit4ai-unfinished-x", &failure) == DK_NOT_REGULAR && count_names() == 0);
  CHECK(save("devkit4ai-unfinished", false) == DK_OK);
}

static void other_names_keep_the_old_bytes (void) {
  begin();
  write_old("a.jpg", 0600);
  must(link("a.jpg", "b.jpg") == 0);
  CHECK(save("a.jpg", true) == DK_OK && is_new("a.jpg") && is_old("b.jpg"));
}

#ifdef __linux__
/* version 2; user::rw-, user:12345:r--, group::---, mask::r--, other::--- */
static const unsigned char acl[] = {2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0x39, 0x30, 0, 0, 4, 0, 0, 0, 255, 255, 255, 255,
  16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255};

static void keeps_an_acl (void) {
  char came[sizeof acl + 100];
  begin();
  write_old("a.jpg", 0600);
  if (setxattr("a.jpg", "system.posix_acl_access", acl, sizeof acl, 0) != 0) return;   /* a file system without ACLs */
  CHECK(save("a.jpg", true) == DK_OK && is_new("a.jpg"));
  CHECK(getxattr("a.jpg", "system.posix_acl_access", came, sizeof came) == sizeof acl && memcmp(came, acl, sizeof acl) == 0);
}
#else
static void keeps_an_acl (void) { }
#endif

/* ---- a link ---- */

static void replaces_what_the_link_leads_to (void) {
  static const char *const links[] = {"near", "chain", "deep/up", "absolute"};
  char absolute[200];
  for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
    begin();
    must(mkdir("sub", 0700) == 0 && mkdir("deep", 0700) == 0);
    write_old("sub/a.jpg", 0640);
    snprintf(absolute, sizeof absolute, "%s/sub/a.jpg", folder);
    must(symlink("sub/a.jpg", "near") == 0 && symlink("near", "chain") == 0 && symlink("../sub/a.jpg", "deep/up") == 0 && symlink(absolute, "absolute") == 0);
    int names = count_names();
    CHECK(save(links[i], true) == DK_OK && is_new("sub/a.jpg") && S_ISLNK(mode_of(links[i])));
    CHECK((mode_of("sub/a.jpg") & 07777) == 0640 && !S_ISLNK(mode_of("sub/a.jpg")) && count_names() == names);
  }
}

/* ---- changes during the download ---- */

static dk_status finish_after (void (*change) (void), bool overwrite) {
  dk_download file;
  dk_download_init(&file);
  CHECK(dk_download_open(&file, "a.jpg", overwrite, 1000, &failure) == DK_OK && dk_download_write(&file, image, IMAGE, &failure) == DK_OK);
  change();
  dk_status status = dk_download_finish(&file, &failure);
  dk_download_discard(&file);
  return status;
}

static void make_pipe (void) { must(unlink("a.jpg") == 0 && mkfifo("a.jpg", 0600) == 0); }
static void make_private (void) { must(chmod("a.jpg", 0600) == 0); }
static void make_link (void) { must(symlink("b.jpg", "a.jpg") == 0); }
static void take_part (void) { must(rename("devkit4ai-unfinished-0", "old part") == 0 && close(creat("devkit4ai-unfinished-0", 0600)) == 0); }

static void looks_again_at_the_end (void) {
  begin();
  write_old("a.jpg", 0644);
  CHECK(finish_after(make_pipe, true) == DK_NOT_REGULAR && S_ISFIFO(mode_of("a.jpg")) && count_names() == 1);
  begin();
  write_old("a.jpg", 0644);
  CHECK(finish_after(make_private, true) == DK_OK && (mode_of("a.jpg") & 07777) == 0600);
  begin();
  CHECK(finish_after(make_link, false) == DK_FILE_EXISTS && S_ISLNK(mode_of("a.jpg")) && count_names() == 1);
  begin();                       /* a file of another program under the temporary name is not renamed or removed */
  CHECK(finish_after(take_part, true) == DK_FILE && access("devkit4ai-unfinished-0", F_OK) == 0 && access("a.jpg", F_OK) != 0);
}

/* ---- files of killed processes ---- */

/* a process with part files of these names, which waits to be killed */
static pid_t start_process (int files) {
  int ready[2];
  char byte;
  must(pipe(ready) == 0);
  pid_t child = fork();
  must(child >= 0);
  if (child == 0) {
    dk_part_file parts[20];
    for (int i = 0; i < files; i++) must(dk_part_file_open(&parts[i], i % 2 == 0 ? "a.jpg" : "another.jpg", 0600) == 0 && dk_part_file_write(&parts[i], "half", 4) == 0);
    must(write(ready[1], "x", 1) == 1);
    pause();
    _exit(0);
  }
  close(ready[1]);
  must(read(ready[0], &byte, 1) == 1 && close(ready[0]) == 0);
  return child;
}

static void kill_process (pid_t child) { must(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child); }

static void the_next_save_removes_them (void) {
  for (int files = 1; files <= 20; files++) {
    begin();
    kill_process(start_process(files));
    CHECK(count_names() == files && access("devkit4ai-unfinished-0", F_OK) == 0);
    CHECK(save("b.jpg", false) == DK_OK && is_new("b.jpg") && count_names() == 1);
  }
}

/* some of many part files were finished when the process died */
static void the_last_ones_go_too (void) {
  enum { MANY = 100 };
  dk_part_file first[MANY];
  begin();
  for (int i = 0; i < MANY; i++) must(dk_part_file_open(&first[i], "a.jpg", 0600) == 0);
  kill_process(start_process(2));
  for (int i = 0; i < MANY; i++) dk_part_file_discard(&first[i]);
  CHECK(count_names() == 2 && save("b.jpg", false) == DK_OK && count_names() == 1);
}

/* saves images of its own letter, under its own name and under a shared name, until it is killed or done */
static void save_many (int number, int saves) {
  char bytes[3000], name[40];
  bool done = true;
  memcpy(bytes, image, 4);
  memset(bytes + 4, 'A' + number % 26, sizeof bytes - 6);
  memcpy(bytes + sizeof bytes - 2, "\xFF\xD9", 2);
  for (int i = 0; i < saves && done; i++) {
    dk_download file;
    dk_download_init(&file);
    snprintf(name, sizeof name, "%d.jpg", number);
    done = dk_download_open(&file, i % 2 == 0 ? name : "all.jpg", true, sizeof bytes, &failure) == DK_OK;
    for (size_t at = 0; at < sizeof bytes && done; at += 1000) done = dk_download_write(&file, bytes + at, 1000, &failure) == DK_OK;
    done = done && dk_download_finish(&file, &failure) == DK_OK;
    dk_download_discard(&file);
  }
  if (!done) fprintf(stderr, "  process %d: %s\n", number, failure.text);
  _exit(!done);
}

static bool is_whole (const char *name) {
  char came[3001];
  int fd = open(name, O_RDONLY | O_CLOEXEC);
  ssize_t n = fd < 0 ? -1 : read(fd, came, sizeof came);
  if (fd >= 0) close(fd);
  for (ssize_t i = 5; i < n - 2; i++)
    if (came[i] != came[4]) return false;
  return n == 3000;
}

/* a third of them is killed: no other one loses a part file, and each image is complete */
static void a_hundred_processes_at_once (void) {
  enum { PROCESSES = 100, SAVES = 6 };
  pid_t children[PROCESSES];
  begin();
  for (int i = 0; i < PROCESSES; i++) {
    fflush(NULL);
    children[i] = fork();
    must(children[i] >= 0);
    if (children[i] == 0) save_many(i, i % 3 == 0 ? 1000000 : SAVES);
  }
  for (int i = 0; i < PROCESSES; i++) {
    int ended;
    if (i % 3 == 0) must(kill(children[i], SIGKILL) == 0);
    must(waitpid(children[i], &ended, 0) == children[i]);
    CHECK(i % 3 == 0 ? WIFSIGNALED(ended) : ended == 0);
  }
  CHECK(save("last.jpg", true) == DK_OK);
  DIR *dir = opendir(".");
  must(dir != NULL);
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
    if (entry->d_name[0] == '.' || strcmp(entry->d_name, "last.jpg") == 0) continue;
    if (!CHECK(is_whole(entry->d_name))) fprintf(stderr, "  %s\n", entry->d_name);
  }
  closedir(dir);
}

static void a_store_removes_them_too (void) {
  begin();
  kill_process(start_process(2));
  CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_OK && count_names() == 1);
  kill_process(start_process(2));
  CHECK(dk_private_file_check("store", &failure) == DK_OK && count_names() == 1);
}

/* also if files of dead and running processes alternate */
static void leaves_those_of_running_processes (void) {
  pid_t running[3], dead[3];
  begin();
  for (int i = 0; i < 3; i++) {
    running[i] = start_process(1);
    dead[i] = start_process(1);
  }
  for (int i = 0; i < 3; i++) kill_process(dead[i]);
  CHECK(count_names() == 6);
  dk_part_file own;
  CHECK(dk_part_file_open(&own, "c.jpg", 0600) == 0 && count_names() == 4);
  CHECK(save("b.jpg", false) == DK_OK && is_new("b.jpg") && count_names() == 5);
  CHECK(file_is("devkit4ai-unfinished-0", "half", 4) && file_is("devkit4ai-unfinished-2", "half", 4) && file_is("devkit4ai-unfinished-4", "half", 4));
  dk_part_file_discard(&own);
  for (int i = 0; i < 3; i++) kill_process(running[i]);
  CHECK(save("b.jpg", true) == DK_OK && count_names() == 1);
}

/* an entry of such a name that is not our file stays */
static void leaves_what_is_no_file (void) {
  begin();
  write_old("mine", 0600);
  must(mkdir("devkit4ai-unfinished-0", 0700) == 0 && symlink("mine", "devkit4ai-unfinished-1") == 0 && mkfifo("devkit4ai-unfinished-2", 0600) == 0);
  CHECK(save("b.jpg", false) == DK_OK && count_names() == 5 && is_old("mine"));
}

/* ---- a full disk ---- */

static void check_disk (const char *words) {
  int names = count_names();
  CHECK(save("a.jpg", true) == DK_DISK && strstr(failure.text, words) != NULL && strstr(failure.text, "another") != NULL);
  CHECK(dk_download_check("a.jpg", true, &failure) == DK_DISK && dk_download_check("b.jpg", false, &failure) == DK_DISK);
  CHECK(dk_private_file_write("store", "tokens", 6, &failure) == DK_DISK && strstr(failure.text, words) != NULL);
  CHECK(dk_private_file_check("store", &failure) == DK_DISK);
  CHECK(is_old("a.jpg") && is_old("store") && count_names() == names);
}

/* a real file system of 64 KiB; only root can make one */
static void a_real_full_disk (void) {
  begin();
  must(mkdir("disk", 0755) == 0);
  if (mount("none", "disk", "tmpfs", 0, "size=64k") != 0) return;
  must(chdir("disk") == 0);
  write_old("a.jpg", 0644);
  write_old("store", 0600);
  must(system("cat /dev/zero > rest 2>/dev/null; true") == 0);
  check_disk("the disk is full");
  must(chdir(folder) == 0 && mount("none", "disk", NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0 && chdir("disk") == 0);
  check_disk("the file system is read-only");
  must(chdir(folder) == 0 && umount("disk") == 0);
}

static void each_reason_says_what_to_do (void) {
  static const struct { int reason; dk_status status; const char *what, *advice; } rows[] = {
    {ENOSPC, DK_DISK, "the disk is full", "free some space"}, {EDQUOT, DK_DISK, "quota", "delete some files"},
    {EFBIG, DK_DISK, "so large a file", "ulimit -f"}, {EROFS, DK_DISK, "read-only", "another one"}, {EBUSY, DK_NOT_REGULAR, "can't be replaced", "mounted"},
    {EPERM, DK_NOT_REGULAR, "can't be replaced", "sticky"}, {EINVAL, DK_NOT_REGULAR, "can't have this name", "unfinished"}, {EIO, DK_FILE, "", ""},
  };
  char path[1000];
  memset(path, 'x', sizeof path - 1);
  path[sizeof path - 1] = '\0';
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {    /* the reason stays, also after a long path */
    for (int is_long = 0; is_long < 2; is_long++) {
      CHECK(dk_fail_errno(&failure, is_long ? path : "a.jpg", rows[i].reason) == rows[i].status);
      CHECK(strstr(failure.text, rows[i].what) != NULL && strstr(failure.text, rows[i].advice) != NULL && strstr(failure.text, strerror(rows[i].reason)) != NULL);
    }
  }
}

int main (void) {
  static const check_test tests[] = {
    {"replaces_no_other_kind", replaces_no_other_kind},
    {"replaces_no_open_file_of_a_process", replaces_no_open_file_of_a_process},
    {"keeps_what_is_there_unless_told", keeps_what_is_there_unless_told},
    {"keeps_the_mode", keeps_the_mode},
    {"is_as_private_while_it_grows", is_as_private_while_it_grows},
    {"keeps_the_owner_where_it_may", keeps_the_owner_where_it_may},
    {"asks_whether_the_file_may_be_written", asks_whether_the_file_may_be_written},
    {"a_sticky_folder_keeps_files_of_others", a_sticky_folder_keeps_files_of_others},
    {"replaces_no_mount", replaces_no_mount},
    {"replaces_nothing_that_has_attributes", replaces_nothing_that_has_attributes},
    {"has_no_name_of_a_part", has_no_name_of_a_part},
    {"other_names_keep_the_old_bytes", other_names_keep_the_old_bytes},
    {"keeps_an_acl", keeps_an_acl},
    {"replaces_what_the_link_leads_to", replaces_what_the_link_leads_to},
    {"looks_again_at_the_end", looks_again_at_the_end},
    {"the_next_save_removes_them", the_next_save_removes_them},
    {"the_last_ones_go_too", the_last_ones_go_too},
    {"a_hundred_processes_at_once", a_hundred_processes_at_once},
    {"a_store_removes_them_too", a_store_removes_them_too},
    {"leaves_those_of_running_processes", leaves_those_of_running_processes},
    {"leaves_what_is_no_file", leaves_what_is_no_file},
    {"a_real_full_disk", a_real_full_disk},
    {"each_reason_says_what_to_do", each_reason_says_what_to_do},
  };
  must(mkdtemp(folder) != NULL);
  int ended = CHECK_RUN(tests);
  begin();
  must(chdir("/") == 0 && rmdir(folder) == 0);
  return ended;
}
