/* form.h - a multipart/form-data body: images from files or memory, and text fields; streamed, with a known length. */
#ifndef DK_FORM_H
#define DK_FORM_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/status.h"

enum { DK_FORM_PIECE = 16 * 1024 };                  /* bytes of the first pieces; TLS sends as many in one system call */

typedef struct dk_form dk_form;

/* An empty form; the caller owns it until dk_form_free, or until a transfer takes it over. NULL: no memory. */
dk_form *dk_form_new (void);

/* Closes the files and frees it. NULL is allowed. */
void dk_form_free (dk_form *form);

/* Adds the image in the file at path, under its base name. Opens, measures and checks the file now, and keeps it open, so a later
 * rename or removal does not matter.
 * part, path: copied. max_bytes: the largest size.
 * Errors: DK_FILE (missing, not readable, a folder, empty), DK_NOT_AN_IMAGE, DK_IMAGE_TOO_LARGE, DK_NO_MEMORY. */
dk_status dk_form_add_file (dk_form *form, const char *part, const char *path, size_t max_bytes, dk_failure *failure);

/* Adds an image from memory. bytes: borrowed until the form is freed. part: copied. filename: its base name is copied. Errors: DK_FILE (empty), DK_NOT_AN_IMAGE, DK_IMAGE_TOO_LARGE, DK_NO_MEMORY. */
dk_status dk_form_add_bytes (dk_form *form, const char *part, const char *filename, const void *bytes, size_t length, size_t max_bytes, dk_failure *failure);

/* Adds a text field, without a file name. part, text: copied. Errors: DK_NO_MEMORY. */
dk_status dk_form_add_text (dk_form *form, const char *part, const char *text, size_t length, dk_failure *failure);

/* Why a file could not be read during the upload ("name: reason"), or NULL; valid until the form is freed. */
const char *dk_form_error (const dk_form *form);

/* Makes the body for easy; the caller frees it with curl_mime_free, before the form. NULL: no memory. */
curl_mime *dk_form_build (dk_form *form, CURL *easy);

/* Sets a function that is called, in a libcurl callback, before each piece is sent. sent: bytes given to libcurl before. True: the
 * upload pauses, because an early response may be there to read. arg: borrowed, until the body is freed. */
void dk_form_set_pause_check (dk_form *form, bool (*must_pause) (void *arg, size_t sent), void *arg);

#endif
