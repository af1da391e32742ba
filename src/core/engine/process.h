/* process.h - the state of the process, shared by all engines: libcurl's initialisation, threads to join at exit(), forks. */
#ifndef DK_PROCESS_H
#define DK_PROCESS_H

#include <stdbool.h>

#include "os/sigpipe.h"

typedef struct dk_process dk_process;

/* A thread that exit() must join before it ends libcurl. The caller's memory, until it is removed. */
typedef struct dk_process_thread dk_process_thread;
struct dk_process_thread {
  void (*join) (void *arg);
  void *arg;
  dk_process_thread *next;       /* the process's list */
};

/* Initialises libcurl for this process, once. NULL: no memory. The result stays until the process ends. */
dk_process *dk_process_start (void);

/* The id of this process; after dk_process_start without a system call. Thread: any. */
int dk_process_id (void);

/* True: this process is not the one with the id owner, which called dk_process_start; it was forked since. */
bool dk_process_is_forked (const dk_process *process, int owner);

/* True: exit() has begun, and libcurl must not run any more. */
bool dk_process_is_exiting (const dk_process *process);

/* Call these around all code that runs libcurl. raises_sigpipe: this libcurl may raise SIGPIPE, so the guard blocks it.
 * False: exit() has begun; the caller must not run libcurl and must not call dk_process_leave. */
bool dk_process_enter (dk_process *process, bool raises_sigpipe, dk_sigpipe_guard *guard);
void dk_process_leave (dk_process *process, dk_sigpipe_guard *guard);

/* Adds a thread to those that exit() joins; removes it. False: exit() has joined it, or it was not added. */
void dk_process_add_thread (dk_process *process, dk_process_thread *thread);
bool dk_process_remove_thread (dk_process *process, dk_process_thread *thread);

#endif
