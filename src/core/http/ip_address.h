/* ip_address.h - tells public IP addresses from private ones. */
#ifndef DK_ADDRESS_H
#define DK_ADDRESS_H

#include <stdbool.h>

#include "os/network.h"

typedef enum { DK_IP_NONE, DK_IP_PRIVATE, DK_IP_PUBLIC } dk_ip_class;      /* DK_IP_NONE: not an address */

/* text: an IPv4 or IPv6 address, with or without brackets, with or without a zone. A name is DK_IP_NONE, and so is a spelling that
 * only a resolver accepts ("127.1"); check the address of the socket for both. */
dk_ip_class dk_ip_classify (const char *text);

/* The same for the address of a socket; DK_IP_PRIVATE: neither IPv4 nor IPv6. text: receives the address as text. */
dk_ip_class dk_ip_classify_socket (const struct sockaddr *address, char text[64]);

#endif
