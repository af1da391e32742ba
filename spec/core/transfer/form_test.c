/* form_test.c - the bytes of images and fields on the wire, and images that are refused before anything is sent. */
#define _GNU_SOURCE              /* for test_server.h */
#include <string.h>
#include <sys/stat.h>

#include "support/engine_helpers.h"
#include "support/test_server.h"

enum { MOST = 1 << 20 };

static char folder[] = "/tmp/form_test.XXXXXX";
static char path[256];
static const char webp[] = "RIFF\x24\0\0\0WEBPVP8 ";

static const char *in_folder (const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  return path;
}

static void write_file (const char *name, const void *bytes, size_t length) {
  FILE *file = fopen(in_folder(name), "w");
  if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0) abort();
}

static const server_route ok[] = {{.path = "/", .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"}, {NULL}};
static test_server p;
static dk_engine *engine;
static char got[SERVER_KEPT + 1];

/* sends the form; got: the request up to its first NUL, with B in place of the boundary */
static dk_xfer *send_form (dk_form *form) {
  dk_request r = make_request("POST", server_url(&p, "/"));
  r.flags = DK_ONCE;
  r.form = form;
  dk_xfer *x = run_transfer(engine, r);
  server_last_request(&p, got);
  char boundary[100];
  const char *stands = strstr(got, "boundary=");
  if (!CHECK(stands != NULL && sscanf(stands, "boundary=%99[^\r]", boundary) == 1)) return x;
  for (char *at; (at = strstr(got, boundary)) != NULL;) {
    *at = 'B';
    memmove(at + 1, at + strlen(boundary), strlen(at + strlen(boundary)) + 1);
  }
  return x;
}

/* whether the body contains exactly this part */
static bool sent (const char *part) {
  bool there = strstr(got, part) != NULL;
  if (!there) fprintf(stderr, "  not '%s' in '%s'\n", part, got);
  return there;
}

static void parts_on_the_wire (void) {
  dk_failure failure;
  dk_form *form = dk_form_new();
  write_file("one.jpg", "\xFF\xD8\xFF..", 5);
  CHECK(dk_form_add_file(form, "images[0]", in_folder("one.jpg"), MOST, &failure) == DK_OK);
  CHECK(dk_form_add_bytes(form, "images[1]", "folder/two.png", PNG_HEAD, 8, MOST, &failure) == DK_OK);
  CHECK(dk_form_add_text(form, "prompt", "a\r\nb \xC3\xBC", 7, &failure) == DK_OK);
  dk_xfer *x = send_form(form);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_OK && body_is(x, "hi"));
  CHECK(sent("\r\n\r\n--B\r\nContent-Disposition: form-data; name=\"images[0]\"; filename=\"one.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n\xFF\xD8\xFF..\r\n--B\r\n"));
  CHECK(sent("--B\r\nContent-Disposition: form-data; name=\"images[1]\"; filename=\"two.png\"\r\nContent-Type: image/png\r\n\r\n" PNG_HEAD "\r\n--B\r\n"));
  CHECK(sent("--B\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\na\r\nb \xC3\xBC\r\n--B--\r\n"));
  CHECK(strcasestr(got, "expect:") == NULL && strcasestr(got, "chunked") == NULL && strstr(got, "Content-Length: ") != NULL);
  dk_xfer_free(x);
}

static void type_comes_from_the_bytes_and_not_from_the_name (void) {
  static const struct { const char *bytes; size_t length; const char *type; } rows[] = {
    {webp, sizeof webp - 1, "image/webp"}, {"\xFF\xD8\xFF", 3, "image/jpeg"}, {PNG_HEAD, 8, "image/png"}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char type[64];
    dk_failure failure;
    dk_form *form = dk_form_new();
    CHECK(dk_form_add_bytes(form, "i", "picture.txt", rows[i].bytes, rows[i].length, MOST, &failure) == DK_OK);
    dk_xfer_free(send_form(form));
    snprintf(type, sizeof type, "filename=\"picture.txt\"\r\nContent-Type: %s\r\n\r\n", rows[i].type);
    CHECK(sent(type));
  }
}

static void names_are_base_names_and_escaped (void) {
  static const struct { const char *name, *sent; } rows[] = {
    {"a.png", "a.png"}, {"/deep/er/a.png", "a.png"}, {"../a.png", "a.png"}, {"a b;c=d.png", "a b;c=d.png"}, {"say \"hi\".png", "say %22hi%22.png"},
    {"a\r\nX-Evil: 1.png", "a%0D%0AX-Evil: 1.png"}, {"\xC3\xBC.png", "\xC3\xBC.png"}, {"back\\slash.png", "back\\slash.png"}, {"100%22.png", "100%22.png"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    char name[100];
    dk_failure failure;
    dk_form *form = dk_form_new();
    CHECK(dk_form_add_bytes(form, "i", rows[i].name, PNG_HEAD, 8, MOST, &failure) == DK_OK);
    dk_xfer_free(send_form(form));
    snprintf(name, sizeof name, "name=\"i\"; filename=\"%s\"\r\n", rows[i].sent);
    CHECK(sent(name));
  }
}

static void what_is_refused (void) {
  static char large[MOST + 1];
  static const struct { const char *name; size_t length; bool picture; dk_status status; } rows[] = {
    {"largest.png", MOST, true, DK_OK}, {"larger.png", MOST + 1, true, DK_IMAGE_TOO_LARGE}, {"empty.png", 0, true, DK_FILE}, {"one.png", 1, true, DK_NOT_AN_IMAGE},
    {"eight.png", 8, true, DK_OK}, {"text.png", 100, false, DK_NOT_AN_IMAGE},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_failure failure = {DK_OK, ""};
    dk_form *form = dk_form_new();
    memset(large, 'x', sizeof large);
    if (rows[i].picture) memcpy(large, PNG_HEAD, 8);
    write_file(rows[i].name, large, rows[i].length);
    bool right = CHECK(dk_form_add_file(form, "i", in_folder(rows[i].name), MOST, &failure) == rows[i].status);
    right = right & CHECK(rows[i].status == DK_OK || strncmp(failure.text, in_folder(rows[i].name), strlen(path)) == 0);
    right = right & CHECK(dk_form_add_bytes(form, "i", rows[i].name, large, rows[i].length, MOST, &failure) == rows[i].status);
    if (!right) fprintf(stderr, "  %s: %s\n", rows[i].name, failure.text);
    dk_form_free(form);
  }
}

static void what_is_no_file (void) {
  static const struct { const char *name, *reason; } rows[] = {
    {"missing.png", "No such file"}, {"folder.png", "folder"}, {"pipe.png", "not a regular file"}, {"loop.png", "ymbolic link"}, {"folder.png/", "folder"}, {"", "folder"}};
  if (mkdir(in_folder("folder.png"), 0777) != 0 || mkfifo(in_folder("pipe.png"), 0666) != 0 || symlink("loop.png", in_folder("loop.png")) != 0) abort();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_failure failure = {DK_OK, ""};
    dk_form *form = dk_form_new();
    bool right = CHECK(dk_form_add_file(form, "i", in_folder(rows[i].name), MOST, &failure) == DK_FILE);
    if (!(right & CHECK(strstr(failure.text, rows[i].reason) != NULL))) fprintf(stderr, "  %s\n", failure.text);
    dk_form_free(form);
  }
}

/* a file may be removed after submit, such as nginx's body file */
static void an_opened_file_is_sent_whatever_becomes_of_its_name (void) {
  dk_failure failure;
  dk_form *form = dk_form_new();
  write_file("gone.png", PNG_HEAD "content", 15);
  CHECK(dk_form_add_file(form, "i", in_folder("gone.png"), MOST, &failure) == DK_OK);
  unlink(in_folder("gone.png"));
  dk_xfer *x = send_form(form);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_OK);
  CHECK(sent(PNG_HEAD "content\r\n--B--"));
  dk_xfer_free(x);
}

