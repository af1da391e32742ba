/* game.c - game SCRIPT [ARGUMENT...] */
#include "run.h"

int main (int count, char **arguments) { return run_script(count - 1, arguments + 1); }
