/* engine_public_test.c - DK_PUBLIC: nothing is sent to an address that is not public, also if its name had a public address before
 * (architecture.md, invariant 5). */
#define _GNU_SOURCE              /* for test_server.h, RTLD_NEXT */
#include <string.h>

#include "support/engine_helpers.h"
#include "support/fake_network.h"
#include "support/test_server.h"

#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static const server_route rows[] = {
  {.path = "/folded", .response = "HTTP/1.1 200 OK\r\n X: 1\r\nContent-Length: 2\r\n\r\nhi"},
  {.path = "/", .response = HI}, {.path = "http://8.8.8.8/", .response = HI}, {NULL}};
enum { FOLDED_ROW, DIRECT_ROW, PROXY_ROW };

static test_server p;

/* a URL with the server's port and another host */
static const char *url_of (const char *host) {
  static char url[128];
  snprintf(url, sizeof url, "http://%s%s", host, strrchr(server_url(&p, "/"), ':'));
  return url;
}

static dk_request ask_public (const char *host) {
  dk_request r = make_request("GET", url_of(host));
  r.flags = DK_PUBLIC;
  return r;
}

/* sets the results of lookups of FAKE_NAME */
static void answer_lookups (const char *first, const char *and_also, const char *second) {
  memset(fake_answers, 0, sizeof fake_answers);
  fake_answers[0][0] = first;
  fake_answers[0][1] = and_also;
  fake_answers[1][0] = second;
  atomic_store(&fake_lookups, 0);
  atomic_store(&fake_connects, 0);
}

static void check_refused (const dk_xfer *x, const char *address) {
  if (x == NULL) return;
  bool right = CHECK(x->outcome.failure.status == DK_ADDRESS_NOT_PUBLIC) & CHECK(x->outcome.fate == DK_NOT_SENT) & CHECK(x->progress.requests_sent == 0) & CHECK(strcmp(x->outcome.phase, "connect") == 0);
  right = right & CHECK(strstr(x->outcome.failure.text, address) != NULL);
  if (!right) fprintf(stderr, "  %s: %s (%s), step '%s'\n", address, dk_status_name(x->outcome.failure.status), x->outcome.failure.text, x->outcome.phase);
}

static void check_answered (const dk_xfer *x) {
  if (x != NULL && !CHECK(x->outcome.failure.status == DK_OK && body_is(x, "hi"))) fprintf(stderr, "  %s\n", x->outcome.failure.text);
}

static dk_engine *begin (bool threaded) {
  dk_engine *e = dk_engine_new();
  server_start(&p, rows);
  CHECK(!threaded || dk_engine_start(e));
  return e;
}

static void end (dk_engine *e) {
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* only a resolver reads the second group as addresses; for all others they are names */
static void addresses_that_are_not_public (void) {
  static const struct { const char *host, *address; } hosts[] = {
    {"127.0.0.1", "127.0.0.1"}, {"localhost", ""}, {"[::1]", "::1"}, {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1"}, {"0.0.0.0", "0.0.0.0"},
    {"127.1", "127.0.0.1"}, {"0x7f000001", "127.0.0.1"}, {"2130706433", "127.0.0.1"}, {"0177.0.0.1", "127.0.0.1"}, {"017700000001", "127.0.0.1"},
  };
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    dk_engine *e = begin(threaded);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
      dk_xfer *x = run_transfer(e, ask_public(hosts[i].host));
      check_refused(x, hosts[i].address);
      dk_xfer_free(x);
    }
    CHECK(server_accepted(&p) == 0);
    end(e);
  }
}

/* without this the test above proves nothing */
static void without_the_flag_they_are_asked (void) {
  dk_engine *e = begin(false);
  dk_xfer *x = run_transfer(e, make_request("GET", url_of("127.0.0.1")));
  check_answered(x);
  dk_xfer_free(x);
  end(e);
}

static void a_public_address_is_asked (void) {
  for (int threaded = 0; threaded <= DK_HAS_THREADS; threaded++) {
    dk_engine *e = begin(threaded);
    answer_lookups(PUBLIC_ADDRESS, NULL, NULL);
    for (int i = 0; i < 3; i++) {
      dk_xfer *x = run_transfer(e, ask_public(FAKE_NAME));
      check_answered(x);
      dk_xfer_free(x);
    }
    CHECK(atomic_load(&fake_connects) == 1 && server_requests(&p, DIRECT_ROW) == 3);
    end(e);
  }
}