static void a_file_that_becomes_shorter (void) {
  static char bytes[200000] = PNG_HEAD;
  dk_failure failure;
  dk_form *form = dk_form_new();
  write_file("shrinks.png", bytes, sizeof bytes);
  CHECK(dk_form_add_file(form, "i", in_folder("shrinks.png"), MOST, &failure) == DK_OK);
  if (truncate(in_folder("shrinks.png"), 100000) != 0) abort();
  dk_request r = make_request("POST", server_url(&p, "/"));
  int before = server_requests(&p, 0);
  r.flags = DK_ONCE;
  r.form = form;
  dk_xfer *x = run_transfer(engine, r);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_FILE && x->outcome.fate == DK_UNKNOWN && strstr(x->outcome.failure.text, "shrinks.png") != NULL);
  CHECK(server_requests(&p, 0) == before);                                      /* the server gets no complete request */
  dk_xfer_free(x);
}

/* only the bytes that were measured; Content-Length was sent already */
static void a_file_that_grows (void) {
  dk_failure failure;
  dk_form *form = dk_form_new();
  write_file("grows.png", PNG_HEAD, 8);
  CHECK(dk_form_add_file(form, "i", in_folder("grows.png"), MOST, &failure) == DK_OK);
  write_file("grows.png", PNG_HEAD "more", 12);
  dk_xfer *x = send_form(form);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_OK);
  CHECK(sent("\r\n\r\n" PNG_HEAD "\r\n--B--"));
  dk_xfer_free(x);
}

