#include "engine/process.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/atomic.h"
#include "os/os.h"
#include "os/threads.h"

enum { MAX_EXIT_WAIT = 1000 };   /* milliseconds that exit() waits for a step of another thread */

/* A forked child finds zeros here. The kernel clears it, also after _Fork, which runs no atfork handler. A kernel that can't
 * leaves it to clear_in_child. */
struct dk_process {
  dk_mutex lock;                 /* guards threads; zeros are DK_MUTEX_INIT */
  DK_ATOMIC(int) id;             /* the process's, without a system call; 0: no engine has submitted in this process */
  DK_ATOMIC(bool) exiting;
  DK_ATOMIC(int) inside;         /* threads that run libcurl */
  dk_process_thread *threads;
};
static DK_ATOMIC(dk_process *) the_process;          /* one page, mapped once and never unmapped */

static void clear_in_child (void) {
  dk_process *p = dk_atomic_load(&the_process);
  memset((void *)p, 0, sizeof *p);
  dk_mutex_init(&p->lock);
}

static dk_process *get_process (void) {
  dk_process *p = dk_atomic_load(&the_process), *mapped;
  if (p != NULL) return p;
  mapped = (dk_process *)dk_new_wiped_in_child(sizeof *mapped);
  if (mapped == NULL) return NULL;
  if (dk_atomic_compare_exchange(&the_process, &p, mapped)) return mapped;
  dk_free_wiped_in_child(mapped, sizeof *mapped);     /* another thread was first */
  return p;
}

/* exit() with TLS uploads on a thread crashed 4 of 260 times; after a join, 0 of 260 (measured). A child that has
 * used no engine has nothing to join. */
static void at_exit (void) {
  dk_process *p = dk_atomic_load(&the_process);
  if (dk_atomic_load(&p->id) != dk_os_process_id()) return;
  dk_atomic_store(&p->exiting, true);
  dk_mutex_lock(&p->lock);
  for (dk_process_thread *t = p->threads; t != NULL; t = t->next) t->join(t->arg);
  p->threads = NULL;
  dk_mutex_unlock(&p->lock);
  for (int i = 0; i < MAX_EXIT_WAIT && dk_atomic_load(&p->inside) > 0; i++) dk_sleep_milliseconds(1);
}

dk_process *dk_process_start (void) {
  static bool has_libcurl;                            /* a forked child has its parent's */
  dk_process *p = get_process();
  if (p == NULL) return NULL;
  dk_mutex_lock(&p->lock);
  if (!has_libcurl && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
    has_libcurl = dk_at_fork(NULL, NULL, clear_in_child) && dk_at_exit(at_exit);
  }
  if (has_libcurl) dk_atomic_store(&p->id, dk_os_process_id());
  bool ready = has_libcurl;
  dk_mutex_unlock(&p->lock);
  return ready ? p : NULL;
}

/* without handlers of fork only the system knows, on a kernel without such a flag */
int dk_process_id (void) {
  dk_process *p = DK_HAS_THREADS ? dk_atomic_load(&the_process) : NULL;
  int id = p != NULL ? dk_atomic_load_relaxed(&p->id) : 0;
  return id != 0 ? id : dk_os_process_id();
}

bool dk_process_is_forked (const dk_process *p, int owner) {
  return owner != (DK_HAS_THREADS ? dk_atomic_load_relaxed(&p->id) : dk_os_process_id());
}

bool dk_process_is_exiting (const dk_process *p) { return dk_atomic_load(&p->exiting); }

bool dk_process_enter (dk_process *p, bool raises_sigpipe, dk_sigpipe_guard *guard) {
  guard->blocked = false;
  dk_atomic_add(&p->inside, 1);
  if (dk_atomic_load(&p->exiting)) {
    dk_atomic_sub(&p->inside, 1);
    return false;
  }
  if (raises_sigpipe) dk_sigpipe_block(guard);
  return true;
}

void dk_process_leave (dk_process *p, dk_sigpipe_guard *guard) {
  dk_sigpipe_unblock(guard);
  dk_atomic_sub(&p->inside, 1);
}

void dk_process_add_thread (dk_process *p, dk_process_thread *thread) {
  dk_mutex_lock(&p->lock);
  thread->next = p->threads;
  p->threads = thread;
  dk_mutex_unlock(&p->lock);
}

bool dk_process_remove_thread (dk_process *p, dk_process_thread *thread) {
  dk_mutex_lock(&p->lock);
  dk_process_thread **at = &p->threads;
  while (*at != NULL && *at != thread) at = &(*at)->next;
  bool found = *at != NULL;
  if (found) *at = thread->next;
  dk_mutex_unlock(&p->lock);
  return found;
}
