/* handle_test.c - a handle reused for several transfers: no option of one transfer is left for the next. */
#define _GNU_SOURCE              /* for test_server.h */
#include <string.h>

#include "support/engine_helpers.h"
#include "support/handle_runner.h"
#include "support/test_server.h"

#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static const server_route rows[] = {{.path = "/", .response = HI}, {.path = "http://name.test/", .response = HI}, {NULL}};

static test_server p;
static CURLM *multi;
static dk_handle *handle;

static void begin (void) {
  dk_failure failure;
  server_start(&p, rows);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  multi = curl_multi_init();
  handle = dk_handle_new(NULL, &failure);
}

static void end (void) {
  dk_handle_free(handle);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  server_stop(&p);
}

/* runs a transfer; returns its request, as the server got it */
static const char *transfer (dk_request request, bool alone) {
  static char got[SERVER_KEPT + 1];
  static const double clock = 0;
  dk_failure failure;
  dk_xfer *x = dk_xfer_new(&request, &failure);
  x->engine.clock = &clock;
  x->engine.exclusive_connection = alone;
  CHECK(dk_handle_prepare(handle, x) == DK_OK);
  dk_handle_finish(handle, run_handle(multi, handle), DK_OK, "");
  if (!CHECK(x->outcome.failure.status == DK_OK && body_is(x, "hi"))) fprintf(stderr, "  %s\n", x->outcome.failure.text);
  dk_xfer_free(x);
  server_last_request(&p, got);
  return got;
}

/* it reuses no connection, and leaves none; the connections of others stay */
static void a_transfer_alone (void) {
  begin();
  dk_request r = make_request("GET", server_url(&p, "/"));
  transfer(r, false);
  CHECK(server_accepted(&p) == 1);
  transfer(r, true);
  transfer(r, true);
  CHECK(server_accepted(&p) == 3);
  WAIT_UNTIL(NULL, server_open(&p) == 1);
  transfer(r, false);
  CHECK(server_accepted(&p) == 3);
  end();
}

/* the server is its own proxy: as a proxy it gets a complete URL */
static void a_proxy_and_its_login (void) {
  static char proxy[128];
  begin();
  strcpy(proxy, server_url(&p, "/"));
  dk_request direct = make_request("GET", proxy), proxied = make_request("GET", "http://name.test/");
  proxied.proxy = proxy;
  for (int i = 0; i < 2; i++) {
    CHECK(strncmp(transfer(direct, false), "GET / ", 6) == 0);
    proxied.proxy_login = "user:word";
    const char *got = transfer(proxied, false);
    CHECK(strncmp(got, "GET http://name.test/ ", 22) == 0 && strstr(got, "\r\nProxy-Authorization: Basic dXNlcjp3b3Jk\r\n") != NULL);
    proxied.proxy_login = NULL;
    got = transfer(proxied, false);
    CHECK(strncmp(got, "GET http://name.test/ ", 22) == 0 && strstr(got, "Proxy-Authorization") == NULL);
    got = transfer(direct, false);
    CHECK(strncmp(got, "GET / ", 6) == 0 && strstr(got, "Proxy") == NULL);
  }
  end();
}

/* an upload that sends bytes is not idle, though nothing arrives: each changed count is activity */
static void bytes_that_go_out_are_a_movement (void) {
  enum { BYTES = 1 << 20 };
  static char body[BYTES];
  static double clock = 1;
  static bool any_paused;
  dk_failure failure;
  begin();
  memcpy(body, PNG_HEAD, sizeof PNG_HEAD - 1);
  dk_request r = make_request("POST", server_url(&p, "/"));
  r.form = dk_form_new();
  CHECK(dk_form_add_bytes(r.form, "i", "i.png", body, BYTES, BYTES, &failure) == DK_OK);
  dk_xfer *x = dk_xfer_new(&r, &failure);
  x->engine.clock = &clock;
  x->engine.upload_paused = &any_paused;
  CHECK(dk_handle_prepare(handle, x) == DK_OK);
  curl_multi_add_handle(multi, dk_handle_easy(handle));
  int left = 1;
  for (double end = dk_now() + PATIENCE; left > 0 && dk_now() < end;) {
    uint64_t sent = atomic_load(&x->progress.counts[0]);
    clock++;
    curl_multi_perform(multi, &left);
    dk_handle_resume_upload(handle);
    if (atomic_load(&x->progress.counts[0]) != sent) CHECK(x->progress.last_activity == clock);
    if (left > 0) curl_multi_poll(multi, NULL, 0, 1000, NULL);
  }
  CHECK(atomic_load(&x->progress.counts[0]) > BYTES);
  CURLMsg *message = curl_multi_info_read(multi, &left);
  CHECK(message != NULL && message->data.result == CURLE_OK);
  curl_multi_remove_handle(multi, dk_handle_easy(handle));
  dk_handle_finish(handle, CURLE_OK, DK_OK, "");
  dk_xfer_free(x);
  end();
}

int main (void) {
  static const check_test tests[] = {
    {"a_transfer_alone", a_transfer_alone},
    {"a_proxy_and_its_login", a_proxy_and_its_login},
    {"bytes_that_go_out_are_a_movement", bytes_that_go_out_are_a_movement},
  };
  return CHECK_RUN(tests);
}
