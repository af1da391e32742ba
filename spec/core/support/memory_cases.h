/* memory_cases.h - all uses of the core by a client, to be run while each allocation fails in turn. A case returns DK_OK or its
 * first failure, and leaves nothing behind. */
#ifndef MEMORY_CASES_H
#define MEMORY_CASES_H

#include <string.h>
#include <sys/stat.h>

#include "engine/engine.h"
#include "secrets/secrets.h"
#include "support/test_server.h"
#include "os/os.h"

typedef struct {
  const char *name;
  dk_status (*run) (void);
} memory_case;

static const server_route memory_rows[] = {
  {.path = "/picture", .response = "HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n\xFF\xD8\xFF\xD0" "somexy\xFF\xD9"},         /* complete, by its first bytes and its end */
  {.path = "http://name.test/", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
  {.path = "/", .response = "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 600\r\n\r\n"
    "....................................................................................................""....................................................................................................""....................................................................................................""....................................................................................................""....................................................................................................""...................................................................................................."},
  {NULL},
};
static test_server memory_server;
static char memory_folder[] = "/tmp/memory_test.XXXXXX";
static char memory_image[64], memory_picture[64];

/* the first failure stays */
static inline void note (dk_status *first, dk_status status) {
  if (*first == DK_OK) *first = status;
}

static inline dk_status case_secrets (void) {
  static const char text[] = "secret-one and \"secret\\\"two\"";
  dk_failure failure;
  dk_status first = DK_OK;
  dk_secrets *parent = dk_secrets_new(NULL), *s = parent ? dk_secrets_new(parent) : NULL;
  dk_buffer out;
  dk_buffer_init(&out, 100000);
  if (s == NULL) {
    dk_secrets_release(parent);
    return DK_NO_MEMORY;
  }
  note(&first, dk_secrets_set(parent, "one", "secret-one", 10, DK_SLOT_HEADER, &failure));
  note(&first, dk_secrets_set(s, "two", "secret\"two", 10, DK_SLOT_BODY, &failure));
  if (first == DK_OK) note(&first, dk_secrets_set(s, "two", "secret\"two", 10, DK_SLOT_BODY, &failure));
  if (first == DK_OK) note(&first, dk_secrets_fill_header(s, "X: {one}", &out, &failure));
  if (first == DK_OK) note(&first, dk_buffer_add(&out, "{}", 2));
  if (first == DK_OK) note(&first, dk_secrets_add_json_field(s, "two", &out, &failure));
  for (int i = 0; i < 40 && first == DK_OK; i++) note(&first, dk_secrets_mask(s, text, sizeof text - 1, &out));
  dk_buffer_reset(&out);
  dk_secrets_release(s);
  dk_secrets_release(parent);
  return first;
}

static inline dk_form *memory_form (dk_status *first) {
  dk_failure failure;
  dk_form *form = dk_form_new();
  if (form == NULL) {
    note(first, DK_NO_MEMORY);
    return NULL;
  }
  note(first, dk_form_add_file(form, "images", memory_image, 1000, &failure));
  if (*first == DK_OK) note(first, dk_form_add_bytes(form, "images", "b.png", "\x89PNG\r\n\x1A\n", 8, 1000, &failure));
  if (*first == DK_OK) note(first, dk_form_add_text(form, "instructions", "{}", 2, &failure));
  return form;
}

static inline dk_status case_form (void) {
  dk_status first = DK_OK;
  dk_form_free(memory_form(&first));
  return first;
}

typedef enum { A_GET, A_POST, AN_UPLOAD, A_DOWNLOAD, A_PROXIED_GET } memory_kind;

/* NULL: see first */
static inline dk_xfer *memory_xfer (memory_kind kind, dk_status *first) {
  static const char line[] = "Accept: application/json";
  dk_failure failure = {DK_OK, ""};
  dk_request r = {.method = kind == A_POST || kind == AN_UPLOAD ? "POST" : "GET", .limits = {.response_bytes = 1000, .idle = 20, .total = 40}};
  r.url = server_url(&memory_server, kind == A_DOWNLOAD ? "/picture" : "/");
  r.flags = kind == A_POST || kind == AN_UPLOAD ? DK_ONCE : 0;
  if (kind == A_PROXIED_GET) {
    r.proxy = r.url;
    r.proxy_login = "user:word";
    r.url = "http://name.test/";
    r.flags = DK_PUBLIC | DK_WANT_TIMES;
  }
  dk_buffer_init(&r.headers, 1000);
  dk_buffer_init(&r.body, 1000);
  note(first, dk_buffer_add(&r.headers, line, sizeof line));
  if (kind == A_POST && *first == DK_OK) note(first, dk_buffer_add(&r.body, "{}", 2));
  r.has_body = kind == A_POST;
  if (kind == AN_UPLOAD && *first == DK_OK) r.form = memory_form(first);
  if (kind == A_DOWNLOAD) r.save_as = memory_picture;
  if (*first != DK_OK) {
    dk_buffer_reset(&r.headers);
    dk_buffer_reset(&r.body);
    dk_form_free(r.form);
    return NULL;
  }
  dk_xfer *x = dk_xfer_new(&r, &failure);
  if (x == NULL) note(first, failure.status);
  return x;
}

/* Submits transfers and takes the finished ones; DK_PROTOCOL: more came back than were submitted. */
static inline dk_status memory_run (dk_engine *e, memory_kind kind, int count) {
  dk_status first = DK_OK;
  double end = dk_now() + 60;
  dk_xfer_id id;
  for (int i = 0; i < count; i++) {
    dk_xfer *x = memory_xfer(kind, &first);
    if (x != NULL && dk_engine_submit(e, x) == 0) {
      note(&first, DK_NO_MEMORY);
      dk_xfer_free(x);
    }
  }
  while (dk_engine_pending(e) > 0 && dk_now() < end) {
    dk_xfer *x = dk_engine_next(e, &id);
    if (x == NULL) dk_engine_wait(e, 1);
    else note(&first, x->outcome.failure.status);
    dk_xfer_free(x);
  }
  if (dk_engine_next(e, &id) != NULL || dk_engine_pending(e) != 0) first = DK_PROTOCOL;
  return first;
}

static inline dk_status memory_engine (bool threaded, memory_kind kind, int count) {
  dk_engine *e = dk_engine_new();
  if (e == NULL) return DK_NO_MEMORY;
  dk_status first = threaded && !dk_engine_start(e) ? DK_NO_MEMORY : DK_OK;
  note(&first, memory_run(e, kind, count));
  if (first == DK_OK && kind == A_GET) note(&first, memory_run(e, kind, count));      /* on the reused connection and handle */
  dk_engine_close(e);
  dk_engine_free(e);
  return first;
}

static inline dk_status case_get (void) { return memory_engine(false, A_GET, 1); }
static inline dk_status case_get_on_a_thread (void) { return memory_engine(true, A_GET, 1); }
static inline dk_status case_twenty_gets (void) { return memory_engine(false, A_GET, 20); }
static inline dk_status case_post (void) { return memory_engine(false, A_POST, 1); }
static inline dk_status case_upload (void) { return memory_engine(false, AN_UPLOAD, 1); }

static inline dk_status case_through_a_proxy (void) { return memory_engine(false, A_PROXIED_GET, 2); }

static inline dk_status case_download (void) {
  struct stat st;
  dk_status first = memory_engine(false, A_DOWNLOAD, 1);
  bool there = stat(memory_picture, &st) == 0;
  unlink(memory_picture);
  return there == (first == DK_OK) ? first : DK_FILE;
}

static inline dk_status case_close_while_running (void) {
  dk_status first = DK_OK;
  dk_engine *e = dk_engine_new();
  if (e == NULL) return DK_NO_MEMORY;
  for (int i = 0; i < 3; i++) {
    dk_xfer *x = memory_xfer(A_POST, &first);
    if (x != NULL && dk_engine_submit(e, x) == 0) {
      note(&first, DK_NO_MEMORY);
      dk_xfer_free(x);
    }
    dk_engine_wait(e, 0);
  }
  dk_engine_close(e);
  dk_engine_free(e);
  return first;
}

static inline dk_status case_listen (void) {
  dk_failure failure;
  dk_engine *e = dk_engine_new();
  if (e == NULL) return DK_NO_MEMORY;
  dk_status first = dk_engine_listen(e, memory_folder, &failure) != NULL ? DK_OK : failure.status;
  dk_engine_close(e);
  dk_engine_free(e);
  return first;
}

static inline void memory_cases_begin (void) {
  if (mkdtemp(memory_folder) == NULL) abort();
  snprintf(memory_image, sizeof memory_image, "%s/a.png", memory_folder);
  snprintf(memory_picture, sizeof memory_picture, "%s/b.png", memory_folder);
  int fd = open(memory_image, O_WRONLY | O_CREAT | O_EXCL, 0666);
  if (fd < 0 || write(fd, "\x89PNG\r\n\x1A\n", 8) != 8 || close(fd) != 0) abort();
  server_start(&memory_server, memory_rows);
}

/* False: something is left in the folder. */
static inline bool memory_cases_end (void) {
  server_stop(&memory_server);
  unlink(memory_image);
  return rmdir(memory_folder) == 0;
}

#endif
