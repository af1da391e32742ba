#include "file/job_states.h"

#include <stdlib.h>
#include <string.h>

/* the steps of a job; is_open: it was sent, and has not ended */
static const struct { const char *name; bool is_open; } steps[] = {
  {"", false}, {"planned", false}, {"refused", false}, {"sending", true}, {"undecided", true}, {"accepted", true}, {"completed", true},
  {"saved", false}, {"failed", false}};
enum { NO_STEP, PLANNED, REFUSED, SENDING, UNDECIDED, ACCEPTED, COMPLETED, SAVED, FAILED, STEPS };
enum { STEP_ROOM = 16, FIRST_PLACES = 16 };

static int step_of (const dk_span *name) {
  int step = STEPS - 1;
  while (step > NO_STEP && (strlen(steps[step].name) != name->length || memcmp(steps[step].name, name->bytes, name->length) != 0)) step--;
  return step;
}

void dk_job_states_init (dk_job_states *states) {
  memset(states, 0, sizeof *states);
  dk_digest_map_init(&states->jobs);
  dk_digest_map_init(&states->owners);
}

static void free_texts (dk_job_details *details) {
  free(details->name);
  free(details->id);
  free(details->reason);
}

void dk_job_states_clear (dk_job_states *states) {
  for (size_t i = 1; i < states->used; i++) free_texts(&states->details[i]);
  free(states->details);
  dk_digest_map_clear(&states->jobs);
  dk_digest_map_clear(&states->owners);
  dk_job_states_init(states);
}

/* ---- the details of a job ---- */

/* replaces a text that the details own */
static bool set_text (char **text, const dk_span *value) {
  char *copy = (char *)malloc(value->length + 1);
  if (copy == NULL) return false;
  memcpy(copy, value->bytes, value->length);
  copy[value->length] = '\0';
  free(*text);
  *text = copy;
  return true;
}

static void drop_text (char **text) {
  free(*text);
  *text = NULL;
}

static bool grow (dk_job_states *states) {
  size_t room = 2 * states->room;
  if (room == 0) room = FIRST_PLACES;
  dk_job_details *details = (dk_job_details *)realloc(states->details, room * sizeof *details);
  if (details == NULL) return false;
  states->details = details;
  states->room = room;
  if (states->used == 0) states->used = 1;
  return true;
}

/* a new place with the name; 0: no memory */
static size_t take_place (dk_job_states *states, const dk_span *name) {
  if (states->free_place == 0 && states->used == states->room && !grow(states)) return 0;
  size_t place = states->free_place != 0 ? states->free_place : states->used++;
  dk_job_details *details = &states->details[place];
  if (place == states->free_place) states->free_place = details->next_free;
  memset(details, 0, sizeof *details);
  if (set_text(&details->name, name)) {
    details->name_length = name->length;
    return place;
  }
  details->next_free = states->free_place;
  states->free_place = place;
  return 0;
}

static void free_place (dk_job_states *states, size_t place) {
  if (place == 0) return;
  dk_job_details *details = &states->details[place];
  free_texts(details);
  memset(details, 0, sizeof *details);
  details->next_free = states->free_place;
  states->free_place = place;
}

/* what a step changes. A new attempt begins without what an earlier one found out */
static bool apply (dk_job_details *details, int step, const dk_step_record *record) {
  drop_text(&details->reason);
  if (step == PLANNED) {
    drop_text(&details->id);
    details->attempt = 0;
    details->paid = false;
  }
  if (step == PLANNED || step == SENDING) details->since = 0;
  if (record->since != 0) details->since = record->since;
  if (record->attempt != 0) details->attempt = record->attempt;
  if (record->paid) details->paid = true;
  if (record->id.bytes != NULL && !set_text(&details->id, &record->id)) return false;
  return record->reason.bytes == NULL || set_text(&details->reason, &record->reason);
}

/* ---- records ---- */

dk_record_result dk_job_states_add (dk_job_states *states, const dk_step_record *record) {
  int step = step_of(&record->step);
  if (step == NO_STEP) return DK_RECORD_WRONG;
  dk_digest key = dk_digest_of(record->job.bytes, record->job.length);
  const dk_digest_value *found = dk_digest_map_get(&states->jobs, &key);
  dk_digest_value value = {0, {{0, 0}}};
  if (found != NULL) value = *found;
  if (record->digest.bytes != NULL && !dk_digest_parse(record->digest.bytes, record->digest.length, &value.digest)) return DK_RECORD_WRONG;
  size_t place = (size_t)(value.number / STEP_ROOM);
  if (step == SAVED || (step == PLANNED && record->attempt == 0)) {
    free_place(states, place);
    place = 0;
  } else {
    if (place == 0) place = take_place(states, &record->job);
    if (place == 0 || !apply(&states->details[place], step, record)) return DK_RECORD_NO_MEMORY;
  }
  value.number = (uint64_t)place * STEP_ROOM + (uint64_t)step;
  if (!dk_digest_map_set(&states->jobs, &key, &value)) return DK_RECORD_NO_MEMORY;
  if (record->id.bytes == NULL) return DK_RECORD_ADDED;
  dk_digest id = dk_digest_of(record->id.bytes, record->id.length);
  dk_digest_value owner = {1, key};
  return dk_digest_map_set(&states->owners, &id, &owner) ? DK_RECORD_ADDED : DK_RECORD_NO_MEMORY;
}

bool dk_job_states_get (const dk_job_states *states, const char *name, size_t length, dk_job_state *state) {
  dk_digest key = dk_digest_of(name, length);
  const dk_digest_value *value = dk_digest_map_get(&states->jobs, &key);
  if (value == NULL) return false;
  size_t place = (size_t)(value->number / STEP_ROOM);
  *state = (dk_job_state){steps[value->number % STEP_ROOM].name, value->digest, place != 0 ? &states->details[place] : NULL};
  return true;
}

bool dk_job_states_is_of_other (const dk_job_states *states, const char *id, const char *name, size_t name_length) {
  dk_digest key = dk_digest_of(id, strlen(id)), job = dk_digest_of(name, name_length);
  const dk_digest_value *owner = dk_digest_map_get(&states->owners, &key);
  return owner != NULL && (owner->digest.words[0] != job.words[0] || owner->digest.words[1] != job.words[1]);
}

const dk_job_details *dk_job_states_next_open (const dk_job_states *states, size_t *at) {
  while (*at < states->jobs.room) {
    uint64_t number = states->jobs.entries[(*at)++].value.number;
    if (steps[number % STEP_ROOM].is_open) return &states->details[number / STEP_ROOM];
  }
  return NULL;
}
