/* private_file_test.c - a file that only its owner can read: written as a whole, and refused if it belongs to another user. */
#define _GNU_SOURCE              /* mkdtemp, symlink, setrlimit */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file/private_file.h"
#include "support/check.h"

static char folder[] = "/tmp/private_file_test.XXXXXX";
static char path[128];
static dk_failure failure;

static const char *in_folder (const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static dk_status save (const char *name, const char *text) {
  return dk_private_file_write(in_folder(name), text, strlen(text), &failure);
}

/* whether the file has this text */
static bool is (const char *name, const char *text) {
  dk_buffer bytes;
  bool exists;
  dk_buffer_init(&bytes, 1000);
  dk_status status = dk_private_file_read(in_folder(name), &bytes, &exists, &failure);
  bool same = status == DK_OK && exists && bytes.length == strlen(text) && memcmp(bytes.length > 0 ? bytes.bytes : "", text, bytes.length) == 0;
  dk_buffer_reset(&bytes);
  return same;
}

static dk_status load (const char *name, size_t cap, bool *exists) {
  dk_buffer bytes;
  dk_buffer_init(&bytes, cap);
  dk_status status = dk_private_file_read(in_folder(name), &bytes, exists, &failure);
  dk_buffer_reset(&bytes);
  return status;
}

static mode_t mode_of (const char *name) {
  struct stat info;
  return lstat(in_folder(name), &info) == 0 ? info.st_mode & 07777 : 0;
}

/* names in the folder */
static int count_names (void) {
  int count = 0;
  DIR *dir = opendir(folder);
  if (dir == NULL) abort();
  for (struct dirent *entry; (entry = readdir(dir)) != NULL;) count += entry->d_name[0] != '.';
  closedir(dir);
  return count;
}

static void empty_folder (void) {
  char command[128];
  snprintf(command, sizeof command, "rm -rf %s/*", folder);
  if (system(command) != 0) abort();
}

static void gives_back_what_was_saved (void) {
  empty_folder();
  CHECK(save("file", "one") == DK_OK);
  CHECK(is("file", "one"));
  CHECK(save("file", "") == DK_OK);
  CHECK(is("file", ""));
  CHECK(count_names() == 1);
}

static void is_the_owners_alone (void) {
  empty_folder();
  mode_t old = umask(0);
  CHECK(save("file", "one") == DK_OK && mode_of("file") == 0600);
  umask(0777);
  CHECK(save("file", "two") == DK_OK && mode_of("file") == 0600);
  umask(old);
  CHECK(is("file", "two"));
}

static void tells_a_file_that_is_not_there (void) {
  empty_folder();
  bool exists = true;
  CHECK(load("none", 100, &exists) == DK_OK && !exists);
  CHECK(load("none/none", 100, &exists) == DK_OK && !exists);
  CHECK(save("none/none", "one") == DK_FILE);
}

static void refuses_what_others_can_open (void) {
  empty_folder();
  static const mode_t modes[] = {0640, 0620, 0610, 0604, 0602, 0601};
  bool exists;
  for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
    CHECK(save("file", "one") == DK_OK);
    if (chmod(in_folder("file"), modes[i]) != 0) abort();
    CHECK(load("file", 100, &exists) == DK_FILE && strstr(failure.text, "chmod 600") != NULL);
    CHECK(save("file", "two") == DK_FILE);
    if (chmod(in_folder("file"), 0600) != 0) abort();
    CHECK(is("file", "one"));
  }
}

static void refuses_what_is_no_file (void) {
  empty_folder();
  bool exists;
  if (mkdir(in_folder("sub"), 0700) != 0 || mkfifo(in_folder("pipe"), 0600) != 0) abort();
  CHECK(load("sub", 100, &exists) == DK_FILE && save("sub", "one") == DK_FILE);
  CHECK(load("pipe", 100, &exists) == DK_FILE && save("pipe", "one") == DK_FILE);
  CHECK(count_names() == 2);
}

static void follows_a_link_of_its_own (void) {
  empty_folder();
  if (symlink("file", in_folder("link")) != 0) abort();
  bool exists;
  CHECK(save("link", "nowhere yet") == DK_FILE && strstr(failure.text, "leads to nothing: make that file, or remove the link") != NULL);
  CHECK(load("link", 100, &exists) == DK_FILE && !exists && strstr(failure.text, "leads to nothing") != NULL);
  CHECK(save("file", "one") == DK_OK && save("link", "two") == DK_OK);
  CHECK(is("file", "two") && is("link", "two"));
  CHECK(count_names() == 2);
}

