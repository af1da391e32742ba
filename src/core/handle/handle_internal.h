/* handle_internal.h - the fields of dk_handle, for the files that implement it. */
#ifndef DK_HANDLE_INTERNAL_H
#define DK_HANDLE_INTERNAL_H

#include "handle/handle.h"
#include "handle/handle_options.h"

/* An upload that pauses to read an early response. */
typedef struct {
  bool paused;                   /* until libcurl asks for the next piece */
  int count;                     /* pauses since a piece went out */
  double grace_ends;             /* on the monotonic clock; 0: the first piece is not out */
  char tail[7];                  /* the last raw bytes of the response, chunk sizes included */
} dk_upload_pause;

struct dk_handle {
  CURL *easy;                    /* owned */
  dk_xfer *xfer;                 /* borrowed from prepare to finish; NULL: the handle is free */
  dk_handle_options options;     /* what is set on easy */
  CURLU *parsed_url;             /* owned; kept, since parsing a URL is 15 % of a call's instructions */
  char *url;                     /* owned; what parsed_url was parsed from; NULL: nothing */
  curl_mime *mime;               /* owned; the body of the transfer's form, or NULL */
  bool public_only;              /* each address is checked when a socket opens */
  char refused_address[64];      /* the last address that was not public; "": none */
  curl_socket_t socket;          /* the last one opened; libcurl's; CURL_SOCKET_BAD: none */
  dk_upload_pause upload;
  char error[CURL_ERROR_SIZE];   /* libcurl's text */
};

/* Sets an option that is the same for every transfer, and without which none may start. */
#define DK_REQUIRE(handle, option, value) \
  dk_handle_options_note(&(handle)->options, curl_easy_setopt((handle)->easy, option, value), #option)

static inline dk_status dk_no_memory (dk_failure *failure) { return dk_fail(failure, DK_NO_MEMORY, "no memory"); }

#endif
