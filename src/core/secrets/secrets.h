/* secrets.h - a set of named secret values ("slots"): it fills headers and JSON bodies, and masks the values in texts. */
#ifndef DK_SECRETS_H
#define DK_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

typedef struct dk_secrets dk_secrets;   /* fields are in secrets_internal.h */

typedef enum {
  DK_SLOT_HEADER,     /* masked; allowed in a header */
  DK_SLOT_BODY,       /* masked; any bytes; in JSON bodies only (a password) */
  DK_SLOT_PUBLIC      /* allowed in a header, and not a secret (a project id) */
} dk_slot_use;

/* An empty set, which finds the slots of its parent after its own. parent: NULL, or held until the child is freed.
 * NULL: no memory. */
dk_secrets *dk_secrets_new (dk_secrets *parent);

/* Releases the caller's hold; the last release wipes and frees the set. NULL is allowed. */
void dk_secrets_release (dk_secrets *secrets);

/* Sets a slot. name, value: copied. length 0 hides the parent's slot. The old value is wiped.
 * Errors: DK_BAD_VALUE (a control character, or a blank at an end, in a slot for headers), DK_NO_MEMORY. */
dk_status dk_secrets_set (dk_secrets *secrets, const char *name, const char *value, size_t length, dk_slot_use use, dk_failure *failure);

/* Removes a slot of this set, so that the parent's is visible again. */
void dk_secrets_remove (dk_secrets *secrets, const char *name);

/* True: the slot has a value, here or in a parent. */
bool dk_secrets_has (const dk_secrets *secrets, const char *name);

/* Wipes all slots of this set; the parent's stay. */
void dk_secrets_wipe (dk_secrets *secrets);

/* Fills a header line, and appends it and a NUL to out. "{slot}" in line, a template, is the slot's value. A template that begins with
 * '?' adds nothing if one of its slots is empty.
 * Errors: DK_EMPTY_SLOT (failure->text is the slot's name), DK_BAD_VALUE (a DK_SLOT_BODY slot), DK_OVER_LIMIT, DK_NO_MEMORY. */
dk_status dk_secrets_fill_header (const dk_secrets *secrets, const char *line, dk_buffer *out, dk_failure *failure);

/* Adds the slot, as a field of the same name, to the JSON object at the end of out (dk_json_is_object).
 * Errors: DK_EMPTY_SLOT, DK_OVER_LIMIT, DK_NO_MEMORY. */
dk_status dk_secrets_add_json_field (const dk_secrets *secrets, const char *slot, dk_buffer *out, dk_failure *failure);

/* A keyed hash of the slot's value (hash.h). False: the slot is empty, or the system has no random bytes for the key. */
bool dk_secrets_hash (const dk_secrets *secrets, const char *name, uint64_t *hash);

/* True: the slot has a value, and it starts with these bytes. */
bool dk_secrets_starts_with (const dk_secrets *secrets, const char *name, const char *start, size_t length);

/* True: text contains a secret value of at least three bytes, of this set or a parent, with or without escapes (unescape.h).
 * Figure: three keys in a response of 190 bytes cost 590 instructions, because every response is checked. */
bool dk_secrets_appear_in (const dk_secrets *secrets, const char *text, size_t length);

/* Appends text to out, with "***" in place of each secret value, with or without escapes (unescape.h). It also masks parts of at
 * least twelve bytes: a value's start at the end of the text, and its end or a long piece anywhere. Errors: DK_OVER_LIMIT,
 * DK_NO_MEMORY. */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out);

#endif
