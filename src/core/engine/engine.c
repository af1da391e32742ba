#include "engine/engine.h"

#include <math.h>
#include <stdlib.h>

#include "engine/process.h"
#include "engine/ready_signal.h"
#include "engine/stepper.h"
#include "os/os.h"
#include "os/threads.h"

enum { SIGPIPE_SAFE = 0x075700 };                     /* 7.87.0: the first libcurl whose TLS does not raise SIGPIPE */
#define MAX_SLEEP 3600.0         /* seconds; the thread sleeps so long if nothing wakes it */

struct dk_engine {
  /* shared by the caller and the thread; guarded by lock, or atomic */
  dk_mutex lock;                 /* never held while libcurl runs */
  dk_queue submitted, done;      /* done: for dk_engine_next */
  dk_xfer *cancelled;            /* a list by next_cancelled */
  dk_ready_signal signal;        /* set: done is not empty, or the alarm's time came */
  DK_ATOMIC(bool) stop;          /* the thread must end */
  DK_ATOMIC(bool) has_work;      /* a queue got something, or stop was set, since the last step began */

  /* the caller's */
  dk_id_table table;             /* all transfers that the engine owns */
  dk_xfer_id last_id;
  DK_ATOMIC(int) pending;
  int most, most_before;         /* of pending: since the caller took a whole batch, and between that one and the batch before */
  DK_ATOMIC(int) at_once;        /* the larger one, for the stepper */
  bool is_open, is_closed;       /* libcurl's handles were made; dk_engine_close was called */
  bool is_abandoned;             /* closed in a forked child: never freed */
  bool wants_thread, has_thread;
  bool raises_sigpipe;
  dk_process *process;           /* NULL: nothing was submitted yet */
  int owner;                     /* the process that submitted first */
  dk_thread thread;
  dk_process_thread exit_entry;  /* in the process's list while the thread runs */

  /* of the side that steps: the waiting caller, or the thread */
  dk_stepper stepper;
};

/* ---- the lock and the wake-up ---- */

/* without a thread nobody else uses the queues */
static void lock_queues (dk_engine *e) {
  if (e->has_thread) dk_mutex_lock(&e->lock);
}

static void unlock_queues (dk_engine *e) {
  if (e->has_thread) dk_mutex_unlock(&e->lock);
}

/* Called after the change that the thread has to see. The thread clears has_work, steps, reads has_work, sleeps. It sees each change soon:
 * - has_work was clear, and the thread reads it later: it does not sleep. So libcurl 8.21 may consume the wake-up in
 *   curl_multi_perform, which is before the read.
 * - it was clear, and the thread has read it: curl_multi_perform is over, so the wake-up ends the sleep.
 * - it was set by a call before this one, whose wake-up was sent: all calls are of one thread. So the thread comes to the next clear
 *   soon, and then takes this change, which was made before. */
static void wake_thread (dk_engine *e) {
  if (!dk_atomic_exchange(&e->has_work, true)) curl_multi_wakeup(e->stepper.multi);
}

/* ---- the step ---- */

static void take_submitted (dk_engine *e) {
  lock_queues(e);
  dk_queue submitted = dk_queue_take_all(&e->submitted);
  dk_xfer *cancelled = e->cancelled;
  e->cancelled = NULL;
  unlock_queues(e);
  for (dk_xfer *x; (x = dk_queue_pop(&submitted)) != NULL;) dk_stepper_start(&e->stepper, x);
  for (dk_xfer *x = cancelled; x != NULL; x = x->engine.next_cancelled) dk_stepper_cancel(&e->stepper, x);
}

/* dk_engine_next may give x away, so the list must not hold it */
static void remove_cancelled (dk_engine *e, dk_xfer *x) {
  dk_xfer **at = &e->cancelled;
  while (*at != NULL && *at != x) at = &(*at)->engine.next_cancelled;
  if (*at != NULL) *at = x->engine.next_cancelled;
}

static void publish_finished (dk_engine *e) {
  bool alarm = dk_ready_signal_take_alarm(&e->signal, e->stepper.last_step);
  if (e->stepper.finished.first == NULL && !alarm) return;
  lock_queues(e);
  for (dk_xfer *x; (x = dk_queue_pop(&e->stepper.finished)) != NULL;) {
    x->engine.done = true;
    if (x->engine.cancelled) remove_cancelled(e, x);
    dk_queue_push(&e->done, x);
  }
  dk_ready_signal_set(&e->signal);
  unlock_queues(e);
}

static void step (dk_engine *e) {
  dk_sigpipe_guard guard;
  if (!dk_process_enter(e->process, e->raises_sigpipe, &guard)) return;
  dk_stepper_begin_step(&e->stepper, dk_atomic_load_relaxed(&e->at_once));
  take_submitted(e);
  dk_stepper_run(&e->stepper);
  publish_finished(e);
  dk_process_leave(e->process, &guard);
}

