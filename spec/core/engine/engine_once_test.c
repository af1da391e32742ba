/* engine_once_test.c - no request is sent twice: eight open connections all close when a POST comes (architecture.md, invariant 1). */
#define _GNU_SOURCE              /* for test_server.h */
#include <string.h>

#include "support/engine_helpers.h"
#include "support/handle_runner.h"
#include "support/test_server.h"

enum { WARM = 8 };

static const server_route rows[] = {
  {.path = "/warm", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .gather = WARM},        /* so each request needs its own connection */
  {.path = "/dies", .end = SERVER_CLOSE},
  {.path = "/resets", .end = SERVER_RESET},
  {.path = "/works", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
  {NULL},
};
enum { WARM_ROW, DIES_ROW, RESETS_ROW, WORKS_ROW };

static void warm_up (dk_engine *e, test_server *p) {
  for (int i = 0; i < WARM; i++) submit(e, make_request("GET", server_url(p, "/warm")));
  for (int i = 0; i < WARM; i++) {
    dk_xfer *x = wait_for_transfer(e, NULL);
    if (x != NULL) CHECK(x->outcome.failure.status == DK_OK);
    dk_xfer_free(x);
  }
  CHECK(server_accepted(p) == WARM && server_open(p) >= 4);   /* the pool may have closed some of them */
}

/* how many requests the server gets when all reused connections close */
static void check_sendings (const char *path, int row, unsigned flags, int most, bool threaded) {
  static test_server p;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  warm_up(e, &p);
  dk_request r = make_post(server_url(&p, path), "{\"paid\":true}");
  r.flags = flags;
  dk_xfer *x = run_transfer(e, r);
  if (x != NULL) CHECK(x->outcome.failure.status == DK_CONNECTION_LOST && x->outcome.fate == DK_UNKNOWN && x->response.status == 0 && strcmp(x->outcome.phase, "wait") == 0);
  dk_xfer_free(x);
  CHECK(server_requests(&p, row) >= 1 && server_requests(&p, row) <= most);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void one_post_arrives (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    check_sendings("/dies", DIES_ROW, DK_ONCE, 1, threaded);
    check_sendings("/resets", RESETS_ROW, DK_ONCE, 1, threaded);
  }
}

/* without this the test above proves nothing: without DK_ONCE the server gets the request more than once */
static void without_once_it_arrives_again (void) {
  static test_server p;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  warm_up(e, &p);
  dk_request r = make_post(server_url(&p, "/dies"), "{}");
  r.flags = 0;
  dk_xfer_free(run_transfer(e, r));
  CHECK(server_requests(&p, DIES_ROW) > 1);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* DK_ONCE opens a new connection, which then joins the pool */
static void its_connection_is_new_and_then_kept (void) {
  static test_server p;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  for (int i = 0; i < 3; i++) dk_xfer_free(run_transfer(e, make_post(server_url(&p, "/works"), "{}")));
  CHECK(server_accepted(&p) == 3);
  for (int i = 0; i < 3; i++) dk_xfer_free(run_transfer(e, make_request("GET", server_url(&p, "/works"))));
  CHECK(server_accepted(&p) == 3);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* The second protection. On a fresh connection libcurl never repeats a request, so no server can cause the abort in the pre-request
 * callback. This test prepares a handle as the engine does, and then removes CURLOPT_FRESH_CONNECT. */
static void pre_request_callback_stops_the_second_sending (void) {
  static test_server p;
  static const double clock = 0;
  static const server_route two[] = {{.path = "/works", .response = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, {.path = "/dies", .end = SERVER_CLOSE}, {NULL}};
  server_start(&p, two);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  dk_failure none;
  dk_handle *handle = dk_handle_new(NULL, &none);
  for (int i = 0; i < 2; i++) {
    dk_failure failure;
    dk_request r = i == 0 ? make_request("GET", server_url(&p, "/works")) : make_post(server_url(&p, "/dies"), "{}");
    dk_xfer *x = dk_xfer_new(&r, &failure);
    x->engine.clock = &clock;
    CHECK(dk_handle_prepare(handle, x) == DK_OK);
    curl_easy_setopt(dk_handle_easy(handle), CURLOPT_FRESH_CONNECT, 0L);
    dk_handle_finish(handle, run_handle(multi, handle), DK_OK, "");
    if (i == 1) CHECK(x->progress.requests_sent == 1 && x->progress.repeat_stopped && x->outcome.fate == DK_UNKNOWN && x->outcome.failure.status == DK_CONNECTION_LOST);
    dk_xfer_free(x);
  }
  CHECK(server_requests(&p, 0) == 1 && server_requests(&p, 1) == 1);
  dk_handle_free(handle);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  server_stop(&p);
}

int main (void) {
  static const check_test tests[] = {
    {"one_post_arrives", one_post_arrives},
    {"without_once_it_arrives_again", without_once_it_arrives_again},
    {"its_connection_is_new_and_then_kept", its_connection_is_new_and_then_kept},
    {"pre_request_callback_stops_the_second_sending", pre_request_callback_stops_the_second_sending},
  };
  return CHECK_RUN(tests);
}
