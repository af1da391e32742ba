#include "json_text.h"

#include <string.h>

bool dk_json_is_object (const char *text, size_t length) { return length >= 2 && text[0] == '{' && text[length - 1] == '}'; }

dk_status dk_json_add (dk_buffer *out, const char *value, size_t length) {
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

/* the four hexadecimal digits of a JSON escape; -1: they are none */
static long hex_of (const char *at, const char *end) {
  static const char digits[] = "0123456789abcdefABCDEF";
  long code = 0;
  for (int i = 0; i < 4; i++) {
    const char *digit = at + i < end && at[i] != '\0' ? strchr(digits, at[i]) : NULL;
    if (digit == NULL) return -1;
    code = code * 16 + (digit - digits > 15 ? digit - digits - 6 : digit - digits);
  }
  return code;
}

static size_t write_utf8 (long code, char bytes[4]) {
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = length; i-- > 1; code >>= 6) bytes[i] = (char)(0x80 | (code & 0x3F));
  bytes[0] = (char)(marks[length] | code);
  return length;
}

/* what JSON reads there, and moves on: a byte, or an escape's bytes */
static size_t read_escaped (const char **at, const char *end, char bytes[4]) {
  static const char letters[] = "bfnrt", controls[] = "\b\f\n\r\t";
  const char *text = *at;
  *at = text + 1;
  bytes[0] = *text;
  if (*text != '\\' || text + 1 == end) return 1;
  *at = text + 2;
  const char *letter = text[1] != '\0' ? strchr(letters, text[1]) : NULL;
  bytes[0] = letter ? controls[letter - letters] : text[1];
  long code = text[1] == 'u' ? hex_of(text + 2, end) : -1;
  if (code < 0) return 1;
  *at = text + 6;
  long low = code >> 10 == 0xD800 >> 10 && end - text >= 8 && text[6] == '\\' && text[7] == 'u' ? hex_of(text + 8, end) : -1;
  if (low >> 10 != 0xDC00 >> 10) return write_utf8(code, bytes);
  *at = text + 12;
  return write_utf8(0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00), bytes);
}

size_t dk_json_match (const char *value, size_t length, const char *text, const char *end) {
  const char *at = text;
  for (size_t i = 0; i < length;) {
    char bytes[4];
    if (at == end) return 0;
    size_t count = read_escaped(&at, end, bytes);
    if (count > length - i || memcmp(bytes, value + i, count) != 0) return 0;
    i += count;
  }
  return (size_t)(at - text);
}
