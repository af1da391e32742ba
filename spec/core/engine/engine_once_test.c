/* engine_once_test.c - nothing is sent twice: eight warm connections that all die when a POST comes (invariant 1). */
#define _GNU_SOURCE              /* what peer.h asks for */
#include <string.h>

#include "support/engine_helpers.h"
#include "support/handle_runner.h"
#include "support/test_server.h"

enum { WARM = 8 };

static const peer_row rows[] = {
  {.path = "/warm", .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .gather = WARM},        /* so each needs its own connection */
  {.path = "/dies", .end = PEER_CLOSE},
  {.path = "/resets", .end = PEER_RESET},
  {.path = "/works", .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"},
  {NULL},
};
enum { WARM_ROW, DIES_ROW, RESETS_ROW, WORKS_ROW };

static void warm_up (dk_engine *e, peer *p) {
  for (int i = 0; i < WARM; i++) submit(e, ask("GET", peer_url(p, "/warm")));
  for (int i = 0; i < WARM; i++) {
    dk_xfer *x = await(e, NULL);
    if (x != NULL) CHECK(x->failure.status == DK_OK);
    dk_xfer_free(x);
  }
  CHECK(peer_accepted(p) == WARM && peer_open(p) >= 4);   /* the pool may have closed some of them */
}

/* how often the peer is asked when all kept connections die upon it */
static void check_sendings (const char *path, int row, unsigned flags, int most, bool threaded) {
  static peer p;
  peer_start(&p, rows);
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  warm_up(e, &p);
  dk_request r = post(peer_url(&p, path), "{\"paid\":true}");
  r.flags = flags;
  dk_xfer *x = exchange(e, r);
  if (x != NULL) CHECK(x->failure.status == DK_CUT && x->fate == DK_UNKNOWN && x->status == 0 && strcmp(x->step, "wait") == 0);
  dk_xfer_free(x);
  CHECK(peer_hits(&p, row) >= 1 && peer_hits(&p, row) <= most);
  dk_engine_close(e);
  dk_engine_free(e);
  peer_stop(&p);
}

static void one_post_arrives (void) {
  for (int threaded = 0; threaded < 2; threaded++) {
    check_sendings("/dies", DIES_ROW, DK_ONCE, 1, threaded);
    check_sendings("/resets", RESETS_ROW, DK_ONCE, 1, threaded);
  }
}

/* else the test above shows nothing: without DK_ONCE this peer gets it more than once */
static void without_once_it_arrives_again (void) {
  static peer p;
  peer_start(&p, rows);
  dk_engine *e = dk_engine_new();
  warm_up(e, &p);
  dk_request r = post(peer_url(&p, "/dies"), "{}");
  r.flags = 0;
  dk_xfer_free(exchange(e, r));
  CHECK(peer_hits(&p, DIES_ROW) > 1);
  dk_engine_close(e);
  dk_engine_free(e);
  peer_stop(&p);
}

/* DK_ONCE opens a connection of its own, and leaves it to the pool */
static void its_connection_is_new_and_then_kept (void) {
  static peer p;
  peer_start(&p, rows);
  dk_engine *e = dk_engine_new();
  for (int i = 0; i < 3; i++) dk_xfer_free(exchange(e, post(peer_url(&p, "/works"), "{}")));
  CHECK(peer_accepted(&p) == 3);
  for (int i = 0; i < 3; i++) dk_xfer_free(exchange(e, ask("GET", peer_url(&p, "/works"))));
  CHECK(peer_accepted(&p) == 3);
  dk_engine_close(e);
  dk_engine_free(e);
  peer_stop(&p);
}

/* The second wall: on a fresh connection libcurl never sends again, so no peer can reach the abort in the pre-request
 * callback. Here a handle is loaded as the engine does it, and then the fresh connection is taken away from it. */
static void pre_request_callback_stops_the_second_sending (void) {
  static peer p;
  static const double clock = 0;
  static const peer_row two[] = {{.path = "/works", .answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, {.path = "/dies", .end = PEER_CLOSE}, {NULL}};
  peer_start(&p, two);
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  dk_failure none;
  dk_handle *handle = dk_handle_new(NULL, &none);
  for (int i = 0; i < 2; i++) {
    dk_failure failure;
    dk_request r = i == 0 ? ask("GET", peer_url(&p, "/works")) : post(peer_url(&p, "/dies"), "{}");
    dk_xfer *x = dk_xfer_new(&r, &failure);
    x->clock = &clock;
    CHECK(dk_handle_load(handle, x) == DK_OK);
    curl_easy_setopt(dk_handle_easy(handle), CURLOPT_FRESH_CONNECT, 0L);
    dk_handle_unload(handle, run_handle(multi, handle), DK_OK, "");
    if (i == 1) CHECK(x->sendings == 1 && x->repeated && x->fate == DK_UNKNOWN && x->failure.status == DK_CUT);
    dk_xfer_free(x);
  }
  CHECK(peer_hits(&p, 0) == 1 && peer_hits(&p, 1) == 1);
  dk_handle_free(handle);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  peer_stop(&p);
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
