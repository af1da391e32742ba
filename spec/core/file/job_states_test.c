/* job_states_test.c - the lines of a journal, and the state of each job after them. */
#include <string.h>

#include "file/job_states.h"
#include "support/check.h"

static dk_job_states states;

static dk_span span (const char *text) { return (dk_span){text, text != NULL ? strlen(text) : 0}; }

static dk_record_result add (const char *job, const char *step, const char *id, const char *reason) {
  dk_step_record record = {.job = span(job), .step = span(step), .id = span(id), .reason = span(reason)};
  return dk_job_states_add(&states, &record);
}

static bool add_line (const char *line) {
  dk_step_record record;
  return dk_step_line_read(line, strlen(line), &record) && dk_job_states_add(&states, &record) == DK_RECORD_ADDED;
}

static dk_job_state get (const char *job) {
  dk_job_state state = {"", {{0, 0}}, NULL};
  CHECK(dk_job_states_get(&states, job, strlen(job), &state));
  return state;
}

#define DIGEST "00112233445566778899aabbccddeeff"

static void reads_the_usual_lines_and_no_others (void) {
  static const char *const others[] = {
    "", "{", "{}", "{\"journal\":1}", "{\"job\":\"a\"}", "{\"job\":\"a\",\"step\":\"saved\"", "{\"job\":\"a\",\"step\":\"saved\"} ",
    "{\"job\":\"a\\n\",\"step\":\"saved\"}", "{\"job\":\"a\",\"step\":\"failed\",\"paid\":true}", "{\"job\":\"a\",\"step\":\"saved\",\"bytes\":}",
    "{\"job\":\"a\",\"step\":\"refused\",\"reason\":\"x\"}", "{\"job\":\"a\",\"step\":\"planned\",\"attempt\":2}",
    "{\"job\":\"a\",\"step\":\"sending\",\"since\":1234567890123456}", "{\"job\":\"a\",\"step\":\"accepted\",\"id\":1}",
    "{\"job\":\"a\",\"step\":\"accepted\",\"id\":\"x", "{\"job\":\"a\",\"step\":\"sending\",\"since\":-1}",
    "{\"job\":\"a\",\"step\":\"sending\",\"since\":007}"};
  dk_step_record record;
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (!CHECK(!dk_step_line_read(others[i], strlen(others[i]), &record))) fprintf(stderr, "  %s\n", others[i]);
  static const char line[] = "{\"job\":\"a b\",\"step\":\"sending\",\"images\":\"00\",\"since\":1800000000,\"time\":5,\"sum\":\"f\"}";
  CHECK(dk_step_line_read(line, sizeof line - 1, &record));
  CHECK(record.job.length == 3 && memcmp(record.job.bytes, "a b", 3) == 0 && record.since == 1800000000 && record.id.bytes == NULL);
}

static void has_the_state_after_each_step (void) {
  dk_job_states_init(&states);
  CHECK(!dk_job_states_get(&states, "a", 1, &(dk_job_state){.step = NULL}));
  CHECK(add_line("{\"job\":\"a\",\"step\":\"planned\",\"digest\":\"" DIGEST "\",\"time\":1}"));
  CHECK(strcmp(get("a").step, "planned") == 0 && get("a").details == NULL && get("a").digest.words[0] == 0x0011223344556677u);
  CHECK(add_line("{\"job\":\"a\",\"step\":\"sending\",\"images\":\"00\",\"since\":1800000000,\"time\":1}"));
  CHECK(get("a").details->since == 1800000000 && get("a").details->id == NULL);
  CHECK(add_line("{\"job\":\"a\",\"step\":\"accepted\",\"id\":\"g1\",\"time\":1}"));
  CHECK(strcmp(get("a").details->id, "g1") == 0 && get("a").details->since == 1800000000);
  CHECK(add_line("{\"job\":\"a\",\"step\":\"completed\",\"time\":1}"));
  CHECK(add_line("{\"job\":\"a\",\"step\":\"saved\",\"bytes\":5,\"time\":1}"));
  CHECK(strcmp(get("a").step, "saved") == 0 && get("a").details == NULL && get("a").digest.words[1] == 0x8899aabbccddeeffu);
  CHECK(dk_job_states_is_of_other(&states, "g1", "b", 1) && !dk_job_states_is_of_other(&states, "g1", "a", 1));
  CHECK(!dk_job_states_is_of_other(&states, "g2", "b", 1));
  dk_job_states_clear(&states);
}

static void begins_a_new_attempt_without_what_an_earlier_one_found_out (void) {
  dk_step_record again = {.job = span("a"), .step = span("planned"), .attempt = 2};
  dk_job_states_init(&states);
  CHECK(add("a", "accepted", "g1", NULL) == DK_RECORD_ADDED);
  CHECK(add("a", "failed", NULL, "why") == DK_RECORD_ADDED);
  CHECK(strcmp(get("a").details->reason, "why") == 0 && strcmp(get("a").details->id, "g1") == 0);
  CHECK(dk_job_states_add(&states, &again) == DK_RECORD_ADDED);
  CHECK(get("a").details->attempt == 2 && get("a").details->id == NULL && get("a").details->reason == NULL);
  CHECK(add("a", "sending", NULL, NULL) == DK_RECORD_ADDED && get("a").details->attempt == 2);
  CHECK(add("a", "accepted", "g2", NULL) == DK_RECORD_ADDED);
  CHECK(states.owners.count == 2);         /* both are paid for */
  dk_job_states_clear(&states);
}

static void refuses_what_no_program_writes (void) {
  dk_step_record record = {.job = span("a"), .step = span("planned"), .digest = span("00")};
  dk_job_states_init(&states);
  CHECK(dk_job_states_add(&states, &record) == DK_RECORD_WRONG);
  CHECK(add("a", "saving", NULL, NULL) == DK_RECORD_WRONG && add("a", "", NULL, NULL) == DK_RECORD_WRONG);
  CHECK(states.jobs.count == 0);
  dk_job_states_clear(&states);
}

/* details of jobs that ended are used again */
static void names_the_jobs_that_were_sent_and_have_not_ended (void) {
  char name[16];
  dk_job_states_init(&states);
  for (int i = 0; i < 1000; i++) {
    snprintf(name, sizeof name, "%d", i);
    CHECK(add(name, "sending", NULL, NULL) == DK_RECORD_ADDED);
    if (i != 500) CHECK(add(name, i % 2 ? "saved" : "refused", NULL, i % 2 ? NULL : "full") == DK_RECORD_ADDED);
  }
  size_t at = 0;
  const dk_job_details *open = dk_job_states_next_open(&states, &at);
  CHECK(open != NULL && open->name_length == 3 && strcmp(open->name, "500") == 0);
  CHECK(dk_job_states_next_open(&states, &at) == NULL);
  CHECK(states.used <= 502);
  dk_job_states_clear(&states);
}

int main (void) {
  static const check_test tests[] = {
    {"reads_the_usual_lines_and_no_others", reads_the_usual_lines_and_no_others},
    {"has_the_state_after_each_step", has_the_state_after_each_step},
    {"begins_a_new_attempt_without_what_an_earlier_one_found_out", begins_a_new_attempt_without_what_an_earlier_one_found_out},
    {"refuses_what_no_program_writes", refuses_what_no_program_writes},
    {"names_the_jobs_that_were_sent_and_have_not_ended", names_the_jobs_that_were_sent_and_have_not_ended},
  };
  return CHECK_RUN(tests);
}
