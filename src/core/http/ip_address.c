#include "http/ip_address.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { BYTES = 16, IPV4_AT = 12 };

typedef enum { PRIVATE, PUBLIC, CONTAINS_IPV4 } verdict;

/* the first row that matches counts; an IPv4 address is ::ffff:a.b.c.d */
static const struct { const char *prefix; int bits; verdict what; int ipv4_at; } rows[] = {
  {"::ffff:0.0.0.0", 96 + 8, PRIVATE, 0},             /* this network */
  {"::ffff:10.0.0.0", 96 + 8, PRIVATE, 0},
  {"::ffff:100.64.0.0", 96 + 10, PRIVATE, 0},         /* carriers' address translation */
  {"::ffff:127.0.0.0", 96 + 8, PRIVATE, 0},           /* loopback */
  {"::ffff:169.254.0.0", 96 + 16, PRIVATE, 0},        /* link-local; a cloud's metadata */
  {"::ffff:172.16.0.0", 96 + 12, PRIVATE, 0},
  {"::ffff:192.0.0.0", 96 + 24, PRIVATE, 0},          /* protocol assignments */
  {"::ffff:192.0.2.0", 96 + 24, PRIVATE, 0},          /* documentation */
  {"::ffff:192.88.99.0", 96 + 24, PRIVATE, 0},        /* relays of 6to4, deprecated */
  {"::ffff:192.168.0.0", 96 + 16, PRIVATE, 0},
  {"::ffff:198.18.0.0", 96 + 15, PRIVATE, 0},         /* benchmarks */
  {"::ffff:198.51.100.0", 96 + 24, PRIVATE, 0},       /* documentation */
  {"::ffff:203.0.113.0", 96 + 24, PRIVATE, 0},        /* documentation */
  {"::ffff:224.0.0.0", 96 + 3, PRIVATE, 0},           /* multicast, reserved, broadcast */
  {"::ffff:0.0.0.0", 96, PUBLIC, 0},
  {"::", 96, CONTAINS_IPV4, 12},                           /* IPv4-compatible; "::" and "::1" are 0.0.0.0 and 0.0.0.1 */
  {"64:ff9b::", 96, CONTAINS_IPV4, 12},                    /* NAT64 */
  {"2002::", 16, CONTAINS_IPV4, 2},                        /* 6to4 */
  {"2001::", 23, PRIVATE, 0},                         /* protocol assignments, with Teredo */
  {"2001:db8::", 32, PRIVATE, 0},                     /* documentation */
  {"3fff::", 20, PRIVATE, 0},                         /* documentation */
  {"2000::", 3, PUBLIC, 0},                           /* global unicast */
  {"::", 0, PRIVATE, 0},                              /* unique local, link-local, site-local, multicast, unassigned */
};

static bool matches (const uint8_t address[BYTES], const char *prefix, int bits) {
  uint8_t wanted[BYTES];
  int whole = bits / 8, rest = bits % 8;
  inet_pton(AF_INET6, prefix, wanted);
  return memcmp(address, wanted, (size_t)whole) == 0 && (rest == 0 || (address[whole] ^ wanted[whole]) >> (8 - rest) == 0);
}

static void set_ipv4 (uint8_t address[BYTES], const void *ipv4) {
  uint8_t copy[4];
  memcpy(copy, ipv4, sizeof copy);
  memset(address, 0, IPV4_AT - 2);
  memset(address + IPV4_AT - 2, 0xff, 2);
  memcpy(address + IPV4_AT, copy, sizeof copy);
}

static dk_ip_class classify (uint8_t address[BYTES]) {
  size_t i = 0;
  while (!matches(address, rows[i].prefix, rows[i].bits)) i++;
  if (rows[i].what != CONTAINS_IPV4) return rows[i].what == PUBLIC ? DK_IP_PUBLIC : DK_IP_PRIVATE;
  set_ipv4(address, address + rows[i].ipv4_at);
  return classify(address);
}

dk_ip_class dk_ip_classify (const char *text) {
  uint8_t address[BYTES];
  char bare[64];
  size_t skip = text[0] == '[', length = strcspn(text + skip, "]%");
  if (length >= sizeof bare || (skip == 1 && text[strlen(text) - 1] != ']')) return DK_IP_NONE;
  memcpy(bare, text + skip, length);
  bare[length] = '\0';
  if (inet_pton(AF_INET6, bare, address) == 1) return classify(address);
  if (inet_pton(AF_INET, bare, address) != 1) return DK_IP_NONE;
  set_ipv4(address, address);
  return classify(address);
}

dk_ip_class dk_ip_classify_socket (const struct sockaddr *address, char text[64]) {
  const void *bytes = address->sa_family == AF_INET ? (const void *)&((const struct sockaddr_in *)(const void *)address)->sin_addr
                                                    : (const void *)&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
  if (address->sa_family == AF_INET || address->sa_family == AF_INET6) {
    inet_ntop(address->sa_family, bytes, text, 64);
    return dk_ip_classify(text);
  }
  snprintf(text, 64, "of family %d", (int)address->sa_family);
  return DK_IP_PRIVATE;
}
