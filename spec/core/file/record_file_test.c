/* record_file_test.c - a file that grows by whole records: an append is in it as a whole, or not at all. */
#define _GNU_SOURCE              /* mkdtemp, setrlimit */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file/record_file.h"
#include "support/check.h"

static char folder[] = "/tmp/record_file_test.XXXXXX";
static char path[64];
static dk_failure failure;

static bool open_it (dk_record_file *file) {
  dk_record_file_init(file);
  return CHECK(dk_record_file_open(file, path, &failure) == DK_OK);
}

static dk_status append (dk_record_file *file, const char *text) {
  return dk_record_file_append(file, text, strlen(text), &failure);
}

static bool is (dk_record_file *file, const char *text) {
  char bytes[64];
  size_t count;
  return CHECK(dk_record_file_read(file, bytes, sizeof bytes, 0, &count, &failure) == DK_OK) && count == strlen(text) && memcmp(bytes, text, count) == 0;
}

static void appends_and_reads (void) {
  dk_record_file file;
  char bytes[2];
  size_t count;
  if (!open_it(&file)) return;
  CHECK(is(&file, "") && file.length == 0);
  CHECK(append(&file, "one\n") == DK_OK && append(&file, "two\n") == DK_OK);
  CHECK(is(&file, "one\ntwo\n") && file.length == 8);
  CHECK(dk_record_file_read(&file, bytes, 2, 7, &count, &failure) == DK_OK && count == 1 && bytes[0] == '\n');
  CHECK(dk_record_file_read(&file, bytes, 2, 8, &count, &failure) == DK_OK && count == 0);
  dk_record_file_close(&file);
  dk_record_file_close(&file);
  if (!open_it(&file)) return;
  CHECK(file.length == 8 && append(&file, "three\n") == DK_OK && is(&file, "one\ntwo\nthree\n"));
  CHECK(dk_record_file_cut(&file, 4, &failure) == DK_OK && append(&file, "2\n") == DK_OK && is(&file, "one\n2\n"));
  dk_record_file_close(&file);
  unlink(path);
}

/* a limit of the file's size stands for a full disk: the file is as it was, and what fits is appended later */
static void is_cut_back_after_a_write_that_failed (void) {
  dk_record_file file;
  struct rlimit before, limit;
  if (!open_it(&file)) return;
  getrlimit(RLIMIT_FSIZE, &before);
  limit = before;
  limit.rlim_cur = 6;
  setrlimit(RLIMIT_FSIZE, &limit);
  CHECK(append(&file, "one\n") == DK_OK);
  CHECK(append(&file, "two\n") == DK_DISK && strstr(failure.text, "ulimit -f") != NULL);
  CHECK(is(&file, "one\n") && file.length == 4);
  CHECK(append(&file, "2\n") == DK_OK && is(&file, "one\n2\n"));
  setrlimit(RLIMIT_FSIZE, &before);
  dk_record_file_close(&file);
  unlink(path);
}

/* a sync that fails may have lost what was written: nothing more is appended */
static void is_not_written_after_a_sync_that_failed (void) {
  dk_record_file file;
  int pipes[2];
  if (!open_it(&file) || pipe(pipes) != 0) return;
  dk_record_file broken = file;
  broken.fd = pipes[1];                               /* pwrite and fdatasync fail on a pipe, and so does the cut */
  CHECK(append(&broken, "one\n") == DK_FILE && broken.is_broken);
  broken.fd = file.fd;
  CHECK(append(&broken, "two\n") == DK_FILE && strstr(failure.text, "an earlier write failed") != NULL);
  CHECK(dk_record_file_cut(&broken, 0, &failure) == DK_FILE);
  CHECK(is(&file, ""));
  close(pipes[0]);
  close(pipes[1]);
  dk_record_file_close(&file);
  unlink(path);
}

static void is_not_written_by_a_forked_child (void) {
  dk_record_file file;
  int status;
  if (!open_it(&file)) return;
  CHECK(append(&file, "one\n") == DK_OK);
  pid_t child = fork();
  if (child == 0) _exit(append(&file, "two\n") == DK_FILE && dk_record_file_cut(&file, 0, &failure) == DK_FILE ? 0 : 1);
  if (child < 0 || waitpid(child, &status, 0) != child) abort();
  CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  CHECK(is(&file, "one\n") && append(&file, "two\n") == DK_OK);
  dk_record_file_close(&file);
  unlink(path);
}

static void is_not_written_after_it_was_deleted (void) {
  dk_record_file file;
  if (!open_it(&file)) return;
  CHECK(append(&file, "one\n") == DK_OK);
  unlink(path);
  CHECK(append(&file, "two\n") == DK_FILE && strstr(failure.text, "it was deleted while it was in use") != NULL);
  dk_record_file_close(&file);
}

static void refuses_what_is_no_regular_file (void) {
  dk_record_file file;
  dk_record_file_init(&file);
  CHECK(symlink("/dev/null", path) == 0);
  CHECK(dk_record_file_open(&file, path, &failure) == DK_FILE && file.path == NULL && file.fd == -1);
  unlink(path);
  CHECK(mkfifo(path, 0600) == 0);                     /* it does not wait for the other end */
  CHECK(dk_record_file_open(&file, path, &failure) == DK_FILE);
  unlink(path);
  CHECK(mkdir(path, 0700) == 0);
  CHECK(dk_record_file_open(&file, path, &failure) != DK_OK);
  rmdir(path);
  CHECK(dk_record_file_open(&file, "/nonexistent/file", &failure) == DK_FILE);
}

int main (void) {
  static const check_test tests[] = {
    {"appends and reads", appends_and_reads},
    {"is cut back after a write that failed", is_cut_back_after_a_write_that_failed},
    {"is not written after a sync that failed", is_not_written_after_a_sync_that_failed},
    {"is not written by a forked child", is_not_written_by_a_forked_child},
    {"is not written after it was deleted", is_not_written_after_it_was_deleted},
    {"refuses what is no regular file", refuses_what_is_no_regular_file}};
  if (mkdtemp(folder) == NULL) abort();
  snprintf(path, sizeof path, "%s/journal", folder);
  int ended = CHECK_RUN(tests);
  rmdir(folder);
  return ended;
}
