/* frame_times.h - what the part under test takes in each frame of a frame loop, at 60 frames per second or without a pause.
 *
 * A frame in which the kernel gave the core to another thread is disturbed: its time is not the part's own, nor is its CPU time, to
 * which the kernel adds some of the other work. The includer defines _GNU_SOURCE. */
#ifndef FRAME_TIMES_H
#define FRAME_TIMES_H

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { FRAMES_MAX = 200000 };

typedef struct {
  double *elapsed, *cpu;   /* microseconds of each frame; cpu: of this thread alone, in the frames that were not disturbed */
  double started, cpu_started, next;
  long switches;
  int count, undisturbed;
} frame_times;

static double microseconds (clockid_t clock) {
  struct timespec t;
  clock_gettime(clock, &t);
  return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* how often the kernel has given this thread's core to another one */
static long count_switches (void) {
  struct rusage usage;
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw + usage.ru_nivcsw;
}

static void begin_frame (frame_times *f) {
  if (f->elapsed == NULL) {
    f->elapsed = calloc(FRAMES_MAX, sizeof *f->elapsed);
    f->cpu = calloc(FRAMES_MAX, sizeof *f->cpu);
    if (f->elapsed == NULL || f->cpu == NULL) abort();
  }
  f->switches = count_switches();
  f->cpu_started = microseconds(CLOCK_THREAD_CPUTIME_ID);
  f->started = microseconds(CLOCK_MONOTONIC);
}

static void end_frame (frame_times *f) {
  double elapsed = microseconds(CLOCK_MONOTONIC) - f->started, cpu = microseconds(CLOCK_THREAD_CPUTIME_ID) - f->cpu_started;
  if (f->count == FRAMES_MAX) return;
  f->elapsed[f->count++] = elapsed;
  if (count_switches() == f->switches) f->cpu[f->undisturbed++] = cpu;
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

/* Prints microseconds: p50, p99.9, p99.9 of the CPU time of the frames that were not disturbed; then how many of 1,000 they are. */
static void print_frames (frame_times *f) {
  printf("%.3f %.3f %.3f %.3f", percentile(f->elapsed, f->count, 0.5), percentile(f->elapsed, f->count, 0.999),
         percentile(f->cpu, f->undisturbed, 0.999), 1000.0 * f->undisturbed / f->count);
}

#endif
