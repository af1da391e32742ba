/* queue.h - a queue of transfers, and a table that finds a transfer by its id. Neither owns a transfer, and neither allocates. */
#ifndef DK_QUEUE_H
#define DK_QUEUE_H

#include "transfer/transfer.h"

typedef struct { dk_xfer *first, *last; } dk_queue;

static inline void dk_queue_push (dk_queue *queue, dk_xfer *x) {
  x->engine.next = NULL;
  if (queue->last != NULL) queue->last->engine.next = x;
  else queue->first = x;
  queue->last = x;
}

/* NULL: the queue is empty. */
static inline dk_xfer *dk_queue_pop (dk_queue *queue) {
  dk_xfer *x = queue->first;
  if (x == NULL) return NULL;
  queue->first = x->engine.next;
  if (queue->first == NULL) queue->last = NULL;
  return x;
}

/* Empties the queue, and returns what it held. */
static inline dk_queue dk_queue_take_all (dk_queue *queue) {
  dk_queue all = *queue;
  *queue = (dk_queue){NULL, NULL};
  return all;
}

enum { DK_BUCKETS = 256 };       /* 10,000 transfers in flight make chains of 40 */
typedef struct { dk_xfer *buckets[DK_BUCKETS]; } dk_id_table;

/* The place of the pointer to the transfer with this id, or of the NULL at the end of its bucket. */
static inline dk_xfer **dk_id_table_place (dk_id_table *table, uint64_t id) {
  dk_xfer **at = &table->buckets[id % DK_BUCKETS];
  while (*at != NULL && (*at)->engine.id != id) at = &(*at)->engine.next_in_bucket;
  return at;
}

static inline void dk_id_table_add (dk_id_table *table, dk_xfer *x) {
  dk_xfer **at = &table->buckets[x->engine.id % DK_BUCKETS];
  x->engine.next_in_bucket = *at;
  *at = x;
}

static inline void dk_id_table_remove (dk_id_table *table, dk_xfer *x) {
  *dk_id_table_place(table, x->engine.id) = x->engine.next_in_bucket;
}

#endif