/* a connection goes only to a checked address; libcurl 8.21 looks up IPv4 and IPv6 separately */
static void a_name_that_changes_its_address (void) {
  answer_lookups(PUBLIC_ADDRESS, NULL, "127.0.0.1");
  for (int turn = 0; turn < 2; turn++) {                       /* a new engine each time: within one, libcurl caches lookups */
    dk_engine *e = begin(false);
    dk_xfer *x = run_transfer(e, ask_public(FAKE_NAME));
    if (turn == 0) check_answered(x);
    else check_refused(x, "127.0.0.1");
    dk_xfer_free(x);
    CHECK(atomic_load(&fake_lookups) > turn && server_accepted(&p) == (turn == 0 ? 1 : 0));
    end(e);
  }
}

static void a_name_with_several_addresses (void) {
  dk_engine *e = begin(false);
  answer_lookups("127.0.0.1", PUBLIC_ADDRESS, NULL);
  dk_xfer *x = run_transfer(e, ask_public(FAKE_NAME));
  check_answered(x);
  dk_xfer_free(x);
  CHECK(server_accepted(&p) == 1 && atomic_load(&fake_connects) == 1);                /* only the public one */
  end(e);
  e = begin(false);
  answer_lookups("127.0.0.1", "::1", NULL);
  x = run_transfer(e, ask_public(FAKE_NAME));
  check_refused(x, "1");
  dk_xfer_free(x);
  CHECK(server_accepted(&p) == 0);
  end(e);
}

/* the check also applies to a connection that was opened without the flag */
static void a_kept_connection_is_looked_at (void) {
  dk_engine *e = begin(false);
  for (int i = 0; i < 3; i++) {
    dk_xfer *x = run_transfer(e, i == 1 ? ask_public("127.0.0.1") : make_request("GET", url_of("127.0.0.1")));
    if (i == 1) check_refused(x, "127.0.0.1");
    else check_answered(x);
    dk_xfer_free(x);
  }
  CHECK(server_requests(&p, DIRECT_ROW) == 2);
  end(e);
}

/* through a proxy only an address in the URL can be checked; then the proxy gets no request */
static void through_a_proxy (void) {
  static const char *const hosts[] = {"127.0.0.1", "127.1", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.1", "169.254.169.254"};
  static char proxy[64];
  dk_engine *e = begin(false);
  snprintf(proxy, sizeof proxy, "http://127.0.0.1%s", strrchr(server_url(&p, ""), ':'));
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    dk_request r = ask_public(hosts[i]);
    r.proxy = proxy;
    dk_xfer *x = run_transfer(e, r);
    if (x != NULL && !CHECK(x->outcome.failure.status == DK_ADDRESS_NOT_PUBLIC && x->outcome.fate == DK_NOT_SENT)) fprintf(stderr, "  %s: %s\n", hosts[i], x->outcome.failure.text);
    dk_xfer_free(x);
  }
  CHECK(server_accepted(&p) == 0);
  dk_request r = ask_public("8.8.8.8");
  r.proxy = proxy;
  r.url = "http://8.8.8.8/";
  dk_xfer *x = run_transfer(e, r);
  check_answered(x);
  dk_xfer_free(x);
  CHECK(server_requests(&p, PROXY_ROW) == 1);
  end(e);
}

/* no server can make libcurl write into the freed headers of an earlier response; libcurl's reading of the line does not matter */
static void an_answer_that_begins_with_a_folded_line (void) {
  char url[128];
  dk_engine *e = begin(false);
  answer_lookups(PUBLIC_ADDRESS, NULL, NULL);
  snprintf(url, sizeof url, "%sfolded", url_of(FAKE_NAME));
  for (int i = 0; i < 3; i++) {
    dk_request r = ask_public(FAKE_NAME);
    if (i > 0) r.url = url;
    dk_xfer *x = run_transfer(e, r);
    if (x != NULL && i == 0) check_answered(x);
    else if (x != NULL) CHECK(x->outcome.failure.status == DK_PROTOCOL || x->outcome.fate == DK_ANSWERED);
    dk_xfer_free(x);
  }
  CHECK(server_requests(&p, FOLDED_ROW) == 2);
  end(e);
}

int main (void) {
  static const check_test tests[] = {
    {"addresses_that_are_not_public", addresses_that_are_not_public},
    {"without_the_flag_they_are_asked", without_the_flag_they_are_asked},
    {"a_public_address_is_asked", a_public_address_is_asked},
    {"a_name_that_changes_its_address", a_name_that_changes_its_address},
    {"a_name_with_several_addresses", a_name_with_several_addresses},
    {"a_kept_connection_is_looked_at", a_kept_connection_is_looked_at},
    {"through_a_proxy", through_a_proxy},
    {"an_answer_that_begins_with_a_folded_line", an_answer_that_begins_with_a_folded_line},
  };
  return CHECK_RUN(tests);
}
