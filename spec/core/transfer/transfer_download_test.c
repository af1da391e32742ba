/* transfer_download_test.c - a response saved to a file: complete under its name, or no file, and no part file left. */
#define _GNU_SOURCE              /* for test_server.h */
#include <dirent.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "support/engine_helpers.h"
#include "support/test_server.h"

#define IMAGE(length) "HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" IMAGE_START

static char folder[] = "/tmp/transfer_download_test.XXXXXX";
static char path[128];

static const char *in_folder (const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
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

static void write_file (const char *name, const char *text) {
  FILE *file = fopen(in_folder(name), "w");
  if (file == NULL || fputs(text, file) < 0 || fclose(file) != 0) abort();
}

static bool file_is (const char *name, const char *text) {
  char bytes[256];
  FILE *file = fopen(in_folder(name), "r");
  if (file == NULL) return false;
  size_t n = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return n == strlen(text) && memcmp(bytes, text, n) == 0;
}

static dk_request download (test_server *p, const char *name) {
  dk_request r = make_request("GET", server_url(p, "/"));
  r.save_as = in_folder(name);
  return r;
}

typedef struct {
  const char *name;
  server_route route;
  size_t response_bytes;
  dk_status failure;
  long status;
  const char *content;           /* of the file at the end; NULL: no file */
} row;

static const row rows[] = {
  {"whole", {.path = "/", .response = IMAGE("12") IMAGE_END}, 100, DK_OK, 200, IMAGE_START IMAGE_END},
  {"whole without a length", {.path = "/", .response = "HTTP/1.0 200 OK\r\n\r\n" IMAGE_START IMAGE_END, .end = SERVER_CLOSE}, 100, DK_OK, 200, IMAGE_START IMAGE_END},
  {"as large as may be", {.path = "/", .response = IMAGE("12") IMAGE_END}, 12, DK_OK, 200, IMAGE_START IMAGE_END},
  {"larger than may be", {.path = "/", .response = IMAGE("13") IMAGE_END "!"}, 12, DK_OVER_LIMIT, 200, NULL},
  {"cut", {.path = "/", .response = IMAGE("20") "rest", .end = SERVER_CLOSE}, 100, DK_CONNECTION_LOST, 200, NULL},
  {"reset", {.path = "/", .response = IMAGE("20"), .end = SERVER_RESET}, 100, DK_CONNECTION_LOST, 200, NULL},
  {"early end", {.path = "/", .response = IMAGE("8")}, 100, DK_IMAGE_INCOMPLETE, 200, NULL},
  {"early end without a length", {.path = "/", .response = "HTTP/1.0 200 OK\r\n\r\n" IMAGE_START, .end = SERVER_CLOSE}, 100, DK_IMAGE_INCOMPLETE, 200, NULL},
  {"more behind the end", {.path = "/", .response = IMAGE("13") IMAGE_END "!"}, 100, DK_OK, 200, IMAGE_START IMAGE_END "!"},
  {"no picture", {.path = "/", .response = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 6\r\n\r\n<html>"}, 100, DK_PROTOCOL, 200, NULL},
  {"empty", {.path = "/", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, 100, DK_PROTOCOL, 200, NULL},
  {"not found", {.path = "/", .response = "HTTP/1.1 404 Not Found\r\nContent-Length: 8\r\n\r\n" IMAGE_START}, 100, DK_OK, 404, NULL},
  {"no answer", {.path = "/", .end = SERVER_CLOSE}, 100, DK_CONNECTION_LOST, 0, NULL},
};

static void check_download (const row *r, bool threaded) {
  static test_server p;
  const server_route peers[] = {r->route, {NULL}};
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  dk_request request = download(&p, "a.png");
  request.limits.response_bytes = r->response_bytes;
  dk_xfer *x = run_transfer(e, request);
  if (x != NULL) {
    bool right = CHECK(x->outcome.failure.status == r->failure) & CHECK(x->response.status == r->status);
    right = right & (r->content ? CHECK(file_is("a.png", r->content)) & CHECK(count_names() == 1) : CHECK(count_names() == 0));
    right = right & CHECK(x->response.body.length == (r->status == 404 ? 8 : 0));
    if (!right) fprintf(stderr, "  %s: %s (%s), status %d\n", r->name, dk_status_name(x->outcome.failure.status), x->outcome.failure.text, x->response.status);
  }
  dk_xfer_free(x);
  unlink(in_folder("a.png"));
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void whole_or_not_at_all (void) {
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    check_download(&rows[i], false);
    if (DK_HAS_THREADS) check_download(&rows[i], true);
  }
}

/* the failure of dk_xfer_new, before any request */
static dk_status refused_at_once (const char *save_as, unsigned flags) {
  dk_request r = make_request("GET", "http://127.0.0.1:1/");
  dk_failure failure = {DK_OK, ""};
  r.save_as = save_as;
  r.flags = flags;
  dk_xfer *x = dk_xfer_new(&r, &failure);
  CHECK(x != NULL || strstr(failure.text, save_as) != NULL);
  dk_xfer_free(x);
  return x ? DK_OK : failure.status;
}

static void names_that_cannot_be (void) {
  char long_name[400];
  memset(long_name, 'x', sizeof long_name - 1);
  long_name[sizeof long_name - 1] = '\0';
  memcpy(long_name, "/tmp/", 5);
  write_file("there.png", "mine");
  CHECK(refused_at_once(in_folder("there.png"), 0) == DK_FILE_EXISTS);
  CHECK(refused_at_once(in_folder("there.png"), DK_OVERWRITE) == DK_OK);
  CHECK(refused_at_once(in_folder("no folder/a.png"), 0) == DK_FILE);
  CHECK(refused_at_once(in_folder("there.png/a.png"), 0) == DK_FILE);
  CHECK(refused_at_once(long_name, 0) == DK_FILE);
  CHECK(refused_at_once(in_folder("new.png"), 0) == DK_OK);
  CHECK(file_is("there.png", "mine") && count_names() == 1);
  unlink(in_folder("there.png"));
}

static void overwrites_when_asked_and_only_with_the_whole (void) {
  static const server_route peers[] = {
    {.path = "/cut", .response = IMAGE("20"), .end = SERVER_CLOSE}, {.path = "/", .response = IMAGE("12") IMAGE_END}, {NULL}};
  static test_server p;
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  write_file("a.png", "old");
  for (int whole = 0; whole < 2; whole++) {
    dk_request r = make_request("GET", server_url(&p, whole ? "/" : "/cut"));
    r.save_as = in_folder("a.png");
    r.flags = DK_OVERWRITE;
    dk_xfer *x = run_transfer(e, r);
    if (x != NULL) CHECK(x->outcome.failure.status == (whole ? DK_OK : DK_CONNECTION_LOST));
    CHECK(file_is("a.png", whole ? IMAGE_START IMAGE_END : "old") && count_names() == 1);
    dk_xfer_free(x);
  }
  unlink(in_folder("a.png"));
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* the name is free at the start, and exists when the response is complete */
static void somebody_else_takes_the_name_meanwhile (void) {
  static const server_route peers[] = {{.path = "/", .response = IMAGE("12") IMAGE_END}, {NULL}};
  static test_server p;
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  submit(e, download(&p, "a.png"));
  write_file("a.png", "theirs");
  dk_xfer *x = wait_for_transfer(e, NULL);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_FILE_EXISTS && x->outcome.fate == DK_ANSWERED);
  dk_xfer_free(x);
  CHECK(file_is("a.png", "theirs") && count_names() == 1);
  unlink(in_folder("a.png"));
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void the_folder_goes_away_meanwhile (void) {
  static const server_route peers[] = {{.path = "/", .response = IMAGE("12") IMAGE_END}, {NULL}};
  static test_server p;
  char part[512], command[600];
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  if (mkdir(in_folder("deep"), 0777) != 0) abort();
  submit(e, download(&p, "deep/a.png"));
  snprintf(part, sizeof part, "%s", in_folder("deep"));
  snprintf(command, sizeof command, "rm -r '%s'", part);
  CHECK(system(command) == 0);
  dk_xfer *x = wait_for_transfer(e, NULL);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_FILE && strstr(x->outcome.failure.text, "No such file") != NULL);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* ulimit -f: a write over the limit would end the process with SIGXFSZ */
static void a_limit_of_the_process_for_files (void) {
  static const server_route peers[] = {{.path = "/", .response = IMAGE("12") IMAGE_END}, {NULL}};
  static test_server p;
  struct rlimit before, less;
  static const struct { rlim_t limit; dk_status failure; } limits[] = {{11, DK_DISK}, {12, DK_OK}, {0, DK_DISK}};
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  getrlimit(RLIMIT_FSIZE, &before);
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
    less = before;
    less.rlim_cur = limits[i].limit;
    setrlimit(RLIMIT_FSIZE, &less);
    dk_xfer *x = run_transfer(e, download(&p, "a.png"));
    setrlimit(RLIMIT_FSIZE, &before);
    if (x != NULL) CHECK(x->outcome.failure.status == limits[i].failure && (x->outcome.failure.status == DK_OK || strstr(x->outcome.failure.text, "ulimit -f")));
    CHECK(count_names() == (limits[i].failure == DK_OK));
    dk_xfer_free(x);
    unlink(in_folder("a.png"));
  }
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void no_part_is_left_by_what_never_ran (void) {
  static const server_route peers[] = {{.path = "/", .response = IMAGE("20")}, {NULL}};        /* the rest is never sent */
  static test_server p;
  dk_failure failure;
  dk_xfer_id id = 0, came = 0;
  server_start(&p, peers);
  dk_request r = download(&p, "never submitted.png");
  dk_xfer *x = dk_xfer_new(&r, &failure);
  CHECK(count_names() == 1);
  dk_xfer_free(x);
  CHECK(count_names() == 0);
  dk_engine *e = dk_engine_new();
  id = submit(e, download(&p, "cancelled.png"));
  WAIT_UNTIL(e, server_requests(&p, 0) == 1);
  dk_engine_cancel(e, id);
  x = wait_for_transfer(e, &came);
  CHECK(came == id && count_names() == 0);
  dk_xfer_free(x);
  submit(e, download(&p, "running at close.png"));
  WAIT_UNTIL(e, server_requests(&p, 0) == 2);
  submit(e, download(&p, "submitted at close.png"));
  CHECK(count_names() == 2);
  dk_engine_close(e);
  CHECK(count_names() == 0);
  dk_engine_free(e);
  server_stop(&p);
}

/* more bytes than two write buffers */
static void many_pieces (void) {
  enum { LENGTH = 400000 };
  static char answer[LENGTH + 100], came[LENGTH + 1];
  int head = snprintf(answer, sizeof answer, IMAGE("%d"), LENGTH) - (int)strlen(IMAGE_START);
  for (int i = (int)strlen(IMAGE_START); i < LENGTH; i++) answer[head + i] = (char)('!' + i % 89);
  memcpy(answer + head + LENGTH - 4, IMAGE_END, 4);
  server_route peers[] = {{.path = "/", .response = answer}, {NULL}};
  static test_server p;
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  dk_xfer *x = run_transfer(e, download(&p, "a.png"));
  CHECK(x != NULL && x->outcome.failure.status == DK_OK && x->progress.counts[2] == LENGTH);
  dk_xfer_free(x);
  FILE *file = fopen(in_folder("a.png"), "r");
  CHECK(file != NULL && fread(came, 1, sizeof came, file) == LENGTH && memcmp(came, answer + head, LENGTH) == 0);
  if (file != NULL) fclose(file);
  unlink(in_folder("a.png"));
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void counts_of_a_download (void) {
  static const server_route peers[] = {{.path = "/", .response = IMAGE("12") IMAGE_END}, {NULL}};
  static test_server p;
  server_start(&p, peers);
  dk_engine *e = dk_engine_new();
  dk_xfer *x = run_transfer(e, download(&p, "a.png"));
  if (x != NULL) CHECK(x->progress.counts[0] == 0 && x->progress.counts[1] == 0 && x->progress.counts[2] == 12 && x->progress.counts[3] == 12);
  dk_xfer_free(x);
  unlink(in_folder("a.png"));
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

int main (void) {
  static const check_test tests[] = {
    {"whole_or_not_at_all", whole_or_not_at_all},
    {"names_that_cannot_be", names_that_cannot_be},
    {"overwrites_when_asked_and_only_with_the_whole", overwrites_when_asked_and_only_with_the_whole},
    {"somebody_else_takes_the_name_meanwhile", somebody_else_takes_the_name_meanwhile},
    {"the_folder_goes_away_meanwhile", the_folder_goes_away_meanwhile},
    {"a_limit_of_the_process_for_files", a_limit_of_the_process_for_files},
    {"no_part_is_left_by_what_never_ran", no_part_is_left_by_what_never_ran},
    {"many_pieces", many_pieces},
    {"counts_of_a_download", counts_of_a_download},
  };
  if (mkdtemp(folder) == NULL) abort();
  int ended = CHECK_RUN(tests);
  rmdir(folder);
  return ended;
}
