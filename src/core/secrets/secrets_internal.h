/* secrets_internal.h - the fields of dk_secrets, for the files that implement it. */
#ifndef DK_SECRETS_INTERNAL_H
#define DK_SECRETS_INTERNAL_H

#include "secrets/secrets.h"

typedef struct dk_slot dk_slot;
struct dk_slot {
  dk_slot *next;                 /* in the same set */
  const char *name;              /* in this block, after the value */
  dk_slot_use use;
  size_t length;                 /* of the value; 0 hides the parent's slot */
  size_t rare;                   /* offset of a byte of the value that is rare in texts; the search looks for it first */
  bool has_blank;
  char value[];
};

struct dk_secrets {
  dk_secrets *parent;            /* held, or NULL */
  int holders;
  dk_slot *slots;                /* owned */
};

#endif
