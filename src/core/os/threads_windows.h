#if defined(_WIN32) && !defined(DEVKIT4AI_NO_THREADS)
/* threads_windows.h - threads.h by Windows threads and locks. */
#ifndef DK_THREADS_WINDOWS_H
#define DK_THREADS_WINDOWS_H

#include <stdbool.h>
#include <winsock2.h>            /* first: windows.h would include the old one */
#include <windows.h>

typedef HANDLE dk_thread;
typedef SRWLOCK dk_mutex;
typedef INIT_ONCE dk_once;
#define DK_MUTEX_INIT SRWLOCK_INIT
#define DK_ONCE_INIT INIT_ONCE_STATIC_INIT

static inline void dk_thread_join (dk_thread thread) {
  WaitForSingleObject(thread, INFINITE);
  CloseHandle(thread);
}

static inline void dk_mutex_init (dk_mutex *mutex) { InitializeSRWLock(mutex); }
static inline void dk_mutex_lock (dk_mutex *mutex) { AcquireSRWLockExclusive(mutex); }
static inline void dk_mutex_unlock (dk_mutex *mutex) { ReleaseSRWLockExclusive(mutex); }
static inline void dk_mutex_destroy (dk_mutex *mutex) { (void)mutex; }

static inline BOOL CALLBACK dk_call_once (PINIT_ONCE once, void *run, void **context) {
  (void)once, (void)context;
  ((void (*) (void))run)();
  return TRUE;
}

/* Calls run, unless it was called with this once before; returns when it has ended. */
static inline void dk_run_once (dk_once *once, void (*run) (void)) { InitOnceExecuteOnce(once, dk_call_once, (void *)run, NULL); }

/* There is no fork. */
static inline bool dk_at_fork (void (*before) (void), void (*in_parent) (void), void (*in_child) (void)) {
  return (void)before, (void)in_parent, (void)in_child, true;
}

#endif
#endif
