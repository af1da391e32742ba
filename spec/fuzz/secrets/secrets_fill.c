/* secrets_fill.c - a header line with a slot's value is still one line, and a JSON field with it is still one field.
 * Input: template, the slot's value, another slot's value; NULs between them. */
#define _DEFAULT_SOURCE          /* stpcpy, stpncpy */
#include <stdbool.h>

#include "secrets/secrets.h"
#include "support/fuzz.h"

static bool has_control (const char *text) {
  for (; *text != '\0'; text++) {
    if ((unsigned char)*text < 0x20 || *text == 0x7F) return true;
  }
  return false;
}

/* the line of a template, by a simple implementation: "a" and "b" are the slots; NULL: a slot is empty or unknown */
static char *expand (const char *text, const char *a, const char *b) {
  char *out = calloc(1, strlen(text) * (strlen(a) + strlen(b) + 1) + 1), *to = out;
  for (const char *open; (open = strchr(text, '{')) != NULL && strchr(open, '}') != NULL; text = strchr(open, '}') + 1) {
    const char *value = strncmp(open, "{a}", 3) == 0 ? a : strncmp(open, "{b}", 3) == 0 ? b : "";
    if (*value == '\0') {
      free(out);
      return NULL;
    }
    to = stpcpy(stpncpy(to, text, (size_t)(open - text)), value);
  }
  strcpy(to, text);
  return out;
}

static void check_line (const dk_secrets *secrets, const char *template, const char *a, const char *b) {
  static const char before[] = "Before: 1";          /* with its NUL: lines follow each other */
  dk_failure failure = {DK_OK, ""};
  dk_buffer out;
  dk_buffer_init(&out, 1 << 20);
  HOLDS(dk_buffer_add(&out, before, sizeof before) == DK_OK);
  bool optional = template[0] == '?';
  char *right = expand(template + optional, a, b);
  dk_status status = dk_secrets_fill_header(secrets, template, &out, &failure);
  const char *line = out.bytes + sizeof before;
  HOLDS(memcmp(out.bytes, before, sizeof before) == 0);
  HOLDS(status == (right || optional ? DK_OK : DK_EMPTY_SLOT));
  if (status == DK_OK && right == NULL) HOLDS(out.length == sizeof before);
  if (status == DK_OK && right != NULL) {
    HOLDS(out.length == sizeof before + strlen(right) + 1 && strcmp(line, right) == 0);
    HOLDS(has_control(template) || !has_control(line));
  }
  free(right);
  dk_buffer_reset(&out);
}

static unsigned hex (char digit) { return (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10); }

/* reads a JSON string up to its closing quote; fails if it is not strict JSON */
static size_t read_json (const char *at, char *out) {
  char *to = out;
  for (; *at != '"'; at++) {
    HOLDS((unsigned char)*at >= 0x20);               /* also the closing NUL */
    if (*at != '\\') *to++ = *at;
    else if (*++at == '"' || *at == '\\') *to++ = *at;
    else {
      HOLDS(at[0] == 'u' && at[1] == '0' && at[2] == '0' && strspn(at + 3, "0123456789abcdef") >= 2);
      *to++ = (char)(hex(at[3]) << 4 | hex(at[4]));
      at += 4;
    }
  }
  HOLDS(strcmp(at, "\"}") == 0);
  return (size_t)(to - out);
}

static void check_field (const dk_secrets *secrets, const char *value, size_t length) {
  static const char *const before[] = {"{}", "{\"c\":1}"}, *const after[] = {"{\"body\":\"", "{\"c\":1,\"body\":\""};
  char *read = malloc(length + 1);
  for (int i = 0; i < 2; i++) {
    dk_failure failure = {DK_OK, ""};
    dk_buffer out;
    dk_buffer_init(&out, 1 << 20);
    HOLDS(dk_buffer_add(&out, before[i], strlen(before[i])) == DK_OK);
    HOLDS(dk_secrets_add_json_field(secrets, "body", &out, &failure) == (length ? DK_OK : DK_EMPTY_SLOT));
    HOLDS(strlen(out.bytes) == out.length);
    if (length > 0) {
      HOLDS(strncmp(out.bytes, after[i], strlen(after[i])) == 0);
      HOLDS(read_json(out.bytes + strlen(after[i]), read) == length && memcmp(read, value, length) == 0);
    }
    dk_buffer_reset(&out);
  }
  free(read);
}

/* sets the slot; "": the value is refused, and must be invalid */
static const char *set (dk_secrets *secrets, const char *name, const char *value) {
  dk_failure failure = {DK_OK, ""};
  dk_status status = dk_secrets_set(secrets, name, value, strlen(value), DK_SLOT_HEADER, &failure);
  bool blank = value[0] != '\0' && (strchr(" \t", value[0]) != NULL || strchr(" \t", value[strlen(value) - 1]) != NULL);
  HOLDS(status == (blank || has_control(value) ? DK_BAD_VALUE : DK_OK));
  return status == DK_OK ? value : "";
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  fuzz_input input = fuzz_open(data, size);
  dk_failure failure = {DK_OK, ""};
  dk_secrets *parent = dk_secrets_new(NULL), *secrets = dk_secrets_new(parent);
  char *template = fuzz_text(&input), *a = fuzz_text(&input), *b = fuzz_text(&input);
  size_t length = input.left;
  char *body = fuzz_bytes(&input, length);
  const char *seen_a = set(parent, "a", a), *seen_b = set(secrets, "b", b);
  check_line(secrets, template, seen_a, seen_b);
  HOLDS(dk_secrets_set(secrets, "body", body, length, DK_SLOT_BODY, &failure) == DK_OK);
  check_field(secrets, body, length);
  dk_secrets_release(secrets);
  dk_secrets_release(parent);
  free(template);
  free(a);
  free(b);
  free(body);
  return 0;
}
