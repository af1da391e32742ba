#define _GNU_SOURCE              /* strdup */
#include "transfer/form.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "image/image_kind.h"
#include "os/file.h"

typedef struct part part;
struct part {
  part *next;
  dk_form *form;                 /* the form that owns this part */
  char *name;                    /* owned */
  char *filename;                /* owned; escaped base name; NULL: a text field */
  const char *type;              /* static; NULL: a text field */
  int fd;                        /* -1: the content is bytes */
  const char *bytes;             /* the content, borrowed or in text; NULL: a file */
  char *text;                    /* owned; the copy of a text field */
  size_t length;
  size_t offset;                 /* bytes read so far */
};

enum { SMALL_PIECES = 256 * 1024 };                   /* first bytes, sent in small pieces: a server may refuse the request by its headers */

struct dk_form {
  part *first, **end;            /* owned; end: where the next part is linked */
  bool (*must_pause) (void *arg, size_t sent);        /* or NULL */
  void *pause_arg;               /* borrowed */
  size_t sent;                   /* bytes given to libcurl */
  char error[512];               /* of reading a file; "": none */
};

dk_form *dk_form_new (void) {
  dk_form *form = (dk_form *)calloc(1, sizeof *form);
  if (form != NULL) form->end = &form->first;
  return form;
}

static void free_part (part *p) {
  if (p->fd >= 0) dk_file_close(p->fd);
  free(p->name);
  free(p->filename);
  free(p->text);
  free(p);
}

void dk_form_free (dk_form *form) {
  if (form == NULL) return;
  while (form->first != NULL) {
    part *p = form->first;
    form->first = p->next;
    free_part(p);
  }
  free(form);
}

static const char *base_name (const char *path) { return path + dk_file_folder_length(path); }

/* escapes '"', CR and LF as browsers do, for every libcurl (7.80 wrote backslashes): they would end the header's value */
static char *escape_filename (const char *name) {
  char *out = (char *)malloc(strlen(name) * 3 + 1), *at = out;
  if (out == NULL) return NULL;
  for (; *name != '\0'; name++) {
    if (*name == '"' || *name == '\r' || *name == '\n') at += sprintf(at, "%%%02X", (unsigned char)*name);
    else *at++ = *name;
  }
  *at = '\0';
  return out;
}

static part *new_part (dk_form *form, const char *name, const char *filename) {
  part *p = (part *)calloc(1, sizeof *p);
  if (p == NULL) return NULL;
  p->form = form;
  p->fd = -1;
  p->name = strdup(name);
  p->filename = filename ? escape_filename(base_name(filename)) : NULL;
  if (p->name != NULL && (filename == NULL || p->filename != NULL)) return p;
  free_part(p);
  return NULL;
}

static dk_status no_memory (dk_failure *failure) { return dk_fail(failure, DK_NO_MEMORY, "no memory"); }

static void append (dk_form *form, part *p) {
  *form->end = p;
  form->end = &p->next;
}

/* checks the image's size and its first bytes */
static dk_status check_image (part *p, const char *label, const char *start, size_t start_length, size_t max_bytes, dk_failure *failure) {
  if (p->length == 0) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is empty", label);
  if (p->length > max_bytes) return dk_fail(failure, DK_IMAGE_TOO_LARGE, DK_PATH_FORMAT ": it has %zu bytes; the limit is %zu", label, p->length, max_bytes);
  p->type = dk_image_content_type(start, start_length);
  if (p->type == NULL) return dk_fail(failure, DK_NOT_AN_IMAGE, DK_PATH_FORMAT ": it is not a JPEG, PNG or WebP image by its first bytes", label);
  return DK_OK;
}

static dk_status open_file (part *p, const char *path, size_t max_bytes, dk_failure *failure) {
  dk_file_info info;
  char start[DK_IMAGE_SIGNATURE];
  p->fd = dk_file_open(path, true, &info);
  if (p->fd < 0) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", path, strerror(errno));
  if (info.kind == DK_KIND_FOLDER) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is a folder, not a file", path);
  if (info.kind != DK_KIND_REGULAR) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": it is not a regular file", path);
  ptrdiff_t n = dk_file_read_at(p->fd, start, sizeof start, 0);
  if (n < 0) return dk_fail(failure, DK_FILE, DK_PATH_FORMAT ": %s", path, strerror(errno));
  p->length = (size_t)info.size;
  return check_image(p, path, start, (size_t)n, max_bytes, failure);
}

