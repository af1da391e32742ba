/* atomic.h - variables that several threads use without a lock: the atomic variables of C11 and C++17.
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

#ifdef __cplusplus
#include <atomic>
#define DK_ATOMIC(type) std::atomic<type>
#define DK_ATOMIC_NAME(name) std::name
#else
#include <stdatomic.h>
#define DK_ATOMIC(type) _Atomic(type)
#define DK_ATOMIC_NAME(name) name
#endif

#define dk_atomic_init DK_ATOMIC_NAME(atomic_init)
#define dk_atomic_store DK_ATOMIC_NAME(atomic_store)
#define dk_atomic_load DK_ATOMIC_NAME(atomic_load)
#define dk_atomic_exchange DK_ATOMIC_NAME(atomic_exchange)
#define dk_atomic_compare_exchange DK_ATOMIC_NAME(atomic_compare_exchange_strong)
#define dk_atomic_add DK_ATOMIC_NAME(atomic_fetch_add)          /* each returns the value before */
#define dk_atomic_sub DK_ATOMIC_NAME(atomic_fetch_sub)
#define dk_atomic_load_relaxed(at) DK_ATOMIC_NAME(atomic_load_explicit)(at, DK_ATOMIC_NAME(memory_order_relaxed))
#define dk_atomic_load_acquire(at) DK_ATOMIC_NAME(atomic_load_explicit)(at, DK_ATOMIC_NAME(memory_order_acquire))
#define dk_atomic_store_relaxed(at, value) DK_ATOMIC_NAME(atomic_store_explicit)(at, value, DK_ATOMIC_NAME(memory_order_relaxed))

#endif

#endif
