/* frame_times.h - what the part under test takes in each frame of a frame loop, at 60 frames per second or without a pause. */
#ifndef FRAME_TIMES_H
#define FRAME_TIMES_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FRAMES_MAX = 200000 };

typedef struct {
  double *elapsed, *cpu;   /* microseconds of each frame; cpu: of this thread alone */
  double started, cpu_started, next;
  int count;
} frame_times;

static double microseconds (clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static void begin_frame (frame_times *f) {
  if (f->elapsed == NULL) {
    f->elapsed = calloc(FRAMES_MAX, sizeof *f->elapsed);
    f->cpu = calloc(FRAMES_MAX, sizeof *f->cpu);
    if (f->elapsed == NULL || f->cpu == NULL) abort();
  }
  f->cpu_started = microseconds(CLOCK_THREAD_CPUTIME_ID);
  f->started = microseconds(CLOCK_MONOTONIC);
}

static void end_frame (frame_times *f) {
  double elapsed = microseconds(CLOCK_MONOTONIC) - f->started, cpu = microseconds(CLOCK_THREAD_CPUTIME_ID) - f->cpu_started;
  if (f->count == FRAMES_MAX) return;
  f->elapsed[f->count] = elapsed;
  f->cpu[f->count++] = cpu;
}

/* Sleeps until the next frame at 60 per second. */
static void wait_for_next_frame (frame_times *f) {
  double now = microseconds(CLOCK_MONOTONIC);
  if (f->next < now) f->next = now;
  f->next += 1e6 / 60;
  struct timespec t = {(time_t)(f->next / 1e6), (long)((f->next - (double)(time_t)(f->next / 1e6) * 1e6) * 1e3)};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static int compare_times (const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double percentile (double *list, int count, double part) {
  qsort(list, (size_t)count, sizeof *list, compare_times);
  int at = (int)(part * count);
  return list[at < count ? at : count - 1];
}

/* Prints microseconds: p50, p99.9, p99.9 of the CPU time; then the number of frames. */
static void print_frames (frame_times *f) {
  printf("%.3f %.3f %.3f %d", percentile(f->elapsed, f->count, 0.5), percentile(f->elapsed, f->count, 0.999),
         percentile(f->cpu, f->count, 0.999), f->count);
}

#endif
