/* run.h - runs a Lua script in a state of its own, in a program with devkit4ai linked in. */
#ifndef RUN_H
#define RUN_H

/* Runs the script with its arguments. The state has an allocator that counts. 0: the script ended without an error, and the closed
 * state left no memory. Else says what failed on standard error. Thread: any, also several at once. */
#ifdef __cplusplus
extern "C"
#endif
int run_script (int count, char **script_and_arguments);

#endif
