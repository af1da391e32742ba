#include "engine/ready_signal.h"

#include <math.h>

#include "os/os.h"

void dk_ready_signal_init (dk_ready_signal *s) {
  dk_atomic_init(&s->is_set, false);
  dk_atomic_init(&s->listener, NULL);
  dk_atomic_init(&s->alarm, HUGE_VAL);
  dk_wakeup_init(&s->wakeup);
}

bool dk_ready_signal_open (dk_ready_signal *s) {
  return dk_wakeup_open(&s->wakeup, dk_atomic_load(&s->is_set));
}

const char *dk_ready_signal_listen (dk_ready_signal *s, const char *parent, dk_failure *failure) {
  dk_listener *listener = dk_atomic_load(&s->listener);
  if (listener == NULL) listener = dk_listener_new(parent, failure);
  dk_atomic_store(&s->listener, listener);
  return listener != NULL ? listener->path : NULL;
}

void dk_ready_signal_set (dk_ready_signal *s) {
  dk_listener *listener = dk_atomic_load(&s->listener);
  if (dk_atomic_exchange(&s->is_set, true)) return;
  if (s->wakeup.fd >= 0) dk_wakeup_set(&s->wakeup);
  if (listener != NULL) dk_listener_send(listener);
}

void dk_ready_signal_clear (dk_ready_signal *s) {
  if (dk_atomic_exchange(&s->is_set, false) && s->wakeup.fd >= 0) dk_wakeup_clear(&s->wakeup);
}

bool dk_ready_signal_set_alarm (dk_ready_signal *s, double seconds) {
  double due = seconds < HUGE_VAL ? dk_now() + seconds : HUGE_VAL;
  return due < dk_atomic_exchange(&s->alarm, due);
}

/* compare and exchange: meanwhile the caller may have replaced it */
bool dk_ready_signal_take_alarm (dk_ready_signal *s, double now) {
  double due = dk_atomic_load(&s->alarm);
  return due <= now && dk_atomic_compare_exchange(&s->alarm, &due, HUGE_VAL);
}

double dk_ready_signal_max_sleep (dk_ready_signal *s) {
  dk_listener *listener = dk_atomic_load(&s->listener);
  double most = listener != NULL ? dk_listener_max_sleep(listener) : HUGE_VAL;
  double alarm = dk_atomic_load(&s->alarm);
  if (alarm == HUGE_VAL) return most;                 /* the usual case, without a look at the clock */
  double left = alarm - dk_now();
  return left < most ? left : most;
}

void dk_ready_signal_remove_files (dk_ready_signal *s) {
  dk_listener *listener = dk_atomic_load(&s->listener);
  if (listener != NULL) dk_listener_remove_files(listener);
}

void dk_ready_signal_close (dk_ready_signal *s) {
  dk_listener_free(dk_atomic_load(&s->listener));
  dk_wakeup_close(&s->wakeup);
}
