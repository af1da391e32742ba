/* secrets.h - named slots that hold what must not show; headers and JSON bodies are filled from them here alone. */
#ifndef DK_SECRETS_H
#define DK_SECRETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

typedef struct dk_secrets dk_secrets;   /* a set of slots; fields live in secrets.c */

typedef enum {
  DK_SLOT_HEADER,     /* masked; may stand in a header */
  DK_SLOT_BODY,       /* masked; any bytes; for JSON bodies alone (a password) */
  DK_SLOT_SHOWN       /* may stand in a header and is no secret (a project's id) */
} dk_slot_use;

/* An empty set that sees its parent's slots behind its own. parent: may be NULL; kept alive until the child goes.
 * NULL: no memory. */
dk_secrets *dk_secrets_new (dk_secrets *parent);

/* Gives the caller's hold back; the last one wipes and frees. NULL is fine. */
void dk_secrets_release (dk_secrets *secrets);

/* Fills a slot; value is copied; length 0 hides the parent's slot, too. The old value is wiped.
 * Errors: DK_BAD_VALUE (a control character, or a blank at an end, where the slot may stand in a header), DK_NO_MEMORY. */
dk_status dk_secrets_set (dk_secrets *secrets, const char *name, const char *value, size_t length, dk_slot_use use, dk_failure *failure);

/* Takes a slot of this set away, so that the parent's is seen again. */
void dk_secrets_clear (dk_secrets *secrets, const char *name);

/* True: the slot is filled, here or in a parent. */
bool dk_secrets_has (const dk_secrets *secrets, const char *name);

/* Wipes all slots of this set; the parent's stay. */
void dk_secrets_wipe (dk_secrets *secrets);

/* Fills a header line: "{slot}" stands for the slot's value; a template that begins with '?' gives nothing when one of
 * its slots is empty. Appends the line and a NUL to out.
 * Errors: DK_EMPTY_SLOT (failure->text is the slot's name), DK_BAD_VALUE (a DK_SLOT_BODY slot in a header), DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_secrets_line (const dk_secrets *secrets, const char *template, dk_buffer *out, dk_failure *failure);

/* Adds the slot as a field of the same name to the JSON object that out ends in (dk_json_is_object).
 * Errors: DK_EMPTY_SLOT, DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_secrets_field (const dk_secrets *secrets, const char *slot, dk_buffer *out, dk_failure *failure);

/* True: a value that is no DK_SLOT_SHOWN stands in text, as it is or with escapes (reading.h); of this set or a parent, three
 * bytes or more. Figure: three keys against an answer of 190 bytes are 590 instructions, since it runs on every one. */
bool dk_secrets_shows (const dk_secrets *secrets, const char *text, size_t length);

/* A keyed hash of the slot's value (hash.h), that tells two values of a slot apart. False: the slot is empty, or the system
 * has no random bytes for the key. */
bool dk_secrets_tag (const dk_secrets *secrets, const char *name, uint64_t *tag);

/* True: the slot is filled, and its value begins with these bytes. */
bool dk_secrets_begins (const dk_secrets *secrets, const char *name, const char *start, size_t length);

/* Appends text to out with every value that is no DK_SLOT_SHOWN, as it is and with escapes (reading.h), replaced by "***". So is
 * a part of one, twelve bytes or more: its start at the end of the text, its end anywhere. Errors: DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out);

#endif
