#include "engine/stepper.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/os.h"

enum { SPARE = 4 };              /* connections and handles kept in addition to those in use (architecture.md, invariant 8) */
#define MAX_GAP 1.0              /* seconds; a longer pause between two steps was the host's, not the server's (architecture.md, invariant 2) */
#define PAUSED_SLEEP 0.005       /* seconds until a paused upload is checked again */
#define MAX_SLEEP 3600.0         /* seconds; keeps poll's milliseconds in range */
#define NEVER 1e300

void dk_stepper_init (dk_stepper *s) {
  memset(s, 0, sizeof *s);
  s->next_limit = NEVER;
}

/* libcurl also makes a multi handle without descriptors for its wake-ups; then no thread could be woken */
static CURLM *new_multi (void) {
  CURLM *multi = curl_multi_init();
  if (multi == NULL) return NULL;
  curl_multi_setopt(multi, DK_CURLMOPT_QUICK_EXIT, 1L);
  if (curl_multi_wakeup(multi) == CURLM_OK) return multi;
  curl_multi_cleanup(multi);
  return NULL;
}

bool dk_stepper_open (dk_stepper *s) {
  if (s->multi == NULL) s->multi = new_multi();
  if (s->share == NULL) s->share = curl_share_init();
  if (s->multi == NULL || s->share == NULL) return false;
  s->last_step = dk_now();
  return curl_share_setopt(s->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK;
}

/* ---- time ---- */

int dk_poll_timeout (double seconds) {
  if (!(seconds > 0)) return 0;
  return seconds > MAX_SLEEP ? (int)(MAX_SLEEP * 1000) : (int)(seconds * 1000) + 1;
}

void dk_stepper_begin_step (dk_stepper *s, int at_once) {
  double now = dk_now(), away = now - s->last_step - s->slept;
  s->clock += s->slept + (away > MAX_GAP ? MAX_GAP : away > 0 ? away : 0);
  s->last_step = now;
  s->slept = 0;
  s->at_once = at_once;
}

/* stepped time at which x reaches a limit */
static double limit_of (const dk_xfer *x) {
  const dk_limits *limits = &x->request.limits;
  double total = limits->total > 0 ? x->engine.started + limits->total : NEVER;
  double idle = limits->idle > 0 ? x->progress.last_activity + limits->idle : NEVER;
  return total < idle ? total : idle;
}

void dk_stepper_sleep (dk_stepper *s, double seconds, struct curl_waitfd fds[], unsigned count) {
  double left = s->next_limit - s->clock;
  if (s->upload_paused && left > PAUSED_SLEEP) left = PAUSED_SLEEP;
  curl_multi_poll(s->multi, fds, count, dk_poll_timeout(left < seconds ? left : seconds), NULL);
  s->slept = dk_now() - s->last_step;                 /* with the step before it, which was no pause of the host */
}

/* ---- handles and connections ---- */

/* connections and handles that are kept */
static int pool_size (const dk_stepper *s) { return (s->running.count > s->at_once ? s->running.count : s->at_once) + SPARE; }

static void set_pool_size (dk_stepper *s) {
  long connections = pool_size(s);
  if (connections == s->max_connections) return;
  s->max_connections = connections;
  curl_multi_setopt(s->multi, CURLMOPT_MAXCONNECTS, connections);
}

/* both lists have room for all running transfers, so that a handle can always be kept */
static bool grow_lists (dk_stepper *s) {
  int capacity = s->running.capacity ? s->running.capacity * 2 : 8;
  if (s->running.count < s->running.capacity) return true;
  dk_xfer **running = (dk_xfer **)realloc(s->running.list, (size_t)capacity * sizeof *running);
  if (running == NULL) return false;
  s->running.list = running;
  dk_handle **idle = (dk_handle **)realloc(s->idle.list, (size_t)capacity * sizeof *idle);
  if (idle == NULL) return false;
  s->idle.list = idle;
  s->running.capacity = s->idle.capacity = capacity;
  return true;
}

static void keep_handle (dk_stepper *s, dk_handle *handle) {
  if (s->idle.count < pool_size(s) && s->idle.count < s->idle.capacity) s->idle.list[s->idle.count++] = handle;
  else dk_handle_free(handle);
}

/* libcurl 7.83 to 8.0 writes into freed memory if a reused handle gets a response whose first header is a folded line (curl#11101).
 * A new handle for each call would cost small ones a sixth, so only the servers of strangers get one. */
static bool needs_new_handle (const dk_xfer *x) {
  if (!(x->request.flags & DK_PUBLIC)) return false;           /* curl_version_info costs 4,000 instructions */
  unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  return version >= 0x075300 && version < 0x080100;
}

static dk_handle *take_handle (dk_stepper *s, dk_xfer *x) {
  if (s->idle.count > 0 && !needs_new_handle(x)) return s->idle.list[--s->idle.count];
  return dk_handle_new(s->share, &x->outcome.failure);
}

/* libcurl up to 8.18 reuses a connection through a proxy for any login there (CVE-2026-3784). So the first login gets the pool,
 * and a transfer with another login gets a connection that is used once. */
static bool needs_exclusive_connection (dk_stepper *s, const dk_request *request) {
  const char *login = request->proxy_login ? request->proxy_login : "";
  uint64_t hash;
  if (request->proxy == NULL) return false;
  if (!dk_hash(login, strlen(login), &hash)) return true;
  if (s->pooled_login == 0) s->pooled_login = hash;
  return s->pooled_login != hash;
}

/* ---- transfers ---- */

static dk_status add_to_multi (dk_stepper *s, dk_handle *handle, dk_xfer *x) {
  dk_status status = dk_handle_prepare(handle, x);
  if (status != DK_OK || curl_multi_add_handle(s->multi, dk_handle_easy(handle)) == CURLM_OK) return status;
  dk_handle_finish(handle, CURLE_OUT_OF_MEMORY, DK_OK, "");
  return DK_NO_MEMORY;
}

/* DK_OK: it runs */
static dk_status start (dk_stepper *s, dk_xfer *x) {
  if (!grow_lists(s)) return dk_fail(&x->outcome.failure, DK_NO_MEMORY, "no memory");
  dk_handle *handle = take_handle(s, x);
  if (handle == NULL) return x->outcome.failure.status;
  dk_status status = add_to_multi(s, handle, x);
  if (status == DK_OK) x->engine.handle = handle;
  else keep_handle(s, handle);
  return status;
}

void dk_stepper_start (dk_stepper *s, dk_xfer *x) {
  dk_engine_state *state = &x->engine;
  state->clock = &s->clock;
  state->upload_paused = &s->upload_paused;
  state->started = x->progress.last_activity = s->clock;
  state->exclusive_connection = needs_exclusive_connection(s, &x->request);
  if (start(s, x) != DK_OK) {
    dk_queue_push(&s->finished, x);
    return;
  }
  state->index = s->running.count;
  s->running.list[s->running.count++] = x;
  if (limit_of(x) < s->next_limit) s->next_limit = limit_of(x);
}

static void finish (dk_stepper *s, dk_xfer *x, CURLcode code, dk_status stopped, const char *text) {
  dk_handle *handle = x->engine.handle;
  dk_xfer *last = s->running.list[--s->running.count];
  s->running.list[x->engine.index] = last;
  last->engine.index = x->engine.index;
  if (s->running.count == 0) s->next_limit = NEVER;   /* an idle game is not woken for a limit of a transfer that is over */
  curl_multi_remove_handle(s->multi, dk_handle_easy(handle));
  dk_handle_finish(handle, code, stopped, text);
  x->engine.handle = NULL;
  keep_handle(s, handle);
  dk_queue_push(&s->finished, x);
}

void dk_stepper_cancel (dk_stepper *s, dk_xfer *x) {
  if (x->engine.handle != NULL) finish(s, x, CURLE_ABORTED_BY_CALLBACK, DK_CANCELLED, "it was cancelled");
}

/* ---- the step ---- */

static void read_results (dk_stepper *s, int running) {
  int left;
  if (running == s->running.count) return;
  for (CURLMsg *message; (message = curl_multi_info_read(s->multi, &left)) != NULL;) {
    if (message->msg == CURLMSG_DONE) finish(s, dk_handle_xfer(message->easy_handle), message->data.result, DK_OK, "");
  }
}

static void resume_uploads (dk_stepper *s) {
  bool any = false;
  if (!s->upload_paused) return;
  for (int i = 0; i < s->running.count; i++) any = dk_handle_resume_upload(s->running.list[i]->engine.handle) || any;
  s->upload_paused = any;
}

static void check_limit (dk_stepper *s, dk_xfer *x) {
  const dk_limits *limits = &x->request.limits;
  double running = s->clock - x->engine.started, idle = s->clock - x->progress.last_activity;
  if (limits->total > 0 && running >= limits->total) finish(s, x, CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT, "the time for the whole call is over");
  else if (limits->idle > 0 && idle >= limits->idle) finish(s, x, CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT, "no data was sent or received for the idle time");
  else if (limit_of(x) < s->next_limit) s->next_limit = limit_of(x);
}

/* after libcurl ran, and in stepped time: a host that computed for seconds finds its response, not a timeout */
static void check_limits (dk_stepper *s) {
  if (s->clock < s->next_limit) return;
  s->next_limit = NEVER;
  for (int i = s->running.count - 1; i >= 0; i--) check_limit(s, s->running.list[i]);
}

void dk_stepper_run (dk_stepper *s) {
  int running;
  set_pool_size(s);
  curl_multi_perform(s->multi, &running);
  read_results(s, running);
  resume_uploads(s);
  check_limits(s);
  set_pool_size(s);
}

/* ---- the end ---- */

void dk_stepper_close (dk_stepper *s) {
  while (s->running.count > 0) dk_stepper_cancel(s, s->running.list[0]);
  for (int i = 0; i < s->idle.count; i++) dk_handle_free(s->idle.list[i]);
  curl_multi_cleanup(s->multi);
  curl_share_cleanup(s->share);
}

void dk_stepper_free (dk_stepper *s) {
  while (s->running.count > 0) dk_xfer_free(s->running.list[--s->running.count]);
  for (dk_xfer *x; (x = dk_queue_pop(&s->finished)) != NULL;) dk_xfer_free(x);
  free(s->idle.list);
  free(s->running.list);
}
