/* stalled_transfer.h - a transfer that reaches a phase and stays in it, because the server sends nothing more. */
#ifndef STALLED_TRANSFER_H
#define STALLED_TRANSFER_H

#include "support/engine_helpers.h"
#include "support/slow_lookup.h"
#include "support/test_server.h"

enum { STALL_UPLOAD = 16 << 20 };  /* bytes; more than all buffers of a loopback connection take */

typedef enum { IN_LOOKUP, IN_CONNECT, IN_TLS, IN_SEND, IN_WAIT, IN_BODY } phase_kind;

typedef struct {
  phase_kind kind;
  const char *phase;
  dk_fate fate;
} phase_row;

static const phase_row phases[] = {
  {IN_LOOKUP, "name look-up", DK_NOT_SENT}, {IN_CONNECT, "connect", DK_NOT_SENT}, {IN_TLS, "TLS", DK_NOT_SENT},
  {IN_SEND, "send", DK_UNKNOWN}, {IN_WAIT, "wait", DK_UNKNOWN}, {IN_BODY, "body", DK_UNKNOWN},
};
enum { PHASES = sizeof phases / sizeof *phases };

typedef struct {
  int listener, fd;              /* fd: the server's end of the connection; -1: none */
  int filling[8];                /* connections that nobody accepts, so that the listener's queue is full */
  struct sockaddr_in address;
  char url[64];
  dk_xfer_id id;
} stalled_transfer;

static char stall_bytes[STALL_UPLOAD] = PNG_HEAD;

static inline void stall_fill (stalled_transfer *p) {
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) {
    p->filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(p->filling[i], (struct sockaddr *)&p->address, sizeof p->address);
  }
}

/* accepts the transfer's connection */
static inline void stall_accept (stalled_transfer *p, dk_engine *e) {
  fcntl(p->listener, F_SETFL, O_NONBLOCK);
  WAIT_UNTIL(e, p->fd >= 0 || (p->fd = accept(p->listener, NULL, NULL)) >= 0);
  fcntl(p->fd, F_SETFL, O_NONBLOCK);
}

/* reads at least this many bytes from the engine */
static inline void stall_read (stalled_transfer *p, dk_engine *e, size_t least) {
  static char bytes[4096];
  size_t got = 0;
  ssize_t n;
  WAIT_UNTIL(e, got >= least || ((n = recv(p->fd, bytes, sizeof bytes, 0)) > 0 && (got += (size_t)n) >= least));
}

static inline dk_request stall_request (stalled_transfer *p, phase_kind kind, const char *save_as) {
  dk_failure failure;
  dk_request r = make_request(kind == IN_BODY ? "GET" : "POST", p->url);
  snprintf(p->url, sizeof p->url, "%s://%s:%d/", kind == IN_TLS ? "https" : "http", kind == IN_LOOKUP ? SLOW_NAME : "127.0.0.1", ntohs(p->address.sin_port));
  if (kind == IN_BODY) {
    r.save_as = save_as;                                                  /* for files libcurl counts the bytes, so the test sees them arrive */
  } else {
    r.flags = DK_ONCE;
    r.form = dk_form_new();
    CHECK(dk_form_add_bytes(r.form, "i", "i.png", stall_bytes, kind == IN_SEND ? STALL_UPLOAD : 100, STALL_UPLOAD, &failure) == DK_OK);
  }
  return r;
}

/* Submits a transfer that will stay in the phase. limit: sets a limit of the request, or NULL. */
static inline void stall_begin (stalled_transfer *p, dk_engine *e, phase_kind kind, const char *save_as, void (*limit) (dk_request *)) {
  const int small = 4096;
  *p = (stalled_transfer){.fd = -1};
  p->listener = server_listener(kind == IN_CONNECT ? 0 : 8, &p->address);
  setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) p->filling[i] = -1;
  if (kind == IN_CONNECT) stall_fill(p);
  dk_request r = stall_request(p, kind, save_as);
  if (limit != NULL) limit(&r);
  p->id = submit(e, r);
}

/* Lets it reach the phase. */
static inline void stall_reach (stalled_transfer *p, dk_engine *e, phase_kind kind) {
  static const char response[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" PNG_HEAD;
  uint64_t counts[4] = {0};
  if (kind == IN_LOOKUP) WAIT_UNTIL(e, atomic_load(&lookups_waiting) >= 1);
  if (kind == IN_CONNECT) for (int i = 0; i < 100; i++) wait_turn(e);    /* nothing shows it now; the transfer's phase shows it afterwards */
  if (kind <= IN_CONNECT) return;
  stall_accept(p, e);
  stall_read(p, e, kind == IN_SEND ? 64 * 1024 : 10);
  if (kind == IN_BODY) {
    CHECK(send(p->fd, response, sizeof response - 1, MSG_NOSIGNAL) == sizeof response - 1);
    WAIT_UNTIL(e, dk_engine_progress(e, p->id, counts) && counts[2] == 8);
  }
  for (int i = 0; i < 20; i++) wait_turn(e);                             /* the rest of the request is sent */
}

static inline void stall_end (stalled_transfer *p) {
  if (p->fd >= 0) close(p->fd);
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) {
    if (p->filling[i] >= 0) close(p->filling[i]);
  }
  close(p->listener);
  end_lookups();
}

#endif
