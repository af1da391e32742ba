#define _GNU_SOURCE /* strnlen, memmem */
#include "support/fail_alloc.h"
#include <curl/curl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc (size_t size);
void *__real_calloc (size_t count, size_t size);
void *__real_realloc (void *block, size_t size);
void __real_free (void *block);
void *__wrap_malloc (size_t size);
void *__wrap_calloc (size_t count, size_t size);
void *__wrap_realloc (void *block, size_t size);
char *__wrap_strdup (const char *text);
char *__wrap_strndup (const char *text, size_t length);
void __wrap_free (void *block);

enum { SLOTS = 1 << 16 }; /* of the table of live blocks; a power of two; a test has a few hundred blocks */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long until_failure; /* 0: none will fail */
static bool failed;
static uintptr_t live[SLOTS]; /* open addressing; 0 is free */
static size_t live_count;
static const char *watched; /* NULL: nothing */
static size_t unwiped;

static size_t home (uintptr_t block) {
  return (size_t)(block >> 4) & (SLOTS - 1);
}

static void add_live (void *block) {
  if (!block) return;
  pthread_mutex_lock(&lock);
  if (live_count == SLOTS / 2) {
    fputs("fail_alloc: too many live blocks for its table\n", stderr);
    abort();
  }
  size_t i = home((uintptr_t)block);
  while (live[i]) i = (i + 1) & (SLOTS - 1);
  live[i] = (uintptr_t)block;
  live_count++;
  pthread_mutex_unlock(&lock);
}

/* A block that a library allocated for us, as getline does, is not in the table. */
static void drop_live (uintptr_t block) {
  pthread_mutex_lock(&lock);
  size_t i = home(block);
  while (live[i] && live[i] != block) i = (i + 1) & (SLOTS - 1);
  if (block && live[i]) {
    live_count--;
    live[i] = 0;
    for (size_t next = (i + 1) & (SLOTS - 1); live[next]; next = (next + 1) & (SLOTS - 1)) { /* close the gap */
      size_t wanted = home(live[next]);
      if (((next - wanted) & (SLOTS - 1)) < ((next - i) & (SLOTS - 1))) continue; /* its home is after the gap */
      live[i] = live[next];
      live[next] = 0;
      i = next;
    }
  }
  pthread_mutex_unlock(&lock);
}

static bool fails_now (void) {
  pthread_mutex_lock(&lock);
  bool now = until_failure > 0 && --until_failure == 0;
  failed = failed || now;
  pthread_mutex_unlock(&lock);
  return now;
}

void fail_allocation (long n) {
  pthread_mutex_lock(&lock);
  until_failure = n;
  failed = false;
  pthread_mutex_unlock(&lock);
}

bool fail_allocation_done (void) {
  pthread_mutex_lock(&lock);
  bool done = failed;
  pthread_mutex_unlock(&lock);
  return done;
}

size_t live_blocks (void) {
  pthread_mutex_lock(&lock);
  size_t count = live_count;
  pthread_mutex_unlock(&lock);
  return count;
}

void watch_freed (const char *secret) {
  pthread_mutex_lock(&lock);
  watched = secret;
  unwiped = 0;
  pthread_mutex_unlock(&lock);
}

size_t freed_unwiped (void) {
  pthread_mutex_lock(&lock);
  size_t count = unwiped;
  pthread_mutex_unlock(&lock);
  return count;
}

/* Searches the whole block, also after its used bytes. */
static void look_at_freed (void *block) {
  pthread_mutex_lock(&lock);
  if (block && watched && memmem(block, malloc_usable_size(block), watched, strlen(watched))) unwiped++;
  pthread_mutex_unlock(&lock);
}

void *__wrap_malloc (size_t size) {
  void *block = fails_now() ? NULL : __real_malloc(size);
  add_live(block);
  return block;
}

void *__wrap_calloc (size_t count, size_t size) {
  void *block = fails_now() ? NULL : __real_calloc(count, size);
  add_live(block);
  return block;
}

void *__wrap_realloc (void *block, size_t size) {
  if (fails_now()) return NULL; /* the caller keeps the old block, which stays live */
  uintptr_t old = (uintptr_t)block;
  look_at_freed(block);
  void *moved = __real_realloc(block, size);
  if (moved || size == 0) drop_live(old);
  add_live(moved);
  return moved;
}

char *__wrap_strndup (const char *text, size_t length) {
  size_t taken = strnlen(text, length);
  char *copy = __wrap_malloc(taken + 1);
  if (!copy) return NULL;
  memcpy(copy, text, taken);
  copy[taken] = '\0';
  return copy;
}

char *__wrap_strdup (const char *text) {
  return __wrap_strndup(text, SIZE_MAX);
}

void __wrap_free (void *block) {
  drop_live((uintptr_t)block);
  look_at_freed(block);
  __real_free(block);
}

static void *curl_malloc (size_t size) {
  return fails_now() ? NULL : __real_malloc(size);
}

static void *curl_calloc (size_t count, size_t size) {
  return fails_now() ? NULL : __real_calloc(count, size);
}

static void *curl_realloc (void *block, size_t size) {
  return fails_now() ? NULL : __real_realloc(block, size);
}

static char *curl_strdup (const char *text) {
  size_t size = strlen(text) + 1;
  char *copy = curl_malloc(size);
  return copy ? memcpy(copy, text, size) : NULL;
}

void fail_alloc_hook_curl (void) {
  if (curl_global_init_mem(CURL_GLOBAL_DEFAULT, curl_malloc, __real_free, curl_realloc, curl_strdup, curl_calloc)) abort();
}