static void sleep_until_work (dk_engine *e, double seconds) {
  dk_listener *listener = dk_atomic_load(&e->signal.listener);
  double most = dk_ready_signal_max_sleep(&e->signal);
  if (most > seconds) most = seconds;
  dk_stepper_sleep(&e->stepper, most, listener ? listener->fds : NULL, listener ? listener->count : 0);
  if (listener != NULL) dk_listener_serve(listener, &e->signal.is_set);
}

/* ---- the thread ---- */

static void *run_thread (void *arg) {
  dk_engine *e = (dk_engine *)arg;
  for (;;) {
    dk_atomic_store(&e->has_work, false);
    if (dk_atomic_load(&e->stop)) return NULL;
    step(e);
    sleep_until_work(e, dk_atomic_load(&e->has_work) ? 0 : MAX_SLEEP);
  }
}

/* for close and for exit(), never in a forked child. exit() may come in the middle of wake_thread: so always a wake-up. */
static void join_thread (void *arg) {
  dk_engine *e = (dk_engine *)arg;
  dk_atomic_store(&e->stop, true);
  dk_atomic_store(&e->has_work, true);
  curl_multi_wakeup(e->stepper.multi);
  dk_thread_join(e->thread);
  dk_ready_signal_remove_files(&e->signal);
}

static bool start_thread (dk_engine *e) {
  if (!dk_ready_signal_open(&e->signal)) return false;
  e->has_thread = true;                               /* before it runs: from now on the lock is needed */
  if (!dk_thread_start(&e->thread, run_thread, e)) e->has_thread = false;
  if (!e->has_thread) return false;
  e->exit_entry = (dk_process_thread){.join = join_thread, .arg = e};
  dk_process_add_thread(e->process, &e->exit_entry);
  return true;
}

/* ---- for the caller ---- */

dk_engine *dk_engine_new (void) {
  dk_engine *e = (dk_engine *)calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  dk_mutex_init(&e->lock);
  dk_stepper_init(&e->stepper);
  dk_ready_signal_init(&e->signal);
  return e;
}

bool dk_engine_forked (const dk_engine *e) { return e->process != NULL && dk_process_is_forked(e->process, e->owner); }

static bool is_usable (const dk_engine *e) { return !e->is_closed && !dk_engine_forked(e); }

static bool is_exiting (const dk_engine *e) { return e->process != NULL && dk_process_is_exiting(e->process); }

static bool open_engine (dk_engine *e) {
  if (e->is_open) return true;
  dk_process *process = dk_process_start();
  if (process == NULL || dk_process_is_exiting(process)) return false;
  e->process = process;
  e->owner = dk_os_process_id();
  e->raises_sigpipe = curl_version_info(CURLVERSION_NOW)->version_num < SIGPIPE_SAFE;
  e->is_open = dk_stepper_open(&e->stepper);
  return e->is_open;
}

/* the first use: from now on the engine belongs to this process, and has its thread, if one is wanted */
static bool begin_use (dk_engine *e) {
  if (!is_usable(e) || !open_engine(e) || is_exiting(e)) return false;
  return !e->wants_thread || e->has_thread || start_thread(e);
}

bool dk_engine_start (dk_engine *e) {
  if (!DK_HAS_THREADS || !is_usable(e)) return false;
  e->wants_thread = true;
  return !e->is_open || e->has_thread || start_thread(e);
}

/* How many transfers the caller has at once, for the size of the pool. A host takes a batch of finished transfers, and then submits
 * as many: in between few are pending. So the time before the batch counts, too. */
static void note_pending (dk_engine *e, int pending) {
  if (pending > e->most) e->most = pending;
  dk_atomic_store_relaxed(&e->at_once, e->most > e->most_before ? e->most : e->most_before);
}

static void begin_batch (dk_engine *e, int pending) {
  e->most_before = e->most;
  e->most = 0;
  note_pending(e, pending);
}

dk_xfer_id dk_engine_submit (dk_engine *e, dk_xfer *x) {
  if (!begin_use(e)) return 0;
  lock_queues(e);
  dk_xfer_id id = x->engine.id = ++e->last_id;
  dk_id_table_add(&e->table, x);
  dk_queue_push(&e->submitted, x);
  unlock_queues(e);
  note_pending(e, dk_atomic_add(&e->pending, 1) + 1);
  if (e->has_thread) wake_thread(e);
  return id;
}

