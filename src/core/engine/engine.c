#define _GNU_SOURCE              /* eventfd, EFD_CLOEXEC, MADV_WIPEONFORK */
#include "engine/engine.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "transfer/handle.h"
#include "base/hash.h"
#include "system/sigpipe.h"

enum {
  BUCKETS = 256,                 /* of the table id -> transfer; 10,000 in flight make chains of 40 */
  SPARE = 4,                     /* connections and handles kept beside those in use (design, invariant 8) */
  LONGEST_STEP = 1000,           /* milliseconds that exit() waits for a step of another thread */
  SIGPIPE_SAFE = 0x075700,       /* the first libcurl whose TLS does not raise SIGPIPE: 7.87.0 */
};
#define LONGEST_GAP 1.0          /* seconds; a longer pause between two steps was the host's, not the peer's (invariant 2) */
#define PAUSE 0.005              /* seconds until a paused upload is looked at again */
#define LONGEST_SLEEP 3600.0     /* seconds; keeps poll's milliseconds in range */

typedef struct { dk_xfer *first, *last; } queue;

typedef struct process process;

struct dk_engine {
  pthread_mutex_t lock;          /* guards the queues; never held while libcurl runs */
  queue submitted, done;
  dk_xfer *cancelled;
  dk_xfer *table[BUCKETS];       /* of the caller's thread alone */
  dk_xfer_id last_id;
  atomic_bool ready;             /* done has one */
  atomic_int pending;
  bool open, closed, wants_thread, has_thread, raises_sigpipe;
  atomic_bool stop;
  atomic_bool asked;             /* somebody has put something into a queue, or set stop, since the last step began */
  process *process;              /* NULL: nobody has submitted */
  pid_t owner;                   /* the process that submitted first */
  int fd;                        /* an eventfd; -1: none */
  pthread_t thread;
  dk_engine *next;               /* in the process's list of engines with a thread */

  /* from here on the stepper's alone: the waiter, or the thread */
  CURLM *multi;
  CURLSH *share;
  struct { dk_xfer **list; int count, room; } running;
  struct { dk_handle **list; int count, room; } spare;
  queue finished;                /* waits for the end of the step */
  double clock, stepped_at, polled, due;              /* stepped time; when the last step was; ours since; next look at limits */
  long most_connections;
  bool any_paused;               /* an upload waits until libcurl has read */
  uint64_t pooled_login;         /* a hash; 0: no proxy yet */
};

/* ---- what a process has once ---- */

/* A forked child finds zeros here. The kernel does that (MADV_WIPEONFORK), also after _Fork, which runs no atfork handler;
 * where the kernel can't, in_child does it. */
struct process {
  pthread_mutex_t lock;          /* zeros are PTHREAD_MUTEX_INITIALIZER */
  atomic_int id;                 /* getpid without its system call; 0: no engine has submitted in this process */
  atomic_bool exiting;           /* exit() has begun: libcurl must not run any more */
  atomic_int inside;             /* threads that run libcurl */
  dk_engine *threaded;           /* engines whose thread must be joined before exit ends libcurl under it */
};
static process *_Atomic the_process;

static void in_child (void) {
  process *p = atomic_load(&the_process);
  memset(p, 0, sizeof *p);
  pthread_mutex_init(&p->lock, NULL);
}

static process *get_process (void) {
  process *p = atomic_load(&the_process), *mapped;
  if (p != NULL) return p;
  mapped = mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return NULL;
  (void)madvise(mapped, sizeof *mapped, MADV_WIPEONFORK);
  if (atomic_compare_exchange_strong(&the_process, &p, mapped)) return mapped;
  munmap(mapped, sizeof *mapped);                     /* another thread was first */
  return p;
}

/* wakes the thread, also where libcurl takes in a wake-up before it polls (8.21 does, in curl_multi_perform) */
static void wake (dk_engine *e) {
  atomic_store(&e->asked, true);
  curl_multi_wakeup(e->multi);
}

