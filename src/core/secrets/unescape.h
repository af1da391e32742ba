/* unescape.h - what a text may say: as it stands, and with escapes decoded. Escapes are those of JSON ("\/", "\u00e4"), of
 * addresses ("%2F", "%2f"), of forms (these, and "+" for a blank) and of HTML ("&amp;", "&#x27;"). One may stand in another,
 * as an address in JSON, so a reading is decoded once more. */
#ifndef DK_READING_H
#define DK_READING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct {
  const char *bytes;             /* an escape that the text's end cuts is left out */
  size_t length;
  const unsigned char *widths;   /* bytes of the text that each byte stands for; 0: a byte of the same escape. NULL: 1 each */
} dk_reading;

/* Looks at a reading; true: no more are wanted. */
typedef bool dk_read (void *arg, const dk_reading *reading);

/* Gives read all readings of the text, the text itself first; *stopped: what read returned last. forms: "+" is a blank, too.
 * with_widths: readings have widths. What it makes is wiped. Errors: DK_NO_MEMORY. */
dk_status dk_read_text (const char *text, size_t length, bool forms, bool with_widths, dk_read *read, void *arg, bool *stopped)
  __attribute__((warn_unused_result));

#endif
