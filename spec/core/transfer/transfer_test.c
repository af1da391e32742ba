/* transfer_test.c - one transfer: its outcome for correct, wrong and missing responses; its limits and times; finding headers. */
#define _GNU_SOURCE              /* for test_server.h */
#include <string.h>

#include "http/header.h"
#include "support/engine_helpers.h"
#include "support/stalled_transfer.h"
#include "support/test_server.h"

#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: " body

typedef struct {
  server_route route;
  const char *name;
  dk_status failure;
  dk_fate fate;
  long status;
  const char *phase, *body;
} fate_row;

/* responses to a POST; none of them may cause a second request */
static const fate_row fates[] = {
  {{"/", OK("2\r\n\r\nhi"), 0, SERVER_KEEP, 0, false}, "whole", DK_OK, DK_ANSWERED, 200, "", "hi"},
  {{"/", OK("0\r\n\r\n"), 0, SERVER_KEEP, 0, false}, "whole and empty", DK_OK, DK_ANSWERED, 200, "", ""},
  {{"/", "HTTP/1.1 204 No Content\r\n\r\n", 0, SERVER_KEEP, 0, false}, "no content", DK_OK, DK_ANSWERED, 204, "", ""},
  {{"/", "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\noops", 0, SERVER_KEEP, 0, false}, "502", DK_OK, DK_ANSWERED, 502, "", "oops"},
  {{"/", "HTTP/1.1 302 Found\r\nLocation: /away\r\nContent-Length: 0\r\n\r\n", 0, SERVER_KEEP, 0, false}, "redirect", DK_OK, DK_ANSWERED, 302, "", ""},
  {{"/", "HTTP/1.0 200 OK\r\n\r\nto the end", 0, SERVER_CLOSE, 0, false}, "ended by the close", DK_OK, DK_ANSWERED, 200, "", "to the end"},
  {{"/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", 0, SERVER_KEEP, 0, false}, "chunked", DK_OK, DK_ANSWERED, 200, "", "hi"},
  {{"/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nHTTP/1.1: 500\r\nX-Sum: 1\r\n\r\n", 0, SERVER_KEEP, 0, false}, "chunked, with trailers", DK_OK, DK_ANSWERED, 200, "", "hi"},
  {{"/", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi", 0, SERVER_KEEP, 0, false}, "after an interim answer", DK_OK, DK_ANSWERED, 201, "", "hi"},
  {{"/", NULL, 0, SERVER_CLOSE, 0, false}, "closed without a byte", DK_CONNECTION_LOST, DK_UNKNOWN, 0, "wait", ""},
  {{"/", NULL, 0, SERVER_RESET, 0, false}, "reset", DK_CONNECTION_LOST, DK_UNKNOWN, 0, "wait", ""},
  {{"/", OK("20\r\n\r\nhalf"), 0, SERVER_CLOSE, 0, false}, "cut in the body", DK_CONNECTION_LOST, DK_UNKNOWN, 200, "body", "half"},
  {{"/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", 0, SERVER_CLOSE, 0, false}, "cut between chunks", DK_CONNECTION_LOST, DK_UNKNOWN, 200, "body", "half"},
  {{"/", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0, SERVER_KEEP, 0, false}, "broken chunk", DK_CONNECTION_LOST, DK_UNKNOWN, 200, "body", ""},
  {{"/", "HTTP/1.1 200 OK\r\nContent-Le", 0, SERVER_RESET, 0, false}, "reset in the head", DK_CONNECTION_LOST, DK_UNKNOWN, 200, "body", ""},
  {{"/", "hello\r\n", 0, SERVER_CLOSE, 0, false}, "no HTTP at all", DK_PROTOCOL, DK_UNKNOWN, 0, "wait", ""},
  {{"/", "HTTP/1.1 abc\r\n\r\n", 0, SERVER_CLOSE, 0, false}, "no status", DK_PROTOCOL, DK_UNKNOWN, 0, "wait", ""},
  {{"/", "HTTP/ none\n\n", 0, SERVER_CLOSE, 0, false}, "no status, and a 200 to libcurl", DK_PROTOCOL, DK_UNKNOWN, 0, "wait", ""},
  {{"/", "HTTP/1.1 100 Continue\r\n\r\nHTTp/1.1 201 Created\r\n\r\n", 0, SERVER_CLOSE, 0, false}, "no status after an interim answer", DK_PROTOCOL, DK_UNKNOWN, 0, "wait", ""},
  {{"/", "HTTP/1.1 103 Early Hints\r\n\r!\nHTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nhi", 0, SERVER_KEEP, 0, false}, "after one whose empty line is none", DK_OK, DK_ANSWERED, 201, "", "hi"},
};

static void check_fate (const fate_row *row, bool threaded) {
  static test_server p;
  const server_route rows[] = {row->route, {NULL}};
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  CHECK(!threaded || dk_engine_start(e));
  dk_xfer *x = run_transfer(e, make_post(server_url(&p, "/"), "{}"));
  if (x != NULL) {
    bool right = CHECK(x->outcome.failure.status == row->failure) & CHECK(x->outcome.fate == row->fate) & CHECK(x->response.status == row->status);
    right = right & CHECK(strcmp(x->outcome.phase, row->phase) == 0) & CHECK(body_is(x, row->body)) & CHECK(server_requests(&p, 0) == 1);
    if (!right)
      fprintf(stderr, "  %s: %s (%s), fate %d, status %d, step '%s', body '%s'\n", row->name, dk_status_name(x->outcome.failure.status), x->outcome.failure.text,
              (int)x->outcome.fate, x->response.status, x->outcome.phase, x->response.body.bytes ? x->response.body.bytes : "");
  }
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void fates_of_a_post (void) {
  for (size_t i = 0; i < sizeof fates / sizeof *fates; i++) {
    check_fate(&fates[i], false);
    if (DK_HAS_THREADS) check_fate(&fates[i], true);
  }
}

/* requests that never reach a server */
static void not_sent (void) {
  struct sockaddr_in address;
  char closed[64];
  close(server_listener(1, &address));
  snprintf(closed, sizeof closed, "http://127.0.0.1:%d/", ntohs(address.sin_port));
  const struct { const char *url; dk_status failure; const char *phase; } rows[] = {
    {closed, DK_CONNECT, "connect"},
    {"http://name.invalid/", DK_LOOKUP, "name look-up"},
    {"http://127.0.0.1:99999/", DK_BAD_URL, ""},
    {"http://", DK_BAD_URL, ""},
    {"no address", DK_BAD_URL, ""},                                       /* not resolved against the handle's last URL */
    {"/path", DK_BAD_URL, ""},
    {"ftp://127.0.0.1/", DK_BAD_URL, "name look-up"},
    {"file:///etc/passwd", DK_BAD_URL, "name look-up"},
  };
  dk_engine *e = dk_engine_new();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_xfer *x = run_transfer(e, make_post(rows[i].url, "{}"));
    if (x == NULL) continue;
    if (!(CHECK(x->outcome.failure.status == rows[i].failure) & CHECK(x->outcome.fate == DK_NOT_SENT) & CHECK(x->response.status == 0)))
      fprintf(stderr, "  %s: %s (%s), step '%s'\n", rows[i].url, dk_status_name(x->outcome.failure.status), x->outcome.failure.text, x->outcome.phase);
    dk_xfer_free(x);
  }
  dk_engine_close(e);
  dk_engine_free(e);
}

static void what_goes_out (void) {
  static const server_route rows[] = {{.path = "/", .response = OK("0\r\n\r\n")}, {NULL}};
  static const struct { const char *method; bool has_body; const char *body, *first, *last; } requests[] = {
    {"GET", false, "", "GET /p?q=1 HTTP/1.1\r\n", "\r\nX-One: 1\r\n\r\n"},
    {"POST", true, "{\"a\":1}", "POST /p?q=1 HTTP/1.1\r\n", "\r\nContent-Length: 7\r\n\r\n{\"a\":1}"},
    {"POST", true, "", "POST /p?q=1 HTTP/1.1\r\n", "\r\nContent-Length: 0\r\n\r\n"},
    {"PATCH", true, "{}", "PATCH /p?q=1 HTTP/1.1\r\n", "\r\nContent-Length: 2\r\n\r\n{}"},
    {"DELETE", false, "", "DELETE /p?q=1 HTTP/1.1\r\n", "\r\nX-One: 1\r\n\r\n"},
    {"GET", false, "", "GET /p?q=1 HTTP/1.1\r\n", "\r\nX-One: 1\r\n\r\n"},
  };
  static test_server p;
  static char got[SERVER_KEPT + 1];
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {        /* one handle, reused */
    dk_request r = make_request(requests[i].method, server_url(&p, "/p?q=1"));
    r.has_body = requests[i].has_body;
    CHECK(dk_buffer_add(&r.body, requests[i].body, strlen(requests[i].body)) == DK_OK);
    CHECK(dk_buffer_add(&r.headers, "Content-Type: a/b\0X-One: 1", 27) == DK_OK);
    dk_xfer_free(run_transfer(e, r));
    server_last_request(&p, got);
    size_t length = strlen(got), last = strlen(requests[i].last);
    bool right = CHECK(strncmp(got, requests[i].first, strlen(requests[i].first)) == 0) & CHECK(strstr(got, "\r\nX-One: 1\r\n") != NULL);
    right = right & CHECK(length > last && strcmp(got + length - last, requests[i].last) == 0) & CHECK(strcasestr(got, "expect") == NULL);
    if (!right) fprintf(stderr, "  %s\n", got);
  }
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

static void many_lines_go_out (void) {
  static const server_route rows[] = {{.path = "/", .response = OK("0\r\n\r\n")}, {NULL}};
  static test_server p;
  static char got[SERVER_KEPT + 1];
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  dk_request r = make_post(server_url(&p, "/"), "{}");
  for (int i = 0; i < 500; i++) CHECK(dk_buffer_add(&r.headers, "Line: of 17 bytes", 18) == DK_OK);
  dk_xfer_free(run_transfer(e, r));
  server_last_request(&p, got);
  int count = 0;
  for (const char *at = got; (at = strstr(at, "\r\nLine: of 17 bytes\r\n")) != NULL; at++) count++;
  CHECK(count == 500);
  dk_engine_close(e);
  dk_engine_free(e);
  server_stop(&p);
}

/* a response with this many bytes of headers and body */
static dk_xfer *answer_of (dk_engine *e, size_t head, size_t body, size_t response_bytes) {
  static test_server p;
  static char answer[400000];
  int n = snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n", body);
  size_t at = (size_t)n;
  while (at + 2 < head) {                                                 /* many lines, because libcurl limits the length of one */
    size_t line = head - 2 - at < 1000 ? head - 2 - at : head - 2 - at < 1010 ? 500 : 1000;
    memset(answer + at, 'x', line);
    memcpy(answer + at, "X:", 2);
    memcpy(answer + at + line - 2, "\r\n", 2);
    at += line;
  }
  memcpy(answer + at, "\r\n", 2);
  memset(answer + at + 2, 'b', body);
  const server_route rows[] = {{"/", answer, at + 2 + body, SERVER_KEEP, 0, false}, {NULL}};
  server_start(&p, rows);
  dk_request r = make_request("GET", server_url(&p, "/"));
  r.limits.response_bytes = response_bytes;
  dk_xfer *x = run_transfer(e, r);
  server_stop(&p);
  return x;
}

static void caps (void) {
  static const struct { size_t head, body, response_bytes; dk_status failure; } rows[] = {
    {200, 1000, 1000, DK_OK}, {200, 1001, 1000, DK_OVER_LIMIT}, {200, 1, 0, DK_OVER_LIMIT}, {200, 0, 0, DK_OK}, {200, 300000, 300000, DK_OK},
    {DK_MAX_HEADERS, 10, 1000, DK_OK}, {DK_MAX_HEADERS + 1, 10, 1000, DK_OVER_LIMIT}, {DK_MAX_HEADERS + 9000, 0, 1000, DK_OVER_LIMIT},
  };
  dk_engine *e = dk_engine_new();
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    dk_xfer *x = answer_of(e, rows[i].head, rows[i].body, rows[i].response_bytes);
    if (x == NULL) continue;
    bool whole = rows[i].failure == DK_OK;
    bool right = CHECK(x->outcome.failure.status == rows[i].failure) & CHECK(x->outcome.fate == (whole ? DK_ANSWERED : DK_UNKNOWN)) & CHECK(x->response.status == 200);
    right = right & CHECK(!whole || (x->response.body.length == rows[i].body && x->response.headers.length == rows[i].head));
    if (!right) fprintf(stderr, "  row %zu: %s, head %zu, body %zu\n", i, x->outcome.failure.text, x->response.headers.length, x->response.body.length);
    dk_xfer_free(x);
  }
  dk_engine_close(e);
  dk_engine_free(e);
}

static void head_find (void) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Empty:\r\nX-Blanks: \t two words \t \r\nRetry-After:5\r\nX-Long: a:b\n"
                             "Retry-After: 6\r\nNo colon here\r\nX-Last: end";
  static const struct { const char *name, *value; } rows[] = {
    {"Content-Type", "text/html"}, {"content-type", "text/html"}, {"CONTENT-TYPE", "text/html"}, {"X-Empty", ""}, {"X-Blanks", "two words"},
    {"Retry-After", "5"}, {"X-Long", "a:b"}, {"X-Last", "end"}, {"Content", NULL}, {"Type", NULL}, {"X-Lon", NULL}, {"X-Longer", NULL},
    {"No colon here", NULL}, {"HTTP/1.1 200 OK", NULL}, {"", NULL}, {"X-Last: end and more than the head has", NULL},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    size_t length = 999;
    const char *value = dk_header_find(head, sizeof head - 1, rows[i].name, &length);
    bool right = rows[i].value ? value != NULL && length == strlen(rows[i].value) && memcmp(value, rows[i].value, length) == 0 : value == NULL;
    if (!CHECK(right)) fprintf(stderr, "  %s\n", rows[i].name);
  }
}

/* it reads only the block, which ends at the end of a heap block, where a sanitizer detects reads past it */
static void head_find_reads_no_further_than_the_head (void) {
  static const char whole[] = "A: 1\r\nBcd: 2\r\n";
  for (size_t length = 0; length < sizeof whole; length++) {
    char *head = malloc(length ? length : 1);
    size_t found;
    memcpy(head, whole, length);
    CHECK((dk_header_find(head, length, "bcd", &found) != NULL) == (length >= 10));
    CHECK(dk_header_find(head, length, "bcde", &found) == NULL);
    free(head);
  }
}

/* the server closes the connection, or does not speak TLS: no certificate was verified, so none was refused */
static void a_handshake_that_breaks_off (void) {
  static const struct { const char *words; bool reset; } rows[] = {{"", false}, {"", true}, {"HTTP/1.1 400 Bad Request\r\n\r\n", false}};
  const struct linger at_once = {1, 0};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    stalled_transfer p;
    dk_engine *e = dk_engine_new();
    stall_begin(&p, e, IN_TLS, NULL, NULL);
    stall_reach(&p, e, IN_TLS);
    CHECK(send(p.fd, rows[i].words, strlen(rows[i].words), MSG_NOSIGNAL) == (ssize_t)strlen(rows[i].words));
    if (rows[i].reset) setsockopt(p.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    close(p.fd);
    p.fd = -1;
    dk_xfer *x = wait_for_transfer(e, NULL);
    if (x != NULL && !CHECK(x->outcome.failure.status == DK_TLS_HANDSHAKE && x->outcome.fate == DK_NOT_SENT && strcmp(x->outcome.phase, "TLS") == 0))
      fprintf(stderr, "  row %zu: %s (%s), step '%s'\n", i, dk_status_name(x->outcome.failure.status), x->outcome.failure.text, x->outcome.phase);
    dk_xfer_free(x);
    stall_end(&p);
    dk_engine_close(e);
    dk_engine_free(e);
  }
}

static bool has_times (const dk_xfer *x, bool lookup, bool connect, bool first_byte, bool total) {
  const dk_times *t = &x->outcome.times;
  return (t->lookup > 0) == lookup && (t->connect > 0) == connect && !(t->tls > 0) && (t->first_byte > 0) == first_byte && (x->outcome.times.total > 0) == total &&
         t->lookup <= t->connect + (connect ? 0 : 1) && (double)t->first_byte <= x->outcome.times.total + 1e-6;
}

static dk_xfer *timed (dk_engine *e, const char *url, unsigned flags) {
  dk_request r = make_request("GET", url);
  r.flags = flags;
  return run_transfer(e, r);
}

/* for a new connection, a reused one and a failure; and no times without DK_WANT_TIMES */
static void times (void) {
  static const server_route rows[] = {{.path = "/cut", .end = SERVER_CLOSE}, {.path = "/", .response = OK("0\r\n\r\n")}, {NULL}};
  static const struct { const char *path; unsigned flags; bool lookup, connect, first_byte, total; } asked[] = {
    {"/", DK_WANT_TIMES | DK_ONCE, true, true, true, true}, {"/", DK_WANT_TIMES, false, false, true, true}, {"/", 0, false, false, false, false},
    {"/cut", DK_WANT_TIMES | DK_ONCE, true, true, false, true},
  };
  static test_server p;
  server_start(&p, rows);
  dk_engine *e = dk_engine_new();
  for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
    dk_xfer *x = timed(e, server_url(&p, asked[i].path), asked[i].flags);
    if (x != NULL && !CHECK(has_times(x, asked[i].lookup, asked[i].connect, asked[i].first_byte, asked[i].total)))
      fprintf(stderr, "  row %zu: %g %g %g %g %g\n", i, (double)x->outcome.times.lookup, (double)x->outcome.times.connect, (double)x->outcome.times.tls, (double)x->outcome.times.first_byte, x->outcome.times.total);
    dk_xfer_free(x);
  }
  server_stop(&p);
  dk_xfer *x = timed(e, "http://127.0.0.1:1/", DK_WANT_TIMES);
  if (x != NULL) CHECK(has_times(x, true, false, false, true));
  dk_xfer_free(x);
  dk_engine_close(e);
  dk_engine_free(e);
}

int main (void) {
  static const check_test tests[] = {
    {"fates_of_a_post", fates_of_a_post},
    {"not_sent", not_sent},
    {"what_goes_out", what_goes_out},
    {"many_lines_go_out", many_lines_go_out},
    {"caps", caps},
    {"a_handshake_that_breaks_off", a_handshake_that_breaks_off},
    {"times", times},
    {"head_find", head_find},
    {"head_find_reads_no_further_than_the_head", head_find_reads_no_further_than_the_head},
  };
  return CHECK_RUN(tests);
}