static void join_thread (dk_engine *e) {
  atomic_store(&e->stop, true);
  wake(e);
  pthread_join(e->thread, NULL);
}

/* exit() with TLS uploads on a thread crashed 4 of 260 times; joined first, 0 of 260 (EMBEDDING, rule 6). A child that has
 * used no engine has nothing to join. */
static void at_exit (void) {
  static const struct timespec millisecond = {0, 1000000};
  process *p = atomic_load(&the_process);
  if (atomic_load(&p->id) != getpid()) return;
  atomic_store(&p->exiting, true);
  pthread_mutex_lock(&p->lock);
  for (dk_engine *e = p->threaded; e != NULL; e = e->next) join_thread(e);
  p->threaded = NULL;
  pthread_mutex_unlock(&p->lock);
  for (int i = 0; i < LONGEST_STEP && atomic_load(&p->inside) > 0; i++) nanosleep(&millisecond, NULL);
}

/* NULL: no memory */
static process *process_start (void) {
  static bool has_libcurl;                            /* a forked child has its parent's */
  process *p = get_process();
  if (p == NULL) return NULL;
  pthread_mutex_lock(&p->lock);
  if (!has_libcurl && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
    has_libcurl = pthread_atfork(NULL, NULL, in_child) == 0 && atexit(at_exit) == 0;
  }
  if (has_libcurl) atomic_store(&p->id, getpid());
  bool ready = has_libcurl;
  pthread_mutex_unlock(&p->lock);
  return ready ? p : NULL;
}

static bool is_exiting (const dk_engine *e) { return e->process != NULL && atomic_load(&e->process->exiting); }

/* Around all that runs libcurl. False: exit() has begun, and nothing may run it. */
static bool enter (dk_engine *e, dk_sigpipe *guard) {
  guard->held = false;
  atomic_fetch_add(&e->process->inside, 1);
  if (atomic_load(&e->process->exiting)) {
    atomic_fetch_sub(&e->process->inside, 1);
    return false;
  }
  if (e->raises_sigpipe) dk_sigpipe_hold(guard);
  return true;
}

static void leave (dk_engine *e, dk_sigpipe *guard) {
  dk_sigpipe_release(guard);
  atomic_fetch_sub(&e->process->inside, 1);
}

