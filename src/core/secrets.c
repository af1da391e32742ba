#define _GNU_SOURCE              /* memmem, explicit_bzero */
#include "secrets.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct slot slot;
struct slot {
  slot *next;
  const char *name;              /* stands behind the value, in the same block */
  dk_slot_use use;
  size_t length;                 /* of the value; 0 hides the parent's */
  char value[];
};

struct dk_secrets {
  dk_secrets *parent;
  int holds;
  slot *slots;
};

dk_secrets *dk_secrets_new (dk_secrets *parent) {
  dk_secrets *secrets = calloc(1, sizeof *secrets);
  if (secrets == NULL) return NULL;
  secrets->holds = 1;
  secrets->parent = parent;
  if (parent != NULL) parent->holds++;
  return secrets;
}

static void slot_free (slot *s) {
  explicit_bzero(s->value, s->length);
  free(s);
}

void dk_secrets_wipe (dk_secrets *secrets) {
  while (secrets->slots != NULL) {
    slot *s = secrets->slots;
    secrets->slots = s->next;
    slot_free(s);
  }
}

void dk_secrets_release (dk_secrets *secrets) {
  while (secrets != NULL && --secrets->holds == 0) {
    dk_secrets *parent = secrets->parent;
    dk_secrets_wipe(secrets);
    free(secrets);
    secrets = parent;
  }
}

void dk_secrets_clear (dk_secrets *secrets, const char *name) {
  for (slot **at = &secrets->slots; *at != NULL; at = &(*at)->next) {
    if (strcmp((*at)->name, name) == 0) {
      slot *gone = *at;
      *at = gone->next;
      slot_free(gone);
      return;
    }
  }
}

