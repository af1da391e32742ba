#if !defined(_WIN32) && !defined(DEVKIT4AI_NO_THREADS)
/* threads_posix.h - threads.h by POSIX threads. */
#ifndef DK_THREADS_POSIX_H
#define DK_THREADS_POSIX_H

#include <pthread.h>
#include <stdbool.h>

typedef pthread_t dk_thread;
typedef pthread_mutex_t dk_mutex;
typedef pthread_once_t dk_once;
#define DK_MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#define DK_ONCE_INIT PTHREAD_ONCE_INIT
#define dk_signal_mask pthread_sigmask                /* of the calling thread; include <signal.h> */

static inline void dk_thread_join (dk_thread thread) { pthread_join(thread, NULL); }

static inline void dk_mutex_init (dk_mutex *mutex) { pthread_mutex_init(mutex, NULL); }
static inline void dk_mutex_lock (dk_mutex *mutex) { pthread_mutex_lock(mutex); }
static inline void dk_mutex_unlock (dk_mutex *mutex) { pthread_mutex_unlock(mutex); }
static inline void dk_mutex_destroy (dk_mutex *mutex) { pthread_mutex_destroy(mutex); }

/* Calls run, unless it was called with this once before; returns when it has ended. */
static inline void dk_run_once (dk_once *once, void (*run) (void)) { pthread_once(once, run); }

/* From now on fork() calls these; NULL: nothing. False: no memory. */
static inline bool dk_at_fork (void (*before) (void), void (*in_parent) (void), void (*in_child) (void)) {
  return pthread_atfork(before, in_parent, in_child) == 0;
}

#endif
#endif