static void five_large_images_arrive_whole (void) {
  static char bytes[MOST] = PNG_HEAD;
  dk_failure failure;
  dk_form *form = dk_form_new();
  write_file("large.png", bytes, sizeof bytes);
  for (int i = 0; i < 5; i++) {
    if (i % 2) CHECK(dk_form_add_bytes(form, "i", "b.png", bytes, sizeof bytes, MOST, &failure) == DK_OK);
    else CHECK(dk_form_add_file(form, "i", in_folder("large.png"), MOST, &failure) == DK_OK);
  }
  int before = server_requests(&p, 0);
  dk_xfer *x = send_form(form);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_OK && x->progress.counts[0] == x->progress.counts[1] && x->progress.counts[0] > 5u * MOST && x->progress.counts[0] < 5u * MOST + 2000);
  CHECK(server_requests(&p, 0) == before + 1);                                  /* as long as Content-Length */
  dk_xfer_free(x);
}

int main (void) {
  static const check_test tests[] = {
    {"parts_on_the_wire", parts_on_the_wire},
    {"type_comes_from_the_bytes_and_not_from_the_name", type_comes_from_the_bytes_and_not_from_the_name},
    {"names_are_base_names_and_escaped", names_are_base_names_and_escaped},
    {"what_is_refused", what_is_refused},
    {"what_is_no_file", what_is_no_file},
    {"an_opened_file_is_sent_whatever_becomes_of_its_name", an_opened_file_is_sent_whatever_becomes_of_its_name},
    {"a_file_that_becomes_shorter", a_file_that_becomes_shorter},
    {"a_file_that_grows", a_file_that_grows},
    {"five_large_images_arrive_whole", five_large_images_arrive_whole},
  };
  char command[300];
  if (mkdtemp(folder) == NULL) abort();
  server_start(&p, ok);
  engine = dk_engine_new();
  int ended = CHECK_RUN(tests);
  dk_engine_close(engine);
  dk_engine_free(engine);
  server_stop(&p);
  snprintf(command, sizeof command, "rm -r '%s'", folder);
  return system(command) != 0 || ended;
}
