/* atomic.h - variables that several threads use without a lock: C11's atomic variables.
 *
 * With DEVKIT4AI_NO_THREADS (threads.h) they are plain variables: a platform without threads may have no <stdatomic.h>, or need a
 * library for eight bytes. */
#ifndef DK_ATOMIC_H
#define DK_ATOMIC_H

#include <stdbool.h>

#ifdef DEVKIT4AI_NO_THREADS

#define DK_ATOMIC(type) type
#define dk_atomic_init(at, value) ((void)(*(at) = (value)))
#define dk_atomic_store(at, value) ((void)(*(at) = (value)))
#define dk_atomic_load(at) (*(at))
#define dk_atomic_exchange(at, value) __extension__ ({ __typeof__(*(at)) dk_before = *(at); *(at) = (value); dk_before; })
#define dk_atomic_compare_exchange(at, expected, value) (*(at) == *(expected) ? (*(at) = (value), true) : (*(expected) = *(at), false))
#define dk_atomic_add(at, number) dk_atomic_exchange(at, *(at) + (number))
#define dk_atomic_sub(at, number) dk_atomic_exchange(at, *(at) - (number))
#define dk_atomic_load_relaxed dk_atomic_load
#define dk_atomic_load_acquire dk_atomic_load
#define dk_atomic_store_relaxed dk_atomic_store

#else

#include <stdatomic.h>

#define DK_ATOMIC(type) _Atomic(type)
#define dk_atomic_init atomic_init
#define dk_atomic_store atomic_store
#define dk_atomic_load atomic_load
#define dk_atomic_exchange atomic_exchange
#define dk_atomic_compare_exchange atomic_compare_exchange_strong
#define dk_atomic_add atomic_fetch_add                /* each returns the value before */
#define dk_atomic_sub atomic_fetch_sub
#define dk_atomic_load_relaxed(at) atomic_load_explicit(at, memory_order_relaxed)
#define dk_atomic_load_acquire(at) atomic_load_explicit(at, memory_order_acquire)
#define dk_atomic_store_relaxed(at, value) atomic_store_explicit(at, value, memory_order_relaxed)

#endif

#endif
