#include "secrets/json_string.h"

bool dk_json_is_object (const char *text, size_t length) { return length >= 2 && text[0] == '{' && text[length - 1] == '}'; }

dk_status dk_json_escape (dk_buffer *out, const char *value, size_t length) {
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
