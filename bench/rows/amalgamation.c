/* amalgamation.c - prints the seconds that devkit4ai_open takes, and the KiB of Lua's heap that it adds: the median of 101 states. */
#define _POSIX_C_SOURCE 200809L
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "devkit4ai.h"

enum { STATES = 101 };

static int compare (const void *a, const void *b) {
  double difference = *(const double *)a - *(const double *)b;
  return (difference > 0) - (difference < 0);
}

static double seconds (void) {
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main (void) {
  double times[STATES];
  int kib = 0;
  for (int i = 0; i < STATES; i++) {
    lua_State *L = luaL_newstate();
    if (L == NULL) return 1;
    luaL_openlibs(L);
    int before = lua_gc(L, LUA_GCCOUNT, 0);
    double start = seconds();
    devkit4ai_open(L);
    times[i] = seconds() - start;
    kib = lua_gc(L, LUA_GCCOUNT, 0) - before;
    lua_close(L);
  }
  qsort(times, STATES, sizeof *times, compare);
  printf("%.9f %d\n", times[STATES / 2], kib);
  return 0;
}