void dk_engine_cancel (dk_engine *e, dk_xfer_id id) {
  if (!is_usable(e)) return;
  lock_queues(e);
  dk_xfer *x = *dk_id_table_place(&e->table, id);
  bool cancels = x != NULL && !x->engine.cancelled && !x->engine.done;
  if (cancels) {
    x->engine.cancelled = true;
    x->engine.next_cancelled = e->cancelled;
    e->cancelled = x;
  }
  unlock_queues(e);
  if (cancels && e->has_thread) wake_thread(e);
}

dk_xfer *dk_engine_next (dk_engine *e, dk_xfer_id *id) {
  if (!is_usable(e)) return NULL;
  lock_queues(e);
  dk_xfer *x = dk_queue_pop(&e->done);
  if (x != NULL) {
    dk_id_table_remove(&e->table, x);
    *id = x->engine.id;
  }
  bool takes_all = e->done.first == NULL;
  if (takes_all) dk_ready_signal_clear(&e->signal);
  unlock_queues(e);
  if (x == NULL) return NULL;
  int pending = dk_atomic_sub(&e->pending, 1) - 1;
  if (takes_all) begin_batch(e, pending);
  return x;
}

bool dk_engine_ready (const dk_engine *e) { return dk_atomic_load_acquire(&e->signal.is_set); }

/* first the number: without threads, is_usable makes a system call, and most frames have nothing pending */
int dk_engine_pending (const dk_engine *e) {
  int pending = dk_atomic_load(&e->pending);
  return pending > 0 && is_usable(e) ? pending : 0;
}

int dk_engine_fd (dk_engine *e) { return e->wants_thread && begin_use(e) ? e->signal.wakeup.fd : -1; }

const char *dk_engine_listen (dk_engine *e, const char *folder, dk_failure *failure) {
  if (!dk_engine_start(e) || !begin_use(e)) {
    const char *reason = is_usable(e) ? "no memory, descriptor or thread is left" : "the engine is closed, or belongs to a parent process";
    dk_fail(failure, DK_NO_MEMORY, "%s", reason);
    return NULL;
  }
  const char *path = dk_ready_signal_listen(&e->signal, folder, failure);
  if (path != NULL) wake_thread(e);                   /* it sleeps without the new socket */
  return path;
}

bool dk_engine_alarm (dk_engine *e, double seconds) {
  bool sets = seconds >= 0 && seconds < HUGE_VAL;
  if (sets ? !begin_use(e) : !is_usable(e)) return false;
  if (dk_ready_signal_set_alarm(&e->signal, sets ? seconds : HUGE_VAL) && e->has_thread) wake_thread(e);
  return true;
}

bool dk_engine_wait (dk_engine *e, double seconds) {
  if (!is_usable(e)) return false;
  if (dk_engine_ready(e)) return true;
  if (e->has_thread || !e->is_open || is_exiting(e)) {
    dk_wait_readable(e->signal.wakeup.fd, dk_poll_timeout(seconds));
    return dk_engine_ready(e);
  }
  step(e);
  if (dk_engine_ready(e)) return true;
  if (!(seconds > 0)) return false;
  sleep_until_work(e, seconds);
  step(e);
  return dk_engine_ready(e);
}

int dk_engine_progress (dk_engine *e, dk_xfer_id id, uint64_t up_down[4]) {
  if (!is_usable(e)) return 0;
  dk_xfer *x = *dk_id_table_place(&e->table, id);     /* no lock: the table is the caller's, and the counts are atomic */
  for (int i = 0; x != NULL && i < DK_BYTE_COUNTS; i++) up_down[i] = dk_atomic_load_relaxed(&x->progress.counts[i]);
  return x != NULL;
}

/* while the process exits, libcurl's handles stay as they are */
static void close_stepper (dk_engine *e) {
  dk_sigpipe_guard guard;
  if (!dk_process_enter(e->process, e->raises_sigpipe, &guard)) return;
  dk_stepper_close(&e->stepper);
  dk_process_leave(e->process, &guard);
}

void dk_engine_close (dk_engine *e) {
  if (e->is_closed) return;
  e->is_closed = true;
  e->is_abandoned = e->process != NULL && e->owner != dk_os_process_id();
  if (e->is_abandoned) return;                        /* its memory and descriptors stay as the parent's thread left them */
  if (e->process != NULL && dk_process_remove_thread(e->process, &e->exit_entry)) join_thread(e);
  if (e->process != NULL) close_stepper(e);
  for (dk_xfer *x; (x = dk_queue_pop(&e->submitted)) != NULL || (x = dk_queue_pop(&e->done)) != NULL;) dk_xfer_free(x);
  dk_stepper_free(&e->stepper);
  dk_ready_signal_close(&e->signal);
  dk_mutex_destroy(&e->lock);
}

void dk_engine_free (dk_engine *e) {
  if (e != NULL && !e->is_abandoned && !dk_engine_forked(e)) free(e);
}
