/* ip_address.h - which IP addresses belong to the public network. */
#ifndef DK_ADDRESS_H
#define DK_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

typedef enum { DK_NO_ADDRESS, DK_PRIVATE_ADDRESS, DK_PUBLIC_ADDRESS } dk_address_kind;

/* text: an IPv4 or IPv6 address, with or without brackets, with or without a zone. DK_NO_ADDRESS: a name, or a spelling that
 * only a resolver takes ("127.1"): what such a one leads to is told by the address that a socket is opened for. */
dk_address_kind dk_address_of (const char *text);

/* The same for the address of a socket; DK_PRIVATE_ADDRESS for a family that is neither. text: its spelling. */
dk_address_kind dk_address_of_socket (const struct sockaddr *address, char text[64]);

#endif
