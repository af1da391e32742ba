/* job_states.h - the state of each job of a batch after the records of its journal, for some million jobs. Of a job that is planned or
 * saved it keeps 40 bytes: nearly all jobs are one of them. */
#ifndef DK_JOB_STATES_H
#define DK_JOB_STATES_H

#include "base/digest_map.h"
#include "file/step_line.h"

/* What is known of a job, apart from its digest, while it is neither saved nor just planned. */
typedef struct {
  char *name;                    /* owned, like id and reason; ends with a NUL */
  size_t name_length;
  char *id;                      /* of its generation; NULL: none */
  char *reason;                  /* NULL: none */
  uint64_t since;                /* Unix time of the server before it was sent; 0: not known */
  uint64_t attempt;              /* 2 or more: the user decided to send it again; 0: once */
  bool paid;
  size_t next_free;              /* of a place that no job uses: the next such place */
} dk_job_details;

typedef struct {
  dk_digest_map jobs;            /* by name. number: the step, and the place of the details; digest: of the job when it was planned */
  dk_digest_map owners;          /* by the id of a generation: the digest of the name of its job */
  dk_job_details *details;       /* owned; place 0 is not used */
  size_t room, used, free_place; /* free_place 0: none */
} dk_job_states;

typedef struct {
  const char *step;
  dk_digest digest;
  const dk_job_details *details; /* owned by the states until the next record; NULL: nothing else is known */
} dk_job_state;

/* Without jobs. */
void dk_job_states_init (dk_job_states *states);

/* Frees everything; the states are empty. */
void dk_job_states_clear (dk_job_states *states);

typedef enum {
  DK_RECORD_ADDED,
  DK_RECORD_WRONG,               /* no program writes such a step or such a digest; nothing changed */
  DK_RECORD_NO_MEMORY            /* the state of the job may lack a part */
} dk_record_result;

/* Adds a record. */
dk_record_result dk_job_states_add (dk_job_states *states, const dk_step_record *record);

/* The state of a job. False: the journal does not have it. */
bool dk_job_states_get (const dk_job_states *states, const char *name, size_t length, dk_job_state *state);

/* Whether a generation belongs to another job than this one. Each generation counts as one payment: owners.count. */
bool dk_job_states_is_of_other (const dk_job_states *states, const char *id, const char *name, size_t name_length);

/* The name of a job that was sent and has not ended, from the entry *at of jobs on; sets *at behind it. NULL: there are no more. */
const dk_job_details *dk_job_states_next_open (const dk_job_states *states, size_t *at);

#endif
