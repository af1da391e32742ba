#define _GNU_SOURCE              /* strdup */
#include "handle/handle_options.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

#define UNKNOWN INTPTR_MIN       /* differs from every wanted value, so the option is set */

typedef struct {
  CURLoption option;
  const char *name;
  dk_option_kind kind;
  bool required;
} row;

static const row rows[DK_OPTION_COUNT] = {
#define ROW(name, kind, unset, required) {CURLOPT_##name, "CURLOPT_" #name, kind, required},
  DK_OPTION_ROWS(ROW)
#undef ROW
};

static const dk_option_value defaults[DK_OPTION_COUNT] = {
#define DEFAULT(name, kind, unset, required) unset,
  DK_OPTION_ROWS(DEFAULT)
#undef DEFAULT
};

void dk_handle_options_defaults (dk_option_value wanted[DK_OPTION_COUNT]) { memcpy(wanted, defaults, sizeof defaults); }

/* libcurl's value of a kept option counts as unknown, so each is set once, and a refusal is noticed */
void dk_handle_options_init (dk_handle_options *options) {
  for (int i = 0; i < DK_OPTION_COUNT; i++) options->set[i] = i < DK_KEPT_OPTIONS ? UNKNOWN : defaults[i];
  options->refusal = CURLE_OK;
}

static bool is_text (const row *r) { return r->kind == DK_OPTION_STRING || r->kind == DK_OPTION_DIRECTORY; }

static void forget (dk_handle_options *options, int i) {
  if (is_text(&rows[i]) && options->set[i] != UNKNOWN) free((char *)options->set[i]);
  options->set[i] = UNKNOWN;
}

void dk_handle_options_free (dk_handle_options *options) {
  for (int i = 0; i < DK_OPTION_COUNT; i++) forget(options, i);
}

void dk_handle_options_note (dk_handle_options *options, CURLcode code, const char *name) {
  if (code == CURLE_OK || options->refusal != CURLE_OK) return;
  options->refusal = code;
  options->refused_option = name;
}

/* "user:password" as libcurl wants it: percent-encoded, but for the first colon */
static dk_status encode_login (dk_buffer *out, const char *login) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~", hex[] = "0123456789ABCDEF";
  const char *colon = strchr(login, ':');
  dk_status status = DK_OK;
  for (const char *at = login; *at != '\0' && status == DK_OK; at++) {
    unsigned char c = (unsigned char)*at;
    const char escape[] = {'%', hex[c >> 4], hex[c & 15]};
    bool is_plain = at == colon || strchr(plain, *at) != NULL;
    status = dk_buffer_add(out, is_plain ? at : escape, is_plain ? 1 : sizeof escape);
  }
  return status;
}

/* libcurl 8.8 to 8.20 keeps the login if CURLOPT_PROXYUSERPWD is set to NULL, so its two parts are cleared, too */
static CURLcode clear_login (CURL *easy) {
  CURLcode code = curl_easy_setopt(easy, CURLOPT_PROXYUSERPWD, NULL);
  curl_easy_setopt(easy, CURLOPT_PROXYUSERNAME, NULL);
  curl_easy_setopt(easy, CURLOPT_PROXYPASSWORD, NULL);
  return code;
}

static CURLcode set_login (CURL *easy, const char *login) {
  dk_buffer encoded;
  if (login == NULL) return clear_login(easy);
  dk_buffer_init(&encoded, 3 * strlen(login));
  CURLcode code = CURLE_OUT_OF_MEMORY;
  if (encode_login(&encoded, login) == DK_OK) code = curl_easy_setopt(easy, CURLOPT_PROXYUSERPWD, encoded.bytes);
  dk_buffer_reset(&encoded);
  return code;
}

static CURLcode set_directory (CURL *easy, CURLoption option, const char *path) {
  CURLcode code = curl_easy_setopt(easy, option, path);
  return path == NULL && code != CURLE_OUT_OF_MEMORY ? CURLE_OK : code;
}

static CURLcode set_on_easy (CURL *easy, const row *r, dk_option_value value) {
  switch (r->kind) {
    case DK_OPTION_LONG: return curl_easy_setopt(easy, r->option, (long)value);
    case DK_OPTION_OFF_T: return curl_easy_setopt(easy, r->option, (curl_off_t)value);
    case DK_OPTION_DIRECTORY: return set_directory(easy, r->option, (const char *)value);
    case DK_OPTION_LOGIN: return set_login(easy, (const char *)value);
    case DK_OPTION_POINTER: case DK_OPTION_STRING: break;
  }
  return curl_easy_setopt(easy, r->option, (void *)value);
}

static bool is_same_text (dk_option_value set, dk_option_value wanted) {
  return set != UNKNOWN && set != 0 && wanted != 0 && strcmp((const char *)set, (const char *)wanted) == 0;
}

static CURLcode set_text (dk_handle_options *options, CURL *easy, int i, const char *text) {
  char *copy = text != NULL ? strdup(text) : NULL;
  CURLcode code = text != NULL && copy == NULL ? CURLE_OUT_OF_MEMORY : set_on_easy(easy, &rows[i], (dk_option_value)text);
  forget(options, i);
  if (code == CURLE_OK) options->set[i] = (dk_option_value)copy;
  else free(copy);
  return code;
}

static CURLcode set_value (dk_handle_options *options, CURL *easy, int i, dk_option_value value) {
  CURLcode code = set_on_easy(easy, &rows[i], value);
  options->set[i] = code == CURLE_OK ? value : UNKNOWN;
  return code;
}

static void set_option (dk_handle_options *options, CURL *easy, int i, dk_option_value value) {
  CURLcode code = is_text(&rows[i]) ? set_text(options, easy, i, (const char *)value) : set_value(options, easy, i, value);
  if (rows[i].required) dk_handle_options_note(options, code, rows[i].name);
}

static void apply_rows (dk_handle_options *options, CURL *easy, const dk_option_value *wanted, int first, int end) {
  for (int i = first; i < end; i++) {
    if (options->set[i] == wanted[i] || (is_text(&rows[i]) && is_same_text(options->set[i], wanted[i]))) continue;
    set_option(options, easy, i, wanted[i]);
  }
}

/* the kept options of two plain http calls are the same, and memcmp is faster than a look at each row */
bool dk_handle_options_apply (dk_handle_options *options, CURL *easy, const dk_option_value wanted[DK_OPTION_COUNT]) {
  options->refusal = CURLE_OK;
  if (memcmp(options->set, wanted, DK_KEPT_OPTIONS * sizeof *wanted) != 0) apply_rows(options, easy, wanted, 0, DK_KEPT_OPTIONS);
  apply_rows(options, easy, wanted, DK_KEPT_OPTIONS, DK_OPTION_COUNT);
  return options->refusal == CURLE_OK;
}

void dk_handle_options_release (dk_handle_options *options, CURL *easy) {
  for (int i = DK_KEPT_OPTIONS; i < DK_OPTION_COUNT; i++) {
    if (options->set[i] != defaults[i]) set_option(options, easy, i, defaults[i]);
  }
}
