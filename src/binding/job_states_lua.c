/* job_states_lua.c - core.job_states: the states of a batch's jobs. */
#include <string.h>

#include "binding.h"
#include "file/job_states.h"

static const double max_number = 9007199254740992.0;     /* 2^53 */

/* job_states() -> states: without jobs */
int dk_lua_job_states (lua_State *L) {
  dk_job_states_init((dk_job_states *)dk_new_userdata(L, DK_TYPE_JOB_STATES, sizeof(dk_job_states)));
  return 1;
}

static dk_job_states *self (lua_State *L) { return (dk_job_states *)dk_check_self(L, DK_TYPE_JOB_STATES); }

static dk_span span_of (lua_State *L, int arg) {
  dk_span span;
  span.bytes = luaL_optlstring(L, arg, NULL, &span.length);
  return span;
}

static uint64_t number_of (lua_State *L, int arg) { return lua_isnoneornil(L, arg) ? 0 : (uint64_t)dk_check_number(L, arg, 0, max_number); }

static bool add (lua_State *L, dk_job_states *states, const dk_step_record *record) {
  dk_record_result result = dk_job_states_add(states, record);
  if (result == DK_RECORD_NO_MEMORY) luaL_error(L, "not enough memory");
  return result == DK_RECORD_ADDED;
}

/* add(job, step, digest, id, reason, since, attempt, paid) -> true; false: no program writes such a step, and nothing changed. All but the
 * first two may be nil */
static int states_add (lua_State *L) {
  dk_step_record record;
  luaL_checkstring(L, 2);
  luaL_checkstring(L, 3);
  record.job = span_of(L, 2);
  record.step = span_of(L, 3);
  record.digest = span_of(L, 4);
  record.id = span_of(L, 5);
  record.reason = span_of(L, 6);
  record.since = number_of(L, 7);
  record.attempt = number_of(L, 8);
  record.paid = lua_toboolean(L, 9);
  lua_pushboolean(L, add(L, self(L), &record));
  return 1;
}

/* add_lines(text, start, stop) -> where it ended: stop, or the start of a line that is not a usual one or that add would refuse; how many
 * lines it added. text has whole lines from the offset start to the offset stop, which check_lines checked */
static int states_add_lines (lua_State *L) {
  size_t length, count = 0;
  const char *text = luaL_checklstring(L, 2, &length);
  size_t stop = (size_t)dk_check_number(L, 4, 0, (double)length), at = (size_t)dk_check_number(L, 3, 0, (double)stop);
  dk_job_states *states = self(L);
  dk_step_record record;
  const char *feed;
  for (; at < stop && (feed = (const char *)memchr(text + at, '\n', stop - at)) != NULL; count++) {
    if (!dk_step_line_read(text + at, (size_t)(feed - text) - at, &record) || !add(L, states, &record)) break;
    at = (size_t)(feed + 1 - text);
  }
  lua_pushnumber(L, (lua_Number)at);
  lua_pushnumber(L, (lua_Number)count);
  return 2;
}

static void push_number (lua_State *L, uint64_t number) {
  if (number == 0) lua_pushnil(L);
  else lua_pushnumber(L, (lua_Number)number);
}

/* get(job) -> step, digest, id, reason, since, attempt, paid; nil: there is no such job. Of a job that is saved, only the first two are known */
static int states_get (lua_State *L) {
  size_t length;
  const char *name = luaL_checklstring(L, 2, &length);
  dk_job_state state;
  char digest[DK_DIGEST_TEXT];
  if (!dk_job_states_get(self(L), name, length, &state)) return 0;
  dk_digest_format(&state.digest, digest);
  lua_pushstring(L, state.step);
  if (state.details == NULL) {
    lua_pushlstring(L, digest, DK_DIGEST_DIGITS);
    return 2;
  }
  luaL_checkstack(L, 6, NULL);
  dk_job_details details = *state.details;
  lua_pushlstring(L, digest, DK_DIGEST_DIGITS);
  lua_pushstring(L, details.id);
  lua_pushstring(L, details.reason);
  push_number(L, details.since);
  push_number(L, details.attempt);
  lua_pushboolean(L, details.paid);
  return 7;
}

/* is_of_other(id, job) -> whether the generation belongs to another job */
static int states_is_of_other (lua_State *L) {
  size_t length;
  const char *id = luaL_checkstring(L, 2), *name = luaL_checklstring(L, 3, &length);
  lua_pushboolean(L, dk_job_states_is_of_other(self(L), id, name, length));
  return 1;
}

/* payments() -> how many generations were accepted */
static int states_payments (lua_State *L) {
  lua_pushnumber(L, (lua_Number)self(L)->owners.count);
  return 1;
}

/* open_names() -> the names of the jobs that were sent and have not ended */
static int states_open_names (lua_State *L) {
  size_t at = 0;
  lua_newtable(L);
  const dk_job_states *states = self(L);
  const dk_job_details *details;
  for (int i = 1; (details = dk_job_states_next_open(states, &at)) != NULL; i++) {
    lua_pushlstring(L, details->name, details->name_length);
    lua_rawseti(L, -2, i);
  }
  return 1;
}

static int states_gc (lua_State *L) {
  dk_job_states_clear(self(L));
  return 0;
}

void dk_open_job_states (lua_State *L) {
  static const luaL_Reg methods[] = {
    {"add", states_add}, {"add_lines", states_add_lines}, {"get", states_get}, {"is_of_other", states_is_of_other},
    {"payments", states_payments}, {"open_names", states_open_names}, {NULL, NULL}};
  static const luaL_Reg meta[] = {{"__gc", states_gc}, {NULL, NULL}};
  dk_register_type(L, DK_TYPE_JOB_STATES, methods, meta);
}
