/* file_memory_test.c - a private file, a lock, a file of records, a digest and the states of jobs, while each allocation fails in turn. */
#define _GNU_SOURCE              /* mkdtemp */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "file/file_lock.h"
#include "file/file_digest.h"
#include "file/job_states.h"
#include "file/private_file.h"
#include "file/record_file.h"
#include "support/check.h"
#include "support/fail_alloc.h"

static char folder[] = "/tmp/file_memory_test.XXXXXX";
static char path[64];

static dk_status lock_and_release (void) {
  dk_file_lock lock;
  dk_failure failure;
  bool taken;
  dk_file_lock_init(&lock);
  dk_status status = dk_file_lock_try(&lock, path, &taken, &failure);
  CHECK(taken == (status == DK_OK));
  dk_file_lock_release(&lock);
  return status;
}

static dk_status save_and_load (void) {
  char bytes[9000];
  dk_buffer loaded;
  dk_failure failure;
  bool exists = false;
  memset(bytes, 'x', sizeof bytes);
  dk_buffer_init(&loaded, sizeof bytes);
  dk_status status = dk_private_file_write(path, bytes, sizeof bytes, &failure);
  if (status == DK_OK) status = dk_private_file_read(path, &loaded, &exists, &failure);
  CHECK(exists == (status == DK_OK));
  dk_buffer_reset(&loaded);
  return status;
}

static dk_status append_to_records (void) {
  dk_record_file records;
  dk_failure failure;
  dk_record_file_init(&records);
  dk_status status = dk_record_file_open(&records, path, &failure);
  if (status == DK_OK) status = dk_record_file_append(&records, "one\n", 4, &failure);
  dk_record_file_close(&records);
  return status;
}

static dk_status save_and_digest (void) {
  dk_digest digest;
  dk_failure failure;
  dk_status status = dk_private_file_write(path, "x", 1, &failure);
  return status == DK_OK ? dk_file_digest(path, &digest, &failure) : status;
}

static dk_status add_jobs (void) {
  static const char *const steps[] = {"sending", "accepted", "refused"};
  dk_job_states states;
  dk_record_result result = DK_RECORD_ADDED;
  dk_job_states_init(&states);
  for (int i = 0; i < 300 && result == DK_RECORD_ADDED; i++) {
    char name[8];
    size_t length = (size_t)snprintf(name, sizeof name, "%d", i / 3);
    dk_step_record record = {.job = {name, length}, .step = {steps[i % 3], strlen(steps[i % 3])}};
    if (i % 3 == 1) record.id = record.job;
    if (i % 3 == 2) record.reason = record.job;
    result = dk_job_states_add(&states, &record);
  }
  CHECK(result != DK_RECORD_WRONG);
  dk_job_states_clear(&states);
  return result == DK_RECORD_ADDED ? DK_OK : DK_NO_MEMORY;
}

static void sweep (dk_status (*run) (void)) {
  bool failed = true;
  for (long n = 1; failed; n++) {
    size_t before = live_blocks();
    fail_allocation(n);
    dk_status status = run();
    failed = fail_allocation_done();
    fail_allocation(0);
    if (!CHECK(status == (failed ? DK_NO_MEMORY : DK_OK)) || !CHECK(live_blocks() == before)) return;
  }
  CHECK(access(path, F_OK) != 0 || unlink(path) == 0);
}

static void lock (void) { sweep(lock_and_release); }
static void file (void) { sweep(save_and_load); }
static void records (void) { sweep(append_to_records); }
static void digest (void) { sweep(save_and_digest); }
static void jobs (void) { sweep(add_jobs); }

int main (void) {
  static const check_test tests[] = {{"lock", lock}, {"file", file}, {"records", records}, {"digest", digest}, {"jobs", jobs}};
  if (mkdtemp(folder) == NULL) abort();
  snprintf(path, sizeof path, "%s/file", folder);
  int ended = CHECK_RUN(tests);
  rmdir(folder);
  return ended;
}
