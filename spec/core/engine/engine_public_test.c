/* engine_public_test.c - DK_PUBLIC: nothing is sent to an address that is not public, whatever its name said before
 * (invariant 5). */
#define _GNU_SOURCE              /* what peer.h asks for, RTLD_NEXT */
#include <string.h>

#include "support/engine_helpers.h"
#include "support/fake_network.h"
#include "support/test_server.h"

#define HI "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"

static const peer_row rows[] = {
  {.path = "/folded", .answer = "HTTP/1.1 200 OK\r\n X: 1\r\nContent-Length: 2\r\n\r\nhi"},
  {.path = "/", .answer = HI}, {.path = "http://8.8.8.8/", .answer = HI}, {NULL}};
enum { FOLDED_ROW, DIRECT_ROW, PROXY_ROW };

static peer p;

/* the peer's port under another host */
static const char *url_of (const char *host) {
  static char url[128];
  snprintf(url, sizeof url, "http://%s%s", host, strrchr(peer_url(&p, "/"), ':'));
  return url;
}

static dk_request ask_public (const char *host) {
  dk_request r = ask("GET", url_of(host));
  r.flags = DK_PUBLIC;
  return r;
}

/* what look-ups of FAKE_NAME give from now on */
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
  bool right = CHECK(x->failure.status == DK_PRIVATE) & CHECK(x->fate == DK_NOT_SENT) & CHECK(x->sendings == 0) & CHECK(strcmp(x->step, "connect") == 0);
  right = right & CHECK(strstr(x->failure.text, address) != NULL);
  if (!right) fprintf(stderr, "  %s: %s (%s), step '%s'\n", address, dk_status_name(x->failure.status), x->failure.text, x->step);
}

static void check_answered (const dk_xfer *x) {
  if (x != NULL && !CHECK(x->failure.status == DK_OK && body_is(x, "hi"))) fprintf(stderr, "  %s\n", x->failure.text);
}

static dk_engine *begin (bool threaded) {
  dk_engine *e = dk_engine_new();
  peer_start(&p, rows);
  CHECK(!threaded || dk_engine_start(e));
  return e;
}

static void end (dk_engine *e) {
  dk_engine_close(e);
  dk_engine_free(e);
  peer_stop(&p);
}

/* the spellings of the second group are addresses for a resolver, and names for everybody else */
static void addresses_that_are_not_public (void) {
  static const struct { const char *host, *address; } hosts[] = {
    {"127.0.0.1", "127.0.0.1"}, {"localhost", ""}, {"[::1]", "::1"}, {"[::ffff:127.0.0.1]", "::ffff:127.0.0.1"}, {"0.0.0.0", "0.0.0.0"},
    {"127.1", "127.0.0.1"}, {"0x7f000001", "127.0.0.1"}, {"2130706433", "127.0.0.1"}, {"0177.0.0.1", "127.0.0.1"}, {"017700000001", "127.0.0.1"},
  };
  for (int threaded = 0; threaded < 2; threaded++) {
    dk_engine *e = begin(threaded);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
      dk_xfer *x = exchange(e, ask_public(hosts[i].host));
      check_refused(x, hosts[i].address);
      dk_xfer_free(x);
    }
    CHECK(peer_accepted(&p) == 0);
    end(e);
  }
}

/* else the test above shows nothing */
static void without_the_flag_they_are_asked (void) {
  dk_engine *e = begin(false);
  dk_xfer *x = exchange(e, ask("GET", url_of("127.0.0.1")));
  check_answered(x);
  dk_xfer_free(x);
  end(e);
}

static void a_public_address_is_asked (void) {
  for (int threaded = 0; threaded < 2; threaded++) {
    dk_engine *e = begin(threaded);
    answer_lookups(PUBLIC_ADDRESS, NULL, NULL);
    for (int i = 0; i < 3; i++) {
      dk_xfer *x = exchange(e, ask_public(FAKE_NAME));
      check_answered(x);
      dk_xfer_free(x);
    }
    CHECK(atomic_load(&fake_connects) == 1 && peer_hits(&p, DIRECT_ROW) == 3);
    end(e);
  }
}

