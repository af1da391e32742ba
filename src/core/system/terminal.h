/* terminal.h - what a program on a terminal needs: its width, a line that is typed, and standard files that stand. */
#ifndef DK_TERMINAL_H
#define DK_TERMINAL_H

#include <stdbool.h>

#include "base/buffer.h"

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
 * the program's end. SIGINT, SIGTERM and SIGHUP end the program with 128 and the signal's number, a line on standard error, and
 * with json an object on standard output. A signal that is ignored stays ignored. */
void dk_terminal_prepare (bool json);

/* Whether a descriptor is open for writing. */
bool dk_terminal_writes (int fd);

/* From now on SIGINT, SIGTERM and SIGHUP raise an error in Lua, by the interpreter's handler for SIGINT. A second signal does
 * nothing, so that the program can end in order. Needs dk_terminal_prepare. */
void dk_terminal_catch_stops (void);

/* From now on these signals are only noted, and end a write that blocks: the program is about to end. */
void dk_terminal_note_stops (void);

/* The first of these signals that came; 0: none. */
int dk_terminal_stopped (void);

#endif
