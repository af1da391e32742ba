/* threads.h - what the core uses of threads: a thread, a lock, a call that runs once, handlers of fork.
 *
 * With DEVKIT4AI_NO_THREADS, for a platform without threads, <pthread.h> is not needed: no thread starts, and the locks do nothing.
 * Then only one thread of the process may use the library, in all its Lua states. */
#ifndef DK_THREADS_H
#define DK_THREADS_H

#include <stdbool.h>

#ifdef DEVKIT4AI_NO_THREADS

#define DK_HAS_THREADS 0

typedef bool dk_thread, dk_mutex, dk_once;
#define DK_MUTEX_INIT false
#define DK_ONCE_INIT false
#define dk_signal_mask sigprocmask

static inline bool dk_thread_start (dk_thread *thread, void *(*run) (void *), void *arg) { return (void)thread, (void)run, (void)arg, false; }
static inline void dk_thread_join (dk_thread thread) { (void)thread; }

static inline void dk_mutex_init (dk_mutex *mutex) { (void)mutex; }
static inline void dk_mutex_lock (dk_mutex *mutex) { (void)mutex; }
static inline void dk_mutex_unlock (dk_mutex *mutex) { (void)mutex; }
static inline void dk_mutex_destroy (dk_mutex *mutex) { (void)mutex; }

static inline void dk_run_once (dk_once *once, void (*run) (void)) {
  if (!*once) run();
  *once = true;
}

/* there are no handlers: a forked child keeps its copies of its parent's file locks until it ends */
static inline bool dk_at_fork (void (*before) (void), void (*in_parent) (void), void (*in_child) (void)) {
  return (void)before, (void)in_parent, (void)in_child, true;
}

#else

#define DK_HAS_THREADS 1

#ifdef _WIN32
#include "os/threads_windows.h"
#else
#include "os/threads_posix.h"
#endif

/* Starts a thread, which runs run(arg) and gets no signals: they are for the host's threads. False: none is left. */
bool dk_thread_start (dk_thread *thread, void *(*run) (void *), void *arg);

#endif

#endif
