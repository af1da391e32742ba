/* wipe_memory_test.c - no block that the core frees contains a secret, also not after the used bytes. */
#define _GNU_SOURCE              /* for test_server.h */
#include <string.h>

#include "secrets/secrets.h"
#include "support/engine_helpers.h"
#include "support/fail_alloc.h"
#include "support/test_server.h"

#define SECRET "dk_live_0123456789abcdef"

static dk_secrets *with_secret (void) {
  dk_failure failure;
  dk_secrets *s = dk_secrets_new(NULL);
  CHECK(dk_secrets_set(s, "key", SECRET, strlen(SECRET), DK_SLOT_HEADER, &failure) == DK_OK);
  return s;
}

static void a_slot_that_is_set_again (void) {
  dk_failure failure;
  dk_secrets *s = with_secret();
  watch_freed(SECRET);
  CHECK(dk_secrets_set(s, "key", "another", 7, DK_SLOT_HEADER, &failure) == DK_OK);
  CHECK(freed_unwiped() == 0);
  dk_secrets_release(s);
}

static void a_slot_that_is_cleared_wiped_or_released (void) {
  dk_secrets *cleared = with_secret(), *wiped = with_secret(), *released = with_secret();
  watch_freed(SECRET);
  dk_secrets_remove(cleared, "key");
  dk_secrets_wipe(wiped);
  dk_secrets_release(released);
  CHECK(freed_unwiped() == 0);
  dk_secrets_release(cleared);
  dk_secrets_release(wiped);
}

static void a_buffer_that_grows_is_cut_and_reset (void) {
  static const char much[4000];
  dk_buffer b;
  dk_buffer_init(&b, 1 << 20);
  CHECK(dk_buffer_add(&b, SECRET, strlen(SECRET)) == DK_OK);
  watch_freed(SECRET);
  CHECK(dk_buffer_add(&b, much, sizeof much) == DK_OK);
  CHECK(freed_unwiped() == 0);                                            /* the smaller block */
  dk_buffer_truncate(&b, 0);
  CHECK(dk_buffer_add(&b, SECRET, strlen(SECRET)) == DK_OK);
  dk_buffer_truncate(&b, 0);
  dk_buffer_reset(&b);
  CHECK(freed_unwiped() == 0);
}

static void a_header_line_that_was_left_out (void) {
  dk_secrets *s = with_secret();
  dk_buffer out;
  dk_failure failure;
  dk_buffer_init(&out, 1000);
  watch_freed(SECRET);
  CHECK(dk_secrets_fill_header(s, "?X: {key} {none}", &out, &failure) == DK_OK && out.length == 0);
  dk_buffer_reset(&out);
  dk_secrets_release(s);
  CHECK(freed_unwiped() == 0);
}

static void a_text_that_was_masked (void) {
  static const char text[] = SECRET SECRET " and " SECRET;
  dk_secrets *s = with_secret();
  dk_buffer out;
  dk_buffer_init(&out, 1000);
  watch_freed("0123456789abcdef");                                        /* a text that moves to the left leaves its old end */
  CHECK(dk_secrets_mask(s, text, sizeof text - 1, &out) == DK_OK && strcmp(out.bytes, "*** and ***") == 0);
  dk_buffer_reset(&out);
  dk_secrets_release(s);
  CHECK(freed_unwiped() == 0);
}

/* in the headers and the body of the request, and of the response */
static void a_whole_exchange (void) {
  static const server_route rows[] = {
    {.path = "/", .response = "HTTP/1.1 200 OK\r\nX-Echo: " SECRET "\r\nContent-Length: 24\r\n\r\n" SECRET}, {NULL}};
  static test_server p;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  dk_secrets *s = with_secret();
  dk_failure failure;
  watch_freed(SECRET);
  dk_request request = make_post(server_url(&p, "/"), "{}");
  CHECK(dk_secrets_add_json_field(s, "key", &request.body, &failure) == DK_OK);
  CHECK(dk_secrets_fill_header(s, "Authorization: Bearer {key}", &request.headers, &failure) == DK_OK);
  dk_xfer *x = run_transfer(e, request);
  if (CHECK(x != NULL)) CHECK(x->outcome.failure.status == DK_OK && body_is(x, SECRET));
  dk_xfer_free(x);
  dk_secrets_release(s);
  dk_engine_close(e);
  dk_engine_free(e);
  CHECK(freed_unwiped() == 0);
  CHECK(server_requests(&p, 0) == 1);
  server_stop(&p);
}

static void a_proxys_login (void) {
  dk_engine *e = dk_engine_new();
  dk_request request = make_request("GET", "http://127.0.0.1:2/");
  request.proxy = "http://127.0.0.1:1";
  request.proxy_login = "user:" SECRET;
  watch_freed(SECRET);
  dk_xfer *x = run_transfer(e, request);
  if (CHECK(x != NULL)) CHECK(x->outcome.failure.status == DK_CONNECT && strcmp(x->request.proxy_login, "user:" SECRET) == 0);
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  CHECK(freed_unwiped() == 0);
}

int main (void) {
  static const check_test tests[] = {
    {"a_slot_that_is_set_again", a_slot_that_is_set_again},
    {"a_slot_that_is_cleared_wiped_or_released", a_slot_that_is_cleared_wiped_or_released},
    {"a_buffer_that_grows_is_cut_and_reset", a_buffer_that_grows_is_cut_and_reset},
    {"a_header_line_that_was_left_out", a_header_line_that_was_left_out},
    {"a_text_that_was_masked", a_text_that_was_masked},
    {"a_whole_exchange", a_whole_exchange},
    {"a_proxys_login", a_proxys_login},
  };
  return CHECK_RUN(tests);
}
