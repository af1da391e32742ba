/* stalled_transfer.h - brings a transfer to a point on its way and leaves it there: the peer says nothing more. */
#ifndef PHASE_H
#define PHASE_H

#include "support/engine_helpers.h"
#include "support/test_server.h"
#include "support/slow_lookup.h"

enum { PHASE_UPLOAD = 16 << 20 };  /* bytes; more than all buffers of a loopback connection take */

typedef enum { IN_LOOKUP, IN_CONNECT, IN_TLS, IN_SEND, IN_WAIT, IN_BODY } phase_kind;

typedef struct {
  phase_kind kind;
  const char *step;
  dk_fate fate;
} phase_row;

static const phase_row phases[] = {
  {IN_LOOKUP, "name look-up", DK_NOT_SENT}, {IN_CONNECT, "connect", DK_NOT_SENT}, {IN_TLS, "TLS", DK_NOT_SENT},
  {IN_SEND, "send", DK_UNKNOWN}, {IN_WAIT, "wait", DK_UNKNOWN}, {IN_BODY, "body", DK_UNKNOWN},
};
enum { PHASES = sizeof phases / sizeof *phases };

typedef struct {
  int listener, fd;              /* fd: the peer's end; -1: none */
  int filling[8];                /* connections that nobody accepts, so that the listener's queue is full */
  struct sockaddr_in address;
  char url[64];
  dk_xfer_id id;
} phase;

static char phase_bytes[PHASE_UPLOAD] = PNG_HEAD;

static inline void phase_fill (phase *p) {
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) {
    p->filling[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)!connect(p->filling[i], (struct sockaddr *)&p->address, sizeof p->address);
  }
}

/* the peer's end, once the transfer's connection is there */
static inline void phase_accept (phase *p, dk_engine *e) {
  fcntl(p->listener, F_SETFL, O_NONBLOCK);
  UNTIL(e, p->fd >= 0 || (p->fd = accept(p->listener, NULL, NULL)) >= 0);
  fcntl(p->fd, F_SETFL, O_NONBLOCK);
}

/* reads what the engine sends, until so many bytes have come */
static inline void phase_read (phase *p, dk_engine *e, size_t least) {
  static char bytes[4096];
  size_t got = 0;
  ssize_t n;
  UNTIL(e, got >= least || ((n = recv(p->fd, bytes, sizeof bytes, 0)) > 0 && (got += (size_t)n) >= least));
}

static inline dk_request phase_request (phase *p, phase_kind kind, const char *save_as) {
  dk_failure failure;
  dk_request r = ask(kind == IN_BODY ? "GET" : "POST", p->url);
  snprintf(p->url, sizeof p->url, "%s://%s:%d/", kind == IN_TLS ? "https" : "http", kind == IN_LOOKUP ? SLOW_NAME : "127.0.0.1", ntohs(p->address.sin_port));
  if (kind == IN_BODY) {
    r.save_as = save_as;                                                  /* libcurl counts bytes for files, so that we can see them come */
  } else {
    r.flags = DK_ONCE;
    r.form = dk_form_new();
    CHECK(dk_form_add_bytes(r.form, "i", "i.png", phase_bytes, kind == IN_SEND ? PHASE_UPLOAD : 100, PHASE_UPLOAD, &failure) == DK_OK);
  }
  return r;
}

/* Submits a transfer that will come to the phase and stay there. limit: set into connect, idle or total, or NULL. */
static inline void phase_begin (phase *p, dk_engine *e, phase_kind kind, const char *save_as, void (*limit) (dk_request *)) {
  const int small = 4096;
  *p = (phase){.fd = -1};
  p->listener = peer_listener(kind == IN_CONNECT ? 0 : 8, &p->address);
  setsockopt(p->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) p->filling[i] = -1;
  if (kind == IN_CONNECT) phase_fill(p);
  dk_request r = phase_request(p, kind, save_as);
  if (limit != NULL) limit(&r);
  p->id = submit(e, r);
}

/* Lets it come there. */
static inline void phase_reach (phase *p, dk_engine *e, phase_kind kind) {
  static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" PNG_HEAD;
  uint64_t counts[4] = {0};
  if (kind == IN_LOOKUP) UNTIL(e, atomic_load(&lookups_waiting) >= 1);
  if (kind == IN_CONNECT) for (int i = 0; i < 100; i++) until_turn(e);    /* nothing tells us; the transfer's step does afterwards */
  if (kind <= IN_CONNECT) return;
  phase_accept(p, e);
  phase_read(p, e, kind == IN_SEND ? 64 * 1024 : 10);
  if (kind == IN_BODY) {
    CHECK(send(p->fd, answer, sizeof answer - 1, MSG_NOSIGNAL) == sizeof answer - 1);
    UNTIL(e, dk_engine_progress(e, p->id, counts) && counts[2] == 8);
  }
  for (int i = 0; i < 20; i++) until_turn(e);                             /* what of the request is still under way goes out */
}

static inline void phase_end (phase *p) {
  if (p->fd >= 0) close(p->fd);
  for (size_t i = 0; i < sizeof p->filling / sizeof *p->filling; i++) {
    if (p->filling[i] >= 0) close(p->filling[i]);
  }
  close(p->listener);
  end_lookups();
}

#endif
