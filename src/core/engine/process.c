#define _GNU_SOURCE              /* MADV_WIPEONFORK */
#include "engine/process.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/atomic.h"
#include "base/threads.h"

enum { MAX_EXIT_WAIT = 1000 };   /* milliseconds that exit() waits for a step of another thread */

/* A forked child finds zeros here. The kernel clears it (MADV_WIPEONFORK), also after _Fork, which runs no atfork handler.
 * A kernel without that flag leaves it to clear_in_child. */
struct dk_process {
  dk_mutex lock;                 /* guards threads; zeros are DK_MUTEX_INIT */
  DK_ATOMIC(int) id;             /* getpid() without its system call; 0: no engine has submitted in this process */
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
  mapped = (dk_process *)mmap(NULL, sizeof *mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) return NULL;
  (void)madvise(mapped, sizeof *mapped, MADV_WIPEONFORK);
  if (dk_atomic_compare_exchange(&the_process, &p, mapped)) return mapped;
  munmap(mapped, sizeof *mapped);                     /* another thread was first */
  return p;
}

/* exit() with TLS uploads on a thread crashed 4 of 260 times; after a join, 0 of 260 (measured). A child that has
 * used no engine has nothing to join. */
static void at_exit (void) {
  static const struct timespec millisecond = {0, 1000000};
  dk_process *p = dk_atomic_load(&the_process);
  if (dk_atomic_load(&p->id) != getpid()) return;
  dk_atomic_store(&p->exiting, true);
  dk_mutex_lock(&p->lock);
  for (dk_process_thread *t = p->threads; t != NULL; t = t->next) t->join(t->arg);
  p->threads = NULL;
  dk_mutex_unlock(&p->lock);
  for (int i = 0; i < MAX_EXIT_WAIT && dk_atomic_load(&p->inside) > 0; i++) nanosleep(&millisecond, NULL);
}

dk_process *dk_process_start (void) {
  static bool has_libcurl;                            /* a forked child has its parent's */
  dk_process *p = get_process();
  if (p == NULL) return NULL;
  dk_mutex_lock(&p->lock);
  if (!has_libcurl && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK) {
    has_libcurl = dk_at_fork(NULL, NULL, clear_in_child) && atexit(at_exit) == 0;
  }
  if (has_libcurl) dk_atomic_store(&p->id, getpid());
  bool ready = has_libcurl;
  dk_mutex_unlock(&p->lock);
  return ready ? p : NULL;
}

/* without handlers of fork only the system knows, on a kernel without MADV_WIPEONFORK */
pid_t dk_process_id (void) {
  dk_process *p = DK_HAS_THREADS ? dk_atomic_load(&the_process) : NULL;
  pid_t id = p != NULL ? dk_atomic_load_relaxed(&p->id) : 0;
  return id != 0 ? id : getpid();
}

bool dk_process_is_forked (const dk_process *p, pid_t owner) {
  return owner != (DK_HAS_THREADS ? dk_atomic_load_relaxed(&p->id) : getpid());
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
