#include "secrets/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "os/os.h"
#include "secrets/json_string.h"
#include "secrets/secrets_internal.h"

dk_secrets *dk_secrets_new (dk_secrets *parent) {
  dk_secrets *secrets = (dk_secrets *)calloc(1, sizeof *secrets);
  if (secrets == NULL) return NULL;
  secrets->holders = 1;
  secrets->parent = parent;
  if (parent != NULL) parent->holders++;
  return secrets;
}

static void free_slot (dk_slot *s) {
  dk_wipe(s->value, s->length);
  free(s);
}

void dk_secrets_wipe (dk_secrets *secrets) {
  while (secrets->slots != NULL) {
    dk_slot *s = secrets->slots;
    secrets->slots = s->next;
    free_slot(s);
  }
}

void dk_secrets_release (dk_secrets *secrets) {
  while (secrets != NULL && --secrets->holders == 0) {
    dk_secrets *parent = secrets->parent;
    dk_secrets_wipe(secrets);
    free(secrets);
    secrets = parent;
  }
}

void dk_secrets_remove (dk_secrets *secrets, const char *name) {
  for (dk_slot **at = &secrets->slots; *at != NULL; at = &(*at)->next) {
    if (strcmp((*at)->name, name) == 0) {
      dk_slot *gone = *at;
      *at = gone->next;
      free_slot(gone);
      return;
    }
  }
}

/* the visible slot of this name; NULL: it has no value */
static const dk_slot *find (const dk_secrets *secrets, const char *name, size_t length) {
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const dk_slot *s = secrets->slots; s != NULL; s = s->next) {
      if (strncmp(s->name, name, length) == 0 && s->name[length] == '\0') return s->length > 0 ? s : NULL;
    }
  }
  return NULL;
}

bool dk_secrets_has (const dk_secrets *secrets, const char *name) {
  return find(secrets, name, strlen(name)) != NULL;
}

static bool is_blank (char c) { return c == ' ' || c == '\t'; }

static bool fits_header (const char *value, size_t length) {
  for (size_t i = 0; i < length; i++) {
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7F) return false;
  }
  return length == 0 || (!is_blank(value[0]) && !is_blank(value[length - 1]));
}

/* how common the byte is in JSON responses: capital letters are rare, except the T and Z of a time */
static int commonness (char c) {
  if (c >= 'A' && c <= 'Z' && c != 'T' && c != 'Z') return 0;
  return c == '_' || (c >= 'g' && c <= 'z') ? 2 : (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == '-' ? 3 : 1;
}

static size_t rarest (const char *value, size_t length) {
  size_t best = 0;
  for (size_t i = 1; i < length; i++) {
    if (commonness(value[i]) < commonness(value[best])) best = i;
  }
  return best;
}

dk_status dk_secrets_set (dk_secrets *secrets, const char *name, const char *value, size_t length, dk_slot_use use, dk_failure *failure) {
  if (use != DK_SLOT_BODY && !fits_header(value, length))
    return dk_fail(failure, DK_BAD_VALUE, "it has a line feed, another control character, or a blank at an end");
  dk_slot *s = (dk_slot *)malloc(sizeof *s + length + strlen(name) + 1);
  if (s == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  memcpy(s->value, value, length);
  s->name = strcpy(s->value + length, name);
  s->use = use;
  s->length = length;
  s->rare = rarest(value, length);
  s->has_blank = length > 0 && memchr(value, ' ', length) != NULL;
  dk_secrets_remove(secrets, name);
  s->next = secrets->slots;
  secrets->slots = s;
  return DK_OK;
}

/* the length of the text before the next '{slot}'; *name, *name_length: of that slot; NULL: there is none */
static size_t plain_length (const char *text, const char **name, size_t *name_length) {
  const char *open = strchr(text, '{');
  const char *close = open ? strchr(open, '}') : NULL;
  *name = close ? open + 1 : NULL;
  *name_length = close ? (size_t)(close - open - 1) : 0;
  return close ? (size_t)(open - text) : strlen(text);
}

static dk_status with_text (dk_status status, dk_failure *failure) {
  if (status == DK_OK) return DK_OK;
  return dk_fail(failure, status, "%s", status == DK_NO_MEMORY ? "no memory" : "it is too long");
}

dk_status dk_secrets_fill_header (const dk_secrets *secrets, const char *line, dk_buffer *out, dk_failure *failure) {
  bool optional = line[0] == '?';
  size_t start = out->length;
  dk_status status = DK_OK;
  const char *text = line + optional, *name;
  do {
    size_t name_length, plain = plain_length(text, &name, &name_length);
    status = dk_buffer_add(out, text, plain);
    if (name == NULL || status != DK_OK) break;
    const dk_slot *s = find(secrets, name, name_length);
    if (s == NULL && optional) {
      dk_buffer_truncate(out, start);
      return DK_OK;
    }
    if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%.*s", (int)name_length, name);
    if (s->use == DK_SLOT_BODY) return dk_fail(failure, DK_BAD_VALUE, "%s is not allowed in a header", s->name);
    status = dk_buffer_add(out, s->value, s->length);
    text = name + name_length + 1;
  } while (status == DK_OK);
  if (status == DK_OK) status = dk_buffer_add(out, "", 1);
  return with_text(status, failure);
}

dk_status dk_secrets_add_json_field (const dk_secrets *secrets, const char *slot_name, dk_buffer *out, dk_failure *failure) {
  const dk_slot *s = find(secrets, slot_name, strlen(slot_name));
  if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%s", slot_name);
  out->length--;                                              /* the closing brace; it is added again below */
  dk_status status = out->bytes[out->length - 1] == '{' ? DK_OK : dk_buffer_add(out, ",", 1);
  if (status == DK_OK) status = dk_buffer_add(out, "\"", 1);
  if (status == DK_OK) status = dk_buffer_add(out, slot_name, strlen(slot_name));
  if (status == DK_OK) status = dk_buffer_add(out, "\":\"", 3);
  if (status == DK_OK) status = dk_json_escape(out, s->value, s->length);
  if (status == DK_OK) status = dk_buffer_add(out, "\"}", 2);
  return with_text(status, failure);
}

bool dk_secrets_hash (const dk_secrets *secrets, const char *name, uint64_t *hash) {
  const dk_slot *s = find(secrets, name, strlen(name));
  return s != NULL && dk_hash(s->value, s->length, hash);
}

bool dk_secrets_starts_with (const dk_secrets *secrets, const char *name, const char *start, size_t length) {
  const dk_slot *s = find(secrets, name, strlen(name));
  return s != NULL && length <= s->length && memcmp(s->value, start, length) == 0;
}