/* the slot that is seen under the name, or NULL where none is filled */
static const slot *find (const dk_secrets *secrets, const char *name, size_t length) {
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
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

dk_status dk_secrets_set (dk_secrets *secrets, const char *name, const char *value, size_t length, dk_slot_use use, dk_failure *failure) {
  if (use != DK_SLOT_BODY && !fits_header(value, length))
    return dk_fail(failure, DK_BAD_VALUE, "it has a line feed, another control character, or a blank at an end");
  slot *s = malloc(sizeof *s + length + strlen(name) + 1);
  if (s == NULL) return dk_fail(failure, DK_NO_MEMORY, "no memory");
  char *name_at = s->value + length;
  memcpy(s->value, value, length);
  strcpy(name_at, name);
  s->name = name_at;
  s->use = use;
  s->length = length;
  dk_secrets_clear(secrets, name);
  s->next = secrets->slots;
  secrets->slots = s;
  return DK_OK;
}

/* text up to the next '{slot}': *name and *name_length tell the slot; NULL name: none is left */
static size_t plain_part (const char *text, const char **name, size_t *name_length) {
  const char *open = strchr(text, '{');
  const char *close = open ? strchr(open, '}') : NULL;
  *name = close ? open + 1 : NULL;
  *name_length = close ? (size_t)(close - open - 1) : 0;
  return close ? (size_t)(open - text) : strlen(text);
}

static dk_status told (dk_status status, dk_failure *failure) {
  if (status == DK_OK) return DK_OK;
  return dk_fail(failure, status, "%s", status == DK_NO_MEMORY ? "no memory" : "it is longer than may be");
}

dk_status dk_secrets_line (const dk_secrets *secrets, const char *template, dk_buffer *out, dk_failure *failure) {
  bool optional = template[0] == '?';
  size_t start = out->length;
  dk_status status = DK_OK;
  const char *text = template + optional, *name;
  do {
    size_t name_length, plain = plain_part(text, &name, &name_length);
    status = dk_buffer_add(out, text, plain);
    if (name == NULL || status != DK_OK) break;
    const slot *s = find(secrets, name, name_length);
    if (s == NULL && optional) {
      dk_buffer_cut(out, start);
      return DK_OK;
    }
    if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%.*s", (int)name_length, name);
    if (s->use == DK_SLOT_BODY) return dk_fail(failure, DK_BAD_VALUE, "%s may not stand in a header", s->name);
    status = dk_buffer_add(out, s->value, s->length);
    text = name + name_length + 1;
  } while (status == DK_OK);
  if (status == DK_OK) status = dk_buffer_add(out, "", 1);
  return told(status, failure);
}

static dk_status add_quoted (dk_buffer *out, const char *value, size_t length) {
  dk_status status = DK_OK;
  for (size_t i = 0; i < length && status == DK_OK; i++) {
    unsigned char c = (unsigned char)value[i];
    if (c == '"' || c == '\\') {
      char pair[2] = {'\\', (char)c};
      status = dk_buffer_add(out, pair, 2);
    } else if (c < 0x20) {
      static const char hex[] = "0123456789abcdef";
      char escape[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};
      status = dk_buffer_add(out, escape, 6);
    } else {
      status = dk_buffer_add(out, value + i, 1);
    }
  }
  return status;
}

dk_status dk_secrets_field (const dk_secrets *secrets, const char *slot_name, dk_buffer *out, dk_failure *failure) {
  const slot *s = find(secrets, slot_name, strlen(slot_name));
  if (s == NULL) return dk_fail(failure, DK_EMPTY_SLOT, "%s", slot_name);
  out->length--;                                              /* the closing brace comes back below */
  dk_status status = out->bytes[out->length - 1] == '{' ? DK_OK : dk_buffer_add(out, ",", 1);
  if (status == DK_OK) status = dk_buffer_add(out, "\"", 1);
  if (status == DK_OK) status = dk_buffer_add(out, slot_name, strlen(slot_name));
  if (status == DK_OK) status = dk_buffer_add(out, "\":\"", 3);
  if (status == DK_OK) status = add_quoted(out, s->value, s->length);
  if (status == DK_OK) status = dk_buffer_add(out, "\"}", 2);
  return told(status, failure);
}

/* in place: every needle becomes "***", which is never longer than a needle worth hiding */
static size_t replace (char *text, size_t length, const char *needle, size_t needle_length) {
  enum { STARS = 3 };
  if (needle_length < STARS) return length;
  for (char *at = text; (at = memmem(at, length - (size_t)(at - text), needle, needle_length)) != NULL; at += STARS) {
    memset(at, '*', STARS);
    memmove(at + STARS, at + needle_length, length - (size_t)(at - text) - needle_length);
    length -= needle_length - STARS;
  }
  return length;
}

/* hides one value in out from start on, as it is and as JSON writes it */
static dk_status mask_value (const slot *s, dk_buffer *out, size_t start) {
  dk_buffer quoted;
  dk_buffer_init(&quoted, s->length * sizeof "\\u0000");
  dk_status status = add_quoted(&quoted, s->value, s->length);
  if (status == DK_OK) {
    size_t left = replace(out->bytes + start, out->length - start, quoted.bytes, quoted.length);
    dk_buffer_cut(out, start + replace(out->bytes + start, left, s->value, s->length));
  }
  dk_buffer_reset(&quoted);
  return status;
}

/* the longest value to hide that is shorter than below; 0: none */
static size_t longest (const dk_secrets *secrets, size_t below) {
  size_t length = 0;
  for (; secrets != NULL; secrets = secrets->parent) {
    for (const slot *s = secrets->slots; s != NULL; s = s->next) {
      if (s->use != DK_SLOT_SHOWN && s->length < below && s->length > length) length = s->length;
    }
  }
  return length;
}

/* longer values first, so that one that begins another leaves no rest of it to be seen */
dk_status dk_secrets_mask (const dk_secrets *secrets, const char *text, size_t length, dk_buffer *out) {
  size_t start = out->length;
  dk_status status = dk_buffer_add(out, text, length);
  for (size_t next = longest(secrets, SIZE_MAX); next > 0; next = longest(secrets, next)) {
    for (const dk_secrets *set = secrets; set != NULL; set = set->parent) {
      for (const slot *s = set->slots; s != NULL && status == DK_OK; s = s->next) {
        if (s->use != DK_SLOT_SHOWN && s->length == next) status = mask_value(s, out, start);
      }
    }
  }
  return status;
}
