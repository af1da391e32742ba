/* terminal.h - what a program on a terminal needs: its width, a line that is typed, and standard files that stand. */
#ifndef DK_TERMINAL_H
#define DK_TERMINAL_H

#include <stdbool.h>

#include "buffer.h"

/* The columns of the terminal behind a descriptor; 0: it is none. One that does not tell has 80. */
int dk_terminal_columns (int fd);

/* The same for its rows; one that does not tell has 24. */
int dk_terminal_rows (int fd);

/* Asks on standard error for a line on standard input, which must be a terminal, and appends it to line without its end. shown
 * false: it does not show while it is typed. *given false, with DK_OK: the input ended, or a signal came.
 * Errors: DK_FILE (no terminal, or it can't be read), DK_OVER_CAP, DK_NO_MEMORY. */
dk_status dk_terminal_ask (const char *prompt, bool shown, dk_buffer *line, bool *given, dk_failure *failure);

/* Sleeps, until a signal comes. */
void dk_terminal_pause (double seconds);

/* For a program of its own, before it opens anything: a standard file that is closed becomes one that can't be used, so that
 * no socket gets its number; writing to a closed pipe, or above the limit of a file's size, is an error of that write, and not
 * the program's end. */
void dk_terminal_prepare (void);

/* From now on SIGTERM and SIGHUP do what SIGINT does: the interpreter's handler raises an error in Lua. A second signal does
 * nothing, so that the program can end in order. A signal that is ignored stays ignored. Twice is once. */
void dk_terminal_catch_stops (void);

#endif
