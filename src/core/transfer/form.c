#define _GNU_SOURCE              /* O_CLOEXEC, pread */
#include "transfer/form.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "image/image_kind.h"

typedef struct part part;
struct part {
  part *next;
  dk_form *form;
  char *name;
  char *filename;                /* escaped base name; NULL: a text field */
  const char *type;              /* static; NULL: a text field */
  int fd;                        /* -1: the content is bytes */
  const char *bytes;
  char *own;                     /* a text field's copy of bytes */
  size_t length;
  size_t at;                     /* how far it is read */
};

enum { EARLY = 256 * 1024 };     /* bytes of a form that go out in small pieces: a server refuses it by its head */

struct dk_form {
  part *first, **end;
  bool (*must_wait) (void *, size_t);
  void *wait_arg;
  size_t given;                  /* bytes to libcurl */
  char trouble[512];
};

dk_form *dk_form_new (void) {
  dk_form *form = calloc(1, sizeof *form);
  if (form != NULL) form->end = &form->first;
  return form;
}

static void part_free (part *p) {
  if (p->fd >= 0) close(p->fd);
  free(p->name);
  free(p->filename);
  free(p->own);
  free(p);
}

void dk_form_free (dk_form *form) {
  if (form == NULL) return;
  while (form->first != NULL) {
    part *p = form->first;
    form->first = p->next;
    part_free(p);
  }
  free(form);
}

static const char *base_name (const char *path) {
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

/* '"', CR and LF would end the header's value early; written as browsers write them, on every libcurl (7.80 wrote backslashes) */
static char *escaped (const char *name) {
  char *out = malloc(strlen(name) * 3 + 1), *at = out;
  if (out == NULL) return NULL;
  for (; *name != '\0'; name++) {
    if (*name == '"' || *name == '\r' || *name == '\n') at += sprintf(at, "%%%02X", (unsigned char)*name);
    else *at++ = *name;
  }
  *at = '\0';
  return out;
}

static part *part_new (dk_form *form, const char *name, const char *filename) {
  part *p = calloc(1, sizeof *p);
  if (p == NULL) return NULL;
  p->form = form;
  p->fd = -1;
  p->name = strdup(name);
  p->filename = filename ? escaped(base_name(filename)) : NULL;
  if (p->name != NULL && (filename == NULL || p->filename != NULL)) return p;
  part_free(p);
  return NULL;
}

static dk_status no_memory (dk_failure *failure) { return dk_fail(failure, DK_NO_MEMORY, "no memory"); }

static void append (dk_form *form, part *p) {
  *form->end = p;
  form->end = &p->next;
}

/* size and first bytes decide whether the image goes out */
static dk_status judge (part *p, const char *label, const char *head, size_t head_length, size_t max_bytes, dk_failure *failure) {
  if (p->length == 0) return dk_fail(failure, DK_FILE, DK_PATH ": it is empty", label);
  if (p->length > max_bytes) return dk_fail(failure, DK_TOO_LARGE, DK_PATH ": it has %zu bytes, more than the %zu that are taken", label, p->length, max_bytes);
  p->type = dk_image_type(head, head_length);
  if (p->type == NULL) return dk_fail(failure, DK_NO_IMAGE, DK_PATH ": it is no JPEG, PNG or WebP picture by its first bytes", label);
  return DK_OK;
}

static dk_status open_file (part *p, const char *path, size_t max_bytes, dk_failure *failure) {
  struct stat st;
  char head[DK_IMAGE_HEAD];
  p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);      /* O_NONBLOCK: a pipe without a writer must not hang us */
  if (p->fd < 0 || fstat(p->fd, &st) != 0) return dk_fail(failure, DK_FILE, DK_PATH ": %s", path, strerror(errno));
  if (S_ISDIR(st.st_mode)) return dk_fail(failure, DK_FILE, DK_PATH ": it is a folder, not a file", path);
  if (!S_ISREG(st.st_mode)) return dk_fail(failure, DK_FILE, DK_PATH ": it is no regular file", path);
  ssize_t n = pread(p->fd, head, sizeof head, 0);
  if (n < 0) return dk_fail(failure, DK_FILE, DK_PATH ": %s", path, strerror(errno));
  p->length = (size_t)st.st_size;
  return judge(p, path, head, (size_t)n, max_bytes, failure);
}