double dk_now (void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* ---- queues and table ---- */

/* without a thread of its own there is nobody to lock out */
static void lock (dk_engine *e) {
  if (e->has_thread) pthread_mutex_lock(&e->lock);
}

static void unlock (dk_engine *e) {
  if (e->has_thread) pthread_mutex_unlock(&e->lock);
}

static void push (queue *q, dk_xfer *x) {
  x->next = NULL;
  if (q->last != NULL) q->last->next = x;
  else q->first = x;
  q->last = x;
}

static dk_xfer *pop (queue *q) {
  dk_xfer *x = q->first;
  if (x == NULL) return NULL;
  q->first = x->next;
  if (q->first == NULL) q->last = NULL;
  return x;
}

static queue take (queue *q) {
  queue all = *q;
  *q = (queue){NULL, NULL};
  return all;
}

static dk_xfer **seat (dk_engine *e, dk_xfer_id id) {
  dk_xfer **at = &e->table[id % BUCKETS];
  while (*at != NULL && (*at)->id != id) at = &(*at)->in_bucket;
  return at;
}

static void seat_add (dk_engine *e, dk_xfer *x) {
  dk_xfer **at = &e->table[x->id % BUCKETS];
  x->in_bucket = *at;
  *at = x;
}

static void seat_remove (dk_engine *e, dk_xfer *x) {
  dk_xfer **at = seat(e, x->id);
  *at = x->in_bucket;
}

/* ---- the step ---- */

static int poll_time (double seconds) {
  if (!(seconds > 0)) return 0;
  return seconds > LONGEST_SLEEP ? (int)(LONGEST_SLEEP * 1000) : (int)(seconds * 1000) + 1;
}

static void advance_clock (dk_engine *e) {
  double now = dk_now(), away = now - e->stepped_at - e->polled;
  e->clock += e->polled + (away > LONGEST_GAP ? LONGEST_GAP : away > 0 ? away : 0);
  e->stepped_at = now;
  e->polled = 0;
}

/* seconds of stepped time at which x runs into a limit */
static double limit_of (const dk_xfer *x) {
  double total = x->total > 0 ? x->began + x->total : 1e300;
  double idle = x->idle > 0 ? x->moved + x->idle : 1e300;
  return total < idle ? total : idle;
}

static void set_connections (dk_engine *e) {
  long most = e->running.count + SPARE;
  if (most == e->most_connections) return;
  e->most_connections = most;
  curl_multi_setopt(e->multi, CURLMOPT_MAXCONNECTS, most);
}

/* both lists have room for all that run; so giving a handle back can't fail */
static bool make_room (dk_engine *e) {
  int room = e->running.room ? e->running.room * 2 : 8;
  if (e->running.count < e->running.room) return true;
  dk_xfer **running = realloc(e->running.list, (size_t)room * sizeof *running);
  if (running == NULL) return false;
  e->running.list = running;
  dk_handle **spare = realloc(e->spare.list, (size_t)room * sizeof *spare);
  if (spare == NULL) return false;
  e->spare.list = spare;
  e->running.room = e->spare.room = room;
  return true;
}

static void keep_handle (dk_engine *e, dk_handle *handle) {
  if (e->spare.count < e->running.count + SPARE && e->spare.count < e->spare.room) e->spare.list[e->spare.count++] = handle;
  else dk_handle_free(handle);
}

/* libcurl 7.83 to 8.0, on a handle that has had an answer, writes into freed memory where the next one's first header is a
 * folded line (curl#11101). A handle for each call would cost the small ones a sixth, so strangers' servers alone get new ones. */
static bool needs_new_handle (const dk_xfer *x) {
  if (!(x->flags & DK_PUBLIC)) return false;                   /* curl_version_info costs 4,000 instructions */
  unsigned version = curl_version_info(CURLVERSION_NOW)->version_num;
  return version >= 0x075300 && version < 0x080100;
}

static dk_handle *handle_for (dk_engine *e, dk_xfer *x) {
  return e->spare.count > 0 && !needs_new_handle(x) ? e->spare.list[--e->spare.count] : dk_handle_new(e->share, &x->failure);
}

/* libcurl up to 8.18 uses a connection through a proxy for any login at it (CVE-2026-3784): so the first login has the pool,
 * and whoever comes with another gets connections that are used once */
static bool is_alone (dk_engine *e, const dk_xfer *x) {
  const char *login = x->proxy_login ? x->proxy_login : "";
  uint64_t hash;
  if (x->proxy == NULL) return false;
  if (!dk_hash(login, strlen(login), &hash)) return true;
  if (e->pooled_login == 0) e->pooled_login = hash;
  return e->pooled_login != hash;
}

static void begin (dk_engine *e, dk_xfer *x) {
  bool has_room = make_room(e);
  dk_handle *handle = has_room ? handle_for(e, x) : NULL;
  x->clock = &e->clock;
  x->any_paused = &e->any_paused;
  x->began = x->moved = e->clock;
  x->alone = is_alone(e, x);
  if (!has_room) dk_fail(&x->failure, DK_NO_MEMORY, "no memory");
  if (handle == NULL) {
    push(&e->finished, x);
    return;
  }
  dk_status status = dk_handle_load(handle, x);
  if (status == DK_OK && curl_multi_add_handle(e->multi, dk_handle_easy(handle)) != CURLM_OK) {
    dk_handle_unload(handle, CURLE_OUT_OF_MEMORY, DK_OK, "");
    status = DK_NO_MEMORY;
  }
  if (status != DK_OK) {
    keep_handle(e, handle);
    push(&e->finished, x);
    return;
  }
  x->handle = handle;
  x->place = e->running.count;
  e->running.list[e->running.count++] = x;
  if (limit_of(x) < e->due) e->due = limit_of(x);
}

static void end (dk_engine *e, dk_xfer *x, CURLcode code, dk_status stopped, const char *text) {
  dk_handle *handle = x->handle;
  dk_xfer *last = e->running.list[--e->running.count];
  e->running.list[x->place] = last;
  last->place = x->place;
  curl_multi_remove_handle(e->multi, dk_handle_easy(handle));
  dk_handle_unload(handle, code, stopped, text);
  x->handle = NULL;
  keep_handle(e, handle);
  push(&e->finished, x);
}

/* new ones begin, cancelled ones end */
static void take_orders (dk_engine *e) {
  lock(e);
  queue submitted = take(&e->submitted);
  dk_xfer *cancelled = e->cancelled;
  e->cancelled = NULL;
  unlock(e);
  for (dk_xfer *x; (x = pop(&submitted)) != NULL;) begin(e, x);
  for (dk_xfer *x = cancelled; x != NULL; x = x->next_cancelled) {
    if (x->handle != NULL) end(e, x, CURLE_ABORTED_BY_CALLBACK, DK_CANCELLED, "it was cancelled");
  }
  set_connections(e);
}

static void take_results (dk_engine *e, int running) {
  int left;
  if (running == e->running.count) return;
  for (CURLMsg *message; (message = curl_multi_info_read(e->multi, &left)) != NULL;) {
    if (message->msg == CURLMSG_DONE) end(e, dk_handle_xfer(message->easy_handle), message->data.result, DK_OK, "");
  }
}

static void resume_uploads (dk_engine *e) {
  bool any = false;
  if (!e->any_paused) return;
  for (int i = 0; i < e->running.count; i++) any = dk_handle_resume(e->running.list[i]->handle) || any;
  e->any_paused = any;
}

/* after libcurl had its turn, and in stepped time: a host that computed for seconds finds its answer, not a time-out */
static void judge_limits (dk_engine *e) {
  if (e->clock < e->due) return;
  e->due = 1e300;
  for (int i = e->running.count - 1; i >= 0; i--) {
    dk_xfer *x = e->running.list[i];
    if (x->total > 0 && e->clock - x->began >= x->total) end(e, x, CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT, "the time for the whole call is over");
    else if (x->idle > 0 && e->clock - x->moved >= x->idle) end(e, x, CURLE_OPERATION_TIMEDOUT, DK_TIMEOUT, "nothing moved for the idle time");
    else if (limit_of(x) < e->due) e->due = limit_of(x);
  }
}

/* the list of cancelled ones never holds what next() may give away */
static void forget_cancel (dk_engine *e, dk_xfer *x) {
  dk_xfer **at = &e->cancelled;
  while (*at != NULL && *at != x) at = &(*at)->next_cancelled;
  if (*at != NULL) *at = x->next_cancelled;
}

static void hand_over (dk_engine *e) {
  if (e->finished.first == NULL) return;
  set_connections(e);
  lock(e);
  for (dk_xfer *x; (x = pop(&e->finished)) != NULL;) {
    x->done = true;
    if (x->cancelled) forget_cancel(e, x);
    push(&e->done, x);
  }
  if (!atomic_exchange(&e->ready, true) && e->fd >= 0) eventfd_write(e->fd, 1);     /* one wake a batch */
  unlock(e);
}

static void step (dk_engine *e) {
  dk_sigpipe guard;
  int running;
  if (!enter(e, &guard)) return;
  advance_clock(e);
  take_orders(e);
  curl_multi_perform(e->multi, &running);
  take_results(e, running);
  resume_uploads(e);
  judge_limits(e);
  hand_over(e);
  leave(e, &guard);
}

/* sleeps until libcurl has something to do, a limit is due, or somebody wakes it */
static void sleep_in_poll (dk_engine *e, double seconds) {
  double left = e->due - e->clock;
  if (e->any_paused && left > PAUSE) left = PAUSE;
  curl_multi_poll(e->multi, NULL, 0, poll_time(left < seconds ? left : seconds), NULL);
  e->polled = dk_now() - e->stepped_at;              /* the step before it counts, too: it was no pause of the host's */
}

/* ---- the thread ---- */

static void *run (void *arg) {
  dk_engine *e = arg;
  for (;;) {
    atomic_store(&e->asked, false);
    if (atomic_load(&e->stop)) return NULL;
    step(e);
    sleep_in_poll(e, atomic_load(&e->asked) ? 0 : LONGEST_SLEEP);
  }
}

static bool start_thread (dk_engine *e) {
  sigset_t all, before;
  if (e->fd < 0) e->fd = eventfd(atomic_load(&e->ready) ? 1 : 0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (e->fd < 0) return false;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);        /* the host's signals are the host's */
  e->has_thread = true;                               /* before it runs: from now on it is locked out */
  if (pthread_create(&e->thread, NULL, run, e) != 0) e->has_thread = false;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (!e->has_thread) return false;
  pthread_mutex_lock(&e->process->lock);
  e->next = e->process->threaded;
  e->process->threaded = e;
  pthread_mutex_unlock(&e->process->lock);
  return true;
}

/* ---- for the caller ---- */

dk_engine *dk_engine_new (void) {
  dk_engine *e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  pthread_mutex_init(&e->lock, NULL);
  e->fd = -1;
  e->due = 1e300;
  return e;
}

bool dk_engine_forked (const dk_engine *e) {
  return e->process != NULL && e->owner != atomic_load_explicit(&e->process->id, memory_order_relaxed);
}

static bool usable (const dk_engine *e) { return !e->closed && !dk_engine_forked(e); }

/* CURLMOPT_QUICK_EXIT, also under older headers: a libcurl that has it (8.20) waits for name look-ups in close without it */
#define MULTI_QUICK_EXIT ((CURLMoption)(CURLOPTTYPE_LONG + 21))

/* libcurl makes a multi handle also where it finds no descriptors for its wake-ups; a thread could never be woken then */
static CURLM *new_multi (void) {
  CURLM *multi = curl_multi_init();
  if (multi == NULL) return NULL;
  curl_multi_setopt(multi, MULTI_QUICK_EXIT, 1L);
  if (curl_multi_wakeup(multi) == CURLM_OK) return multi;
  curl_multi_cleanup(multi);
  return NULL;
}

static bool open_curl (dk_engine *e) {
  if (e->open) return true;
  process *p = process_start();
  if (p == NULL || atomic_load(&p->exiting)) return false;
  e->process = p;
  e->owner = getpid();
  if (e->multi == NULL) e->multi = new_multi();
  if (e->share == NULL) e->share = curl_share_init();
  if (e->multi == NULL || e->share == NULL) return false;
  if (curl_share_setopt(e->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) return false;
  e->raises_sigpipe = curl_version_info(CURLVERSION_NOW)->version_num < SIGPIPE_SAFE;
  e->stepped_at = dk_now();
  e->open = true;
  return true;
}

bool dk_engine_start (dk_engine *e) {
  if (!usable(e)) return false;
  e->wants_thread = true;
  return !e->open || e->has_thread || start_thread(e);
}

dk_xfer_id dk_engine_submit (dk_engine *e, dk_xfer *x) {
  if (!usable(e) || !open_curl(e) || is_exiting(e)) return 0;
  if (e->wants_thread && !e->has_thread && !start_thread(e)) return 0;
  lock(e);
  dk_xfer_id id = x->id = ++e->last_id;
  seat_add(e, x);
  push(&e->submitted, x);
  unlock(e);
  atomic_fetch_add(&e->pending, 1);
  if (e->has_thread) wake(e);
  return id;
}

void dk_engine_cancel (dk_engine *e, dk_xfer_id id) {
  if (!usable(e)) return;
  lock(e);
  dk_xfer *x = *seat(e, id);
  bool asked = x != NULL && !x->cancelled && !x->done;
  if (asked) {
    x->cancelled = true;
    x->next_cancelled = e->cancelled;
    e->cancelled = x;
  }
  unlock(e);
  if (asked && e->has_thread) wake(e);
}

dk_xfer *dk_engine_next (dk_engine *e, dk_xfer_id *id) {
  if (!usable(e)) return NULL;
  lock(e);
  dk_xfer *x = pop(&e->done);
  if (x != NULL) {
    seat_remove(e, x);
    *id = x->id;
  }
  if (e->done.first == NULL && atomic_exchange(&e->ready, false) && e->fd >= 0) {
    eventfd_t count;
    eventfd_read(e->fd, &count);
  }
  unlock(e);
  if (x != NULL) atomic_fetch_sub(&e->pending, 1);
  return x;
}

bool dk_engine_ready (const dk_engine *e) { return atomic_load_explicit(&e->ready, memory_order_acquire); }

int dk_engine_pending (const dk_engine *e) { return usable(e) ? atomic_load(&e->pending) : 0; }

int dk_engine_fd (const dk_engine *e) { return e->fd; }

bool dk_engine_wait (dk_engine *e, double seconds) {
  if (!usable(e)) return false;
  if (dk_engine_ready(e)) return true;
  if (e->has_thread || !e->open || is_exiting(e)) {
    struct pollfd event = {.fd = e->fd, .events = POLLIN};
    poll(&event, 1, poll_time(seconds));
    return dk_engine_ready(e);
  }
  step(e);
  if (dk_engine_ready(e)) return true;
  sleep_in_poll(e, seconds);
  step(e);
  return dk_engine_ready(e);
}

int dk_engine_progress (dk_engine *e, dk_xfer_id id, uint64_t up_down[4]) {
  if (!usable(e)) return 0;
  dk_xfer *x = *seat(e, id);     /* the table is the caller's, and the counts are atomic: no lock */
  for (int i = 0; x != NULL && i < 4; i++) up_down[i] = atomic_load_explicit(&x->counts[i], memory_order_relaxed);
  return x != NULL;
}

/* False: at_exit has joined the thread, or there is none. */
static bool take_from_process (dk_engine *e) {
  pthread_mutex_lock(&e->process->lock);
  dk_engine **at = &e->process->threaded;
  while (*at != NULL && *at != e) at = &(*at)->next;
  bool found = *at != NULL;
  if (found) *at = e->next;
  pthread_mutex_unlock(&e->process->lock);
  return found;
}

/* while the process exits, what is libcurl's stays as it is */
static void free_curl (dk_engine *e) {
  dk_sigpipe guard;
  if (!enter(e, &guard)) {
    while (e->running.count > 0) dk_xfer_free(e->running.list[--e->running.count]);
    return;
  }
  while (e->running.count > 0) end(e, e->running.list[0], CURLE_ABORTED_BY_CALLBACK, DK_CANCELLED, "it was cancelled");
  for (int i = 0; i < e->spare.count; i++) dk_handle_free(e->spare.list[i]);
  curl_multi_cleanup(e->multi);
  curl_share_cleanup(e->share);
  leave(e, &guard);
}

void dk_engine_close (dk_engine *e) {
  if (e->closed) return;
  bool forked = e->process != NULL && e->owner != getpid();
  e->closed = true;
  if (forked) return;                                  /* its memory and descriptors stay as the parent's thread left them */
  if (e->process != NULL && take_from_process(e)) join_thread(e);
  if (e->process != NULL) free_curl(e);
  for (dk_xfer *x; (x = pop(&e->submitted)) != NULL || (x = pop(&e->finished)) != NULL || (x = pop(&e->done)) != NULL;) dk_xfer_free(x);
  free(e->spare.list);
  free(e->running.list);
  if (e->fd >= 0) close(e->fd);
  pthread_mutex_destroy(&e->lock);
}

void dk_engine_free (dk_engine *e) {
  if (e != NULL && !dk_engine_forked(e)) free(e);
}
