/* unescape.h - a text and its decoded forms. The escapes are those of JSON ("\/", "\u00e4"), of URLs ("%2F", "%2f"), of HTML forms
 * (as in URLs, and "+" for a blank) and of HTML ("&amp;", "&#x27;"). One kind may be inside another, for example a URL in JSON, so a
 * decoded text is decoded once more. */
#ifndef DK_UNESCAPE_H
#define DK_UNESCAPE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

typedef struct {
  const char *bytes;             /* without an escape that the end of the text cuts; valid during the visit */
  size_t length;
  const unsigned char *widths;   /* source bytes of each byte; 0: it belongs to the escape before it. NULL: 1 each */
} dk_decoded_text;

/* Called with one form of the text. True: stop. */
typedef bool dk_text_visitor (void *arg, const dk_decoded_text *text);

/* Calls visit with the text itself, then with each decoded form. *stopped: the last result of visit. forms: "+" is a blank, too.
 * with_widths: sets widths. The decoded texts are wiped. Errors: DK_NO_MEMORY. */
dk_status dk_unescape_visit (const char *text, size_t length, bool forms, bool with_widths, dk_text_visitor *visit, void *arg, bool *stopped)
  __attribute__((warn_unused_result));

#endif
