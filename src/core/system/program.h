/* program.h - a command-line program's standard files, and the signals that stop it: SIGINT, SIGTERM and SIGHUP. */
#ifndef DK_PROGRAM_H
#define DK_PROGRAM_H

#include <stdbool.h>

/* Call it before the program opens anything.
 * - A standard file that is closed is opened so that reads and writes fail, and no socket gets its number.
 * - A write to a closed pipe, or over the limit of a file's size, fails and does not end the program.
 * - A stop signal ends the program with 128 plus its number, a line on standard error, and with json an object on standard
 *   output. A signal that is ignored stays ignored. */
void dk_program_prepare (bool json);

/* A word of the command line in UTF-8. On Windows main has it in the code page of the process; elsewhere it stays as it is. The
 * caller frees it. NULL: no memory. */
char *dk_program_utf8 (const char *word);

/* From now on a stop signal raises an error in Lua, through the interpreter's handler for SIGINT. A second signal has no effect,
 * so that the program can end in order. Needs dk_program_prepare. */
void dk_program_raise_stops (void);

/* From now on stop signals are only recorded, and end a write that blocks: the program is about to end. */
void dk_program_record_stops (void);

/* The first stop signal that came; 0: none. */
int dk_program_stop_signal (void);

#endif
