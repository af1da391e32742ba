/* ip_address.c - an address of the C library is an address, has one class in every spelling, and is private if the C library says so.
 * Input: four or sixteen bytes of an address, or its text. */
#define _DEFAULT_SOURCE          /* for <netinet/in.h> and inet_pton */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "http/ip_address.h"
#include "support/fuzz.h"

static dk_ip_class kind_of (const char *before, const char *text, const char *behind) {
  char spelling[128];
  snprintf(spelling, sizeof spelling, "%s%s%s", before, text, behind);
  return dk_ip_classify(spelling);
}

static void check_ipv4 (const struct in_addr *address) {
  uint32_t a = ntohl(address->s_addr);
  struct sockaddr_in socket = {.sin_family = AF_INET, .sin_addr = *address};
  char text[64], six[64];
  dk_ip_class kind = dk_ip_classify_socket((const struct sockaddr *)(const void *)&socket, text);
  HOLDS(kind != DK_IP_NONE && dk_ip_classify(text) == kind);
  HOLDS(kind_of("::ffff:", text, "") == kind && kind_of("[::FFFF:", text, "]") == kind && kind_of("64:ff9b::", text, "") == kind);
  snprintf(six, sizeof six, "2002:%x:%x::1", a >> 16, a & 0xFFFF);
  HOLDS(dk_ip_classify(six) == kind);
  if (a >> 24 == 127 || a >> 24 == 10 || a >> 24 == 0 || a >> 20 == 0xAC1 || a >> 16 == 0xC0A8 || a >> 16 == 0xA9FE || IN_MULTICAST(a) || IN_BADCLASS(a))
    HOLDS(kind == DK_IP_PRIVATE);
}

static void check_ipv6 (const struct in6_addr *address) {
  struct sockaddr_in6 socket = {.sin6_family = AF_INET6, .sin6_addr = *address};
  char text[64];
  dk_ip_class kind = dk_ip_classify_socket((const struct sockaddr *)(const void *)&socket, text);
  HOLDS(kind != DK_IP_NONE && dk_ip_classify(text) == kind && kind_of("[", text, "]") == kind && kind_of("", text, "%1") == kind);
  if (IN6_IS_ADDR_LOOPBACK(address) || IN6_IS_ADDR_UNSPECIFIED(address) || IN6_IS_ADDR_LINKLOCAL(address) || IN6_IS_ADDR_SITELOCAL(address) ||
      IN6_IS_ADDR_MULTICAST(address) || (address->s6_addr[0] & 0xFE) == 0xFC)
    HOLDS(kind == DK_IP_PRIVATE);
}

static void check_text (const char *text) {
  struct in_addr four;
  struct in6_addr six;
  dk_ip_class kind = dk_ip_classify(text);
  if (inet_pton(AF_INET, text, &four) == 1) {
    check_ipv4(&four);
    HOLDS(kind != DK_IP_NONE);
  } else if (inet_pton(AF_INET6, text, &six) == 1) {
    check_ipv6(&six);
    HOLDS(kind != DK_IP_NONE && kind_of("[", text, "]") == kind);
  } else {
    HOLDS(kind == DK_IP_NONE || text[0] == '[' || strchr(text, '%') != NULL || strchr(text, ']') != NULL);
  }
}

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size) {
  struct in_addr four;
  struct in6_addr six;
  if (size == sizeof four) check_ipv4(memcpy(&four, data, sizeof four));
  if (size == sizeof six) check_ipv6(memcpy(&six, data, sizeof six));
  fuzz_input input = fuzz_open(data, size);
  char *text = fuzz_text(&input);
  check_text(text);
  free(text);
  return 0;
}
