/* form.h - the body of a multipart/form-data request: images from files or bytes, and text fields; streamed, its length known. */
#ifndef DK_FORM_H
#define DK_FORM_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { DK_FORM_PIECE = 16 * 1024 };                  /* bytes of the first pieces; what TLS sends by one system call */

typedef struct dk_form dk_form;

/* An empty form. NULL: no memory. The caller's, until dk_form_free or a transfer takes it. */
dk_form *dk_form_new (void);

/* Closes the files. NULL is fine. */
void dk_form_free (dk_form *form);

/* Adds the image in the file at path, under its base name. The file is opened, measured and looked at here, and stays open:
 * what is done to the name afterwards does not matter.
 * part, path: copied. max_bytes: the largest size that passes.
 * Errors: DK_FILE (missing, unreadable, a folder, empty), DK_NO_IMAGE, DK_TOO_LARGE, DK_NO_MEMORY. */
dk_status dk_form_add_file (dk_form *form, const char *part, const char *path, size_t max_bytes, dk_failure *failure);

/* Adds an image from memory. bytes: borrowed; must stay until the form is freed. part, filename: copied (of filename the
 * base name). Errors: DK_FILE (empty), DK_NO_IMAGE, DK_TOO_LARGE, DK_NO_MEMORY. */
dk_status dk_form_add_bytes (dk_form *form, const char *part, const char *filename, const void *bytes, size_t length, size_t max_bytes, dk_failure *failure);

/* Adds a text field, without a file name. part, text: copied. Errors: DK_NO_MEMORY. */
dk_status dk_form_add_text (dk_form *form, const char *part, const char *text, size_t length, dk_failure *failure);

/* Why reading one of the files failed while it was sent ("name: reason"), or NULL. */
const char *dk_form_trouble (const dk_form *form);

/* Makes the body for easy; freed by the caller with curl_mime_free, before the form. NULL: no memory. */
curl_mime *dk_form_mime (dk_form *form, CURL *easy);

/* must_wait(arg, given) is asked before each piece goes out, in a callback of libcurl's; given: bytes that went out before.
 * True: the upload pauses, since there is or may soon be an early response to read. */
void dk_form_watch (dk_form *form, bool (*must_wait) (void *arg, size_t given), void *arg);

#endif
