/* language.h - what C11 and C++17 spell differently: a program may compile this code by a compiler of either language. */
#ifndef DK_LANGUAGE_H
#define DK_LANGUAGE_H

#ifdef __cplusplus

#include <atomic>

/* in front of a function that C code calls, too */
#define DK_C_LINKAGE extern "C"

/* The atomics of std have the names of C11's. */
#define DK_ATOMIC(type) std::atomic<type>
using std::atomic_bool;
using std::atomic_int;
using std::atomic_uint;
using std::atomic_uint_least64_t;
using std::atomic_compare_exchange_strong;
using std::atomic_exchange;
using std::atomic_fetch_add;
using std::atomic_fetch_sub;
using std::atomic_init;
using std::atomic_load;
using std::atomic_load_explicit;
using std::atomic_store;
using std::atomic_store_explicit;
using std::memory_order_acquire;
using std::memory_order_relaxed;

#else

#include <stdatomic.h>

#define DK_C_LINKAGE
#define DK_ATOMIC(type) _Atomic(type)

#endif

#endif