dk_status dk_form_add_file (dk_form *form, const char *name, const char *path, size_t max_bytes, dk_failure *failure) {
  part *p = part_new(form, name, path);
  if (p == NULL) return no_memory(failure);
  dk_status status = open_file(p, path, max_bytes, failure);
  if (status == DK_OK) append(form, p);
  else part_free(p);
  return status;
}

dk_status dk_form_add_bytes (dk_form *form, const char *name, const char *filename, const void *bytes, size_t length, size_t max_bytes, dk_failure *failure) {
  part *p = part_new(form, name, filename);
  if (p == NULL) return no_memory(failure);
  p->bytes = bytes;
  p->length = length;
  dk_status status = judge(p, filename, bytes, length, max_bytes, failure);
  if (status == DK_OK) append(form, p);
  else part_free(p);
  return status;
}

dk_status dk_form_add_text (dk_form *form, const char *name, const char *text, size_t length, dk_failure *failure) {
  part *p = part_new(form, name, NULL);
  if (p == NULL) return no_memory(failure);
  p->own = malloc(length + 1);
  if (p->own == NULL) {
    part_free(p);
    return no_memory(failure);
  }
  memcpy(p->own, text, length);
  p->bytes = p->own;
  p->length = length;
  append(form, p);
  return DK_OK;
}

const char *dk_form_trouble (const dk_form *form) { return form->trouble[0] ? form->trouble : NULL; }

/* The response is looked for after the bytes are read: the less time until they are sent, the less can come in between. */
static size_t on_read (char *out, size_t one, size_t count, void *arg) {
  part *p = arg;
  dk_form *form = p->form;
  size_t room = one * count, left = p->length - p->at;
  if (left == 0) return 0;
  if (room > left) room = left;
  if (room > DK_FORM_PIECE && form->given < EARLY) room = DK_FORM_PIECE;
  ssize_t n = p->fd < 0 ? (ssize_t)room : pread(p->fd, out, room, (off_t)p->at);
  if (n > 0) {
    if (p->fd < 0) memcpy(out, p->bytes + p->at, room);
    if (form->must_wait != NULL && form->must_wait(form->wait_arg, form->given)) return CURL_READFUNC_PAUSE;
    p->at += (size_t)n;
    form->given += (size_t)n;
    return (size_t)n;
  }
  snprintf(p->form->trouble, sizeof p->form->trouble, DK_PATH ": %s", p->filename, n < 0 ? strerror(errno) : "it became shorter while it was sent");
  return CURL_READFUNC_ABORT;
}

void dk_form_watch (dk_form *form, bool (*must_wait) (void *arg, size_t given), void *arg) {
  form->must_wait = must_wait;
  form->wait_arg = arg;
}

static int on_seek (void *arg, curl_off_t offset, int origin) {
  part *p = arg;
  if (origin != SEEK_SET || offset < 0 || (size_t)offset > p->length) return CURL_SEEKFUNC_CANTSEEK;
  p->at = (size_t)offset;
  return CURL_SEEKFUNC_OK;
}

static CURLcode add_part (curl_mime *mime, part *p) {
  curl_mimepart *to = curl_mime_addpart(mime);
  if (to == NULL) return CURLE_OUT_OF_MEMORY;
  p->at = 0;
  CURLcode code = curl_mime_name(to, p->name);
  if (code == CURLE_OK && p->filename != NULL) code = curl_mime_filename(to, p->filename);
  if (code == CURLE_OK && p->type != NULL) code = curl_mime_type(to, p->type);
  if (code == CURLE_OK) code = curl_mime_data_cb(to, (curl_off_t)p->length, on_read, on_seek, NULL, p);
  return code;
}

curl_mime *dk_form_mime (dk_form *form, CURL *easy) {
  curl_mime *mime = curl_mime_init(easy);
  for (part *p = form->first; mime != NULL && p != NULL; p = p->next) {
    if (add_part(mime, p) != CURLE_OK) {
      curl_mime_free(mime);
      mime = NULL;
    }
  }
  return mime;
}
