/* terminal.h - a terminal: its size, and a line that a person types. */
#ifndef DK_TERMINAL_H
#define DK_TERMINAL_H

#include <stdbool.h>

#include "base/buffer.h"

/* The columns of the terminal behind a descriptor; 0: not a terminal; 80: a terminal of unknown size. */
int dk_terminal_columns (int fd);

/* The rows, in the same way; 24: a terminal of unknown size. */
int dk_terminal_rows (int fd);

/* Writes the prompt to standard error, and appends a line from standard input, without its end, to line. Standard input must be
 * a terminal. shown false: the terminal does not show the line. *given false, with DK_OK: the input ended, or a signal came.
 * Errors: DK_FILE (not a terminal, or not readable), DK_OVER_LIMIT, DK_NO_MEMORY. */
dk_status dk_terminal_read_line (const char *prompt, bool shown, dk_buffer *line, bool *given, dk_failure *failure);

/* Sleeps; a signal ends the sleep. */
void dk_terminal_sleep (double seconds);

/* Whether a descriptor is open for writing. */
bool dk_terminal_is_writable (int fd);

#endif