static void refuses_another_users (void) {
  empty_folder();
  bool exists;
  if (geteuid() != 0) return;                                  /* only root can make them */
  CHECK(save("file", "one") == DK_OK);
  if (symlink("file", in_folder("link")) != 0 || lchown(in_folder("link"), 1, 1) != 0) abort();
  CHECK(load("link", 100, &exists) == DK_FILE && save("link", "two") == DK_FILE);
  if (symlink("link", in_folder("ours")) != 0) abort();        /* our link leads through another user's link */
  CHECK(load("ours", 100, &exists) == DK_FILE && save("ours", "two") == DK_FILE && strstr(failure.text, "another user") != NULL);
  if (chown(in_folder("file"), 1, 1) != 0) abort();
  CHECK(load("file", 100, &exists) == DK_FILE && save("file", "two") == DK_FILE);
}

static void keeps_the_old_bytes_where_there_is_no_room (void) {
  empty_folder();
  struct rlimit old, small = {.rlim_cur = 8, .rlim_max = RLIM_INFINITY};
  CHECK(save("file", "one") == DK_OK);
  if (getrlimit(RLIMIT_FSIZE, &old) != 0) abort();
  small.rlim_max = old.rlim_max;
  if (setrlimit(RLIMIT_FSIZE, &small) != 0) abort();
  CHECK(save("file", "more than there is room for") == DK_DISK && strstr(failure.text, "ulimit -f") != NULL);
  if (setrlimit(RLIMIT_FSIZE, &old) != 0) abort();
  CHECK(is("file", "one") && count_names() == 1);
}

static void is_no_larger_than_it_can_be (void) {
  empty_folder();
  bool exists;
  CHECK(save("file", "12345") == DK_OK);
  CHECK(load("file", 5, &exists) == DK_OK && exists);
  CHECK(load("file", 4, &exists) == DK_OVER_LIMIT && !exists);
}

static void takes_a_path_of_any_length (void) {
  empty_folder();
  char longer[5000];
  bool exists;
  dk_buffer bytes;
  memset(longer, 'a', sizeof longer - 1);
  longer[sizeof longer - 1] = '\0';
  dk_buffer_init(&bytes, 10);
  CHECK(dk_private_file_write(longer, "", 0, &failure) == DK_FILE);
  CHECK(dk_private_file_read(longer, &bytes, &exists, &failure) == DK_FILE);
}

static dk_status make_folder (const char *name) { return dk_folder_make(in_folder(name), true, &failure); }

static void makes_a_folder_and_those_in_front_of_it (void) {
  empty_folder();
  mode_t old = umask(0);
  CHECK(make_folder("one//two/") == DK_OK && mode_of("one") == 0700 && mode_of("one/two") == 0700);
  CHECK(dk_folder_make(in_folder("shared"), false, &failure) == DK_OK && mode_of("shared") == 0777);
  umask(old);
  CHECK(make_folder("one/two") == DK_OK && make_folder("one") == DK_OK);
  CHECK(save("one/two/file", "text") == DK_OK);
  CHECK(make_folder("one/two/file") == DK_FILE && make_folder("one/two/file/deeper") == DK_FILE);
  CHECK(is("one/two/file", "text"));
}

int main (void) {
  static const check_test tests[] = {
    {"gives_back_what_was_saved", gives_back_what_was_saved},
    {"is_the_owners_alone", is_the_owners_alone},
    {"tells_a_file_that_is_not_there", tells_a_file_that_is_not_there},
    {"refuses_what_others_can_open", refuses_what_others_can_open},
    {"refuses_what_is_no_file", refuses_what_is_no_file},
    {"follows_a_link_of_its_own", follows_a_link_of_its_own},
    {"refuses_another_users", refuses_another_users},
    {"keeps_the_old_bytes_where_there_is_no_room", keeps_the_old_bytes_where_there_is_no_room},
    {"is_no_larger_than_it_can_be", is_no_larger_than_it_can_be},
    {"takes_a_path_of_any_length", takes_a_path_of_any_length},
    {"makes_a_folder_and_those_in_front_of_it", makes_a_folder_and_those_in_front_of_it},
  };
  if (mkdtemp(folder) == NULL) abort();
  int ended = CHECK_RUN(tests);
  empty_folder();
  rmdir(folder);
  return ended;
}