/* a connection goes to an address that was judged; libcurl 8.21 looks up IPv4 and IPv6 apart */
static void a_name_that_changes_its_address (void) {
  answer_lookups(PUBLIC_ADDRESS, NULL, "127.0.0.1");
  for (int turn = 0; turn < 2; turn++) {                       /* a new engine: within one, libcurl keeps what it looked up */
    dk_engine *e = begin(false);
    dk_xfer *x = exchange(e, ask_public(FAKE_NAME));
    if (turn == 0) check_answered(x);
    else check_refused(x, "127.0.0.1");
    dk_xfer_free(x);
    CHECK(atomic_load(&fake_lookups) > turn && peer_accepted(&p) == (turn == 0 ? 1 : 0));
    end(e);
  }
}

static void a_name_with_several_addresses (void) {
  dk_engine *e = begin(false);
  answer_lookups("127.0.0.1", PUBLIC_ADDRESS, NULL);
  dk_xfer *x = exchange(e, ask_public(FAKE_NAME));
  check_answered(x);
  dk_xfer_free(x);
  CHECK(peer_accepted(&p) == 1 && atomic_load(&fake_connects) == 1);                /* the public one alone */
  end(e);
  e = begin(false);
  answer_lookups("127.0.0.1", "::1", NULL);
  x = exchange(e, ask_public(FAKE_NAME));
  check_refused(x, "1");
  dk_xfer_free(x);
  CHECK(peer_accepted(&p) == 0);
  end(e);
}

/* a connection that was made without the flag is no way around it */
static void a_kept_connection_is_looked_at (void) {
  dk_engine *e = begin(false);
  for (int i = 0; i < 3; i++) {
    dk_xfer *x = exchange(e, i == 1 ? ask_public("127.0.0.1") : ask("GET", url_of("127.0.0.1")));
    if (i == 1) check_refused(x, "127.0.0.1");
    else check_answered(x);
    dk_xfer_free(x);
  }
  CHECK(peer_hits(&p, DIRECT_ROW) == 2);
  end(e);
}

/* through a proxy only an address that stands in the URL can be told; then the proxy is not even asked */
static void through_a_proxy (void) {
  static const char *const hosts[] = {"127.0.0.1", "127.1", "0x7f000001", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.1", "169.254.169.254"};
  static char proxy[64];
  dk_engine *e = begin(false);
  snprintf(proxy, sizeof proxy, "http://127.0.0.1%s", strrchr(peer_url(&p, ""), ':'));
  for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
    dk_request r = ask_public(hosts[i]);
    r.proxy = proxy;
    dk_xfer *x = exchange(e, r);
    if (x != NULL && !CHECK(x->failure.status == DK_PRIVATE && x->fate == DK_NOT_SENT)) fprintf(stderr, "  %s: %s\n", hosts[i], x->failure.text);
    dk_xfer_free(x);
  }
  CHECK(peer_accepted(&p) == 0);
  dk_request r = ask_public("8.8.8.8");
  r.proxy = proxy;
  r.url = "http://8.8.8.8/";
  dk_xfer *x = exchange(e, r);
  check_answered(x);
  dk_xfer_free(x);
  CHECK(peer_hits(&p, PROXY_ROW) == 1);
  end(e);
}

/* nobody's server can make libcurl write where an earlier answer's headers were; what it makes of such a line is its own */
static void an_answer_that_begins_with_a_folded_line (void) {
  char url[128];
  dk_engine *e = begin(false);
  answer_lookups(PUBLIC_ADDRESS, NULL, NULL);
  snprintf(url, sizeof url, "%sfolded", url_of(FAKE_NAME));
  for (int i = 0; i < 3; i++) {
    dk_request r = ask_public(FAKE_NAME);
    if (i > 0) r.url = url;
    dk_xfer *x = exchange(e, r);
    if (x != NULL && i == 0) check_answered(x);
    else if (x != NULL) CHECK(x->failure.status == DK_PROTOCOL || x->fate == DK_ANSWERED);
    dk_xfer_free(x);
  }
  CHECK(peer_hits(&p, FOLDED_ROW) == 2);
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