dk_status dk_form_add_file (dk_form *form, const char *name, const char *path, size_t max_bytes, dk_failure *failure) {
  part *p = new_part(form, name, path);
  if (p == NULL) return no_memory(failure);
  dk_status status = open_file(p, path, max_bytes, failure);
  if (status == DK_OK) append(form, p);
  else free_part(p);
  return status;
}

dk_status dk_form_add_bytes (dk_form *form, const char *name, const char *filename, const void *bytes, size_t length, size_t max_bytes, dk_failure *failure) {
  part *p = new_part(form, name, filename);
  if (p == NULL) return no_memory(failure);
  p->bytes = (const char *)bytes;
  p->length = length;
  dk_status status = check_image(p, filename, p->bytes, length, max_bytes, failure);
  if (status == DK_OK) append(form, p);
  else free_part(p);
  return status;
}

dk_status dk_form_add_text (dk_form *form, const char *name, const char *text, size_t length, dk_failure *failure) {
  part *p = new_part(form, name, NULL);
  if (p == NULL) return no_memory(failure);
  p->text = (char *)malloc(length + 1);
  if (p->text == NULL) {
    free_part(p);
    return no_memory(failure);
  }
  memcpy(p->text, text, length);
  p->bytes = p->text;
  p->length = length;
  append(form, p);
  return DK_OK;
}

const char *dk_form_error (const dk_form *form) { return form->error[0] ? form->error : NULL; }

/* Checks for a response after the read, just before the bytes are sent: the shorter that time, the less can arrive in it. */
static size_t on_read (char *out, size_t one, size_t count, void *arg) {
  part *p = (part *)arg;
  dk_form *form = p->form;
  size_t room = one * count, left = p->length - p->offset;
  if (left == 0) return 0;
  if (room > left) room = left;
  if (room > DK_FORM_PIECE && form->sent < SMALL_PIECES) room = DK_FORM_PIECE;
  ptrdiff_t n = p->fd < 0 ? (ptrdiff_t)room : dk_file_read_at(p->fd, out, room, p->offset);
  if (n > 0) {
    if (p->fd < 0) memcpy(out, p->bytes + p->offset, room);
    if (form->must_pause != NULL && form->must_pause(form->pause_arg, form->sent)) return CURL_READFUNC_PAUSE;
    p->offset += (size_t)n;
    form->sent += (size_t)n;
    return (size_t)n;
  }
  snprintf(p->form->error, sizeof p->form->error, DK_PATH_FORMAT ": %s", p->filename, n < 0 ? strerror(errno) : "it became shorter while it was sent");
  return CURL_READFUNC_ABORT;
}

void dk_form_set_pause_check (dk_form *form, bool (*must_pause) (void *arg, size_t sent), void *arg) {
  form->must_pause = must_pause;
  form->pause_arg = arg;
}

static int on_seek (void *arg, curl_off_t offset, int origin) {
  part *p = (part *)arg;
  if (origin != SEEK_SET || offset < 0 || (size_t)offset > p->length) return CURL_SEEKFUNC_CANTSEEK;
  p->offset = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

static CURLcode add_part (curl_mime *mime, part *p) {
  curl_mimepart *to = curl_mime_addpart(mime);
  if (to == NULL) return CURLE_OUT_OF_MEMORY;
  p->offset = 0;
  CURLcode code = curl_mime_name(to, p->name);
  if (code == CURLE_OK && p->filename != NULL) code = curl_mime_filename(to, p->filename);
  if (code == CURLE_OK && p->type != NULL) code = curl_mime_type(to, p->type);
  if (code == CURLE_OK) code = curl_mime_data_cb(to, (curl_off_t)p->length, on_read, on_seek, NULL, p);
  return code;
}

curl_mime *dk_form_build (dk_form *form, CURL *easy) {
  curl_mime *mime = curl_mime_init(easy);
  for (part *p = form->first; mime != NULL && p != NULL; p = p->next) {
    if (add_part(mime, p) != CURLE_OK) {
      curl_mime_free(mime);
      mime = NULL;
    }
  }
  return mime;
}
