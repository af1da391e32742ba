/* ip_address_test.c - which addresses are public, and which texts are addresses at all. */
#define _DEFAULT_SOURCE          /* struct sockaddr_un's and inet_pton's headers */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "http/ip_address.h"
#include "support/check.h"

typedef struct { const char *text; dk_address_kind kind; } row;

static void check_rows (const row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!CHECK(dk_address_of(rows[i].text) == rows[i].kind)) fprintf(stderr, "  %s\n", rows[i].text);
  }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof rows / sizeof *rows)

/* each range by its first and last address, and their neighbours on the other side */
static void ipv4 (void) {
  static const row rows[] = {
    {"0.0.0.0", DK_PRIVATE_ADDRESS}, {"0.255.255.255", DK_PRIVATE_ADDRESS}, {"1.0.0.0", DK_PUBLIC_ADDRESS},
    {"9.255.255.255", DK_PUBLIC_ADDRESS}, {"10.0.0.0", DK_PRIVATE_ADDRESS}, {"10.255.255.255", DK_PRIVATE_ADDRESS}, {"11.0.0.0", DK_PUBLIC_ADDRESS},
    {"100.63.255.255", DK_PUBLIC_ADDRESS}, {"100.64.0.0", DK_PRIVATE_ADDRESS}, {"100.127.255.255", DK_PRIVATE_ADDRESS}, {"100.128.0.0", DK_PUBLIC_ADDRESS},
    {"126.255.255.255", DK_PUBLIC_ADDRESS}, {"127.0.0.0", DK_PRIVATE_ADDRESS}, {"127.0.0.1", DK_PRIVATE_ADDRESS}, {"127.255.255.255", DK_PRIVATE_ADDRESS}, {"128.0.0.0", DK_PUBLIC_ADDRESS},
    {"169.253.255.255", DK_PUBLIC_ADDRESS}, {"169.254.0.0", DK_PRIVATE_ADDRESS}, {"169.254.169.254", DK_PRIVATE_ADDRESS}, {"169.254.255.255", DK_PRIVATE_ADDRESS}, {"169.255.0.0", DK_PUBLIC_ADDRESS},
    {"172.15.255.255", DK_PUBLIC_ADDRESS}, {"172.16.0.0", DK_PRIVATE_ADDRESS}, {"172.31.255.255", DK_PRIVATE_ADDRESS}, {"172.32.0.0", DK_PUBLIC_ADDRESS},
    {"191.255.255.255", DK_PUBLIC_ADDRESS}, {"192.0.0.0", DK_PRIVATE_ADDRESS}, {"192.0.0.255", DK_PRIVATE_ADDRESS}, {"192.0.1.0", DK_PUBLIC_ADDRESS},
    {"192.0.2.0", DK_PRIVATE_ADDRESS}, {"192.0.2.255", DK_PRIVATE_ADDRESS}, {"192.0.3.0", DK_PUBLIC_ADDRESS},
    {"192.88.98.255", DK_PUBLIC_ADDRESS}, {"192.88.99.1", DK_PRIVATE_ADDRESS}, {"192.88.100.0", DK_PUBLIC_ADDRESS},
    {"192.167.255.255", DK_PUBLIC_ADDRESS}, {"192.168.0.0", DK_PRIVATE_ADDRESS}, {"192.168.255.255", DK_PRIVATE_ADDRESS}, {"192.169.0.0", DK_PUBLIC_ADDRESS},
    {"198.17.255.255", DK_PUBLIC_ADDRESS}, {"198.18.0.0", DK_PRIVATE_ADDRESS}, {"198.19.255.255", DK_PRIVATE_ADDRESS}, {"198.20.0.0", DK_PUBLIC_ADDRESS},
    {"198.51.99.255", DK_PUBLIC_ADDRESS}, {"198.51.100.0", DK_PRIVATE_ADDRESS}, {"198.51.100.255", DK_PRIVATE_ADDRESS}, {"198.51.101.0", DK_PUBLIC_ADDRESS},
    {"203.0.112.255", DK_PUBLIC_ADDRESS}, {"203.0.113.0", DK_PRIVATE_ADDRESS}, {"203.0.113.255", DK_PRIVATE_ADDRESS}, {"203.0.114.0", DK_PUBLIC_ADDRESS},
    {"223.255.255.255", DK_PUBLIC_ADDRESS}, {"224.0.0.0", DK_PRIVATE_ADDRESS}, {"239.255.255.255", DK_PRIVATE_ADDRESS}, {"240.0.0.0", DK_PRIVATE_ADDRESS}, {"255.255.255.255", DK_PRIVATE_ADDRESS},
    {"8.8.8.8", DK_PUBLIC_ADDRESS},
  };
  CHECK_ROWS(rows);
}

static void ipv6 (void) {
  static const row rows[] = {
    {"::", DK_PRIVATE_ADDRESS}, {"::1", DK_PRIVATE_ADDRESS}, {"0:0:0:0:0:0:0:1", DK_PRIVATE_ADDRESS}, {"::2", DK_PRIVATE_ADDRESS},
    {"fc00::", DK_PRIVATE_ADDRESS}, {"fd00:ec2::254", DK_PRIVATE_ADDRESS}, {"fdff:ffff::1", DK_PRIVATE_ADDRESS},
    {"fe80::1", DK_PRIVATE_ADDRESS}, {"febf::1", DK_PRIVATE_ADDRESS}, {"fec0::1", DK_PRIVATE_ADDRESS}, {"feff::1", DK_PRIVATE_ADDRESS},
    {"ff00::", DK_PRIVATE_ADDRESS}, {"ff02::1", DK_PRIVATE_ADDRESS}, {"ffff::", DK_PRIVATE_ADDRESS},
    {"2001:db8::", DK_PRIVATE_ADDRESS}, {"2001:db8:ffff::1", DK_PRIVATE_ADDRESS}, {"2001:db7::1", DK_PUBLIC_ADDRESS}, {"2001:db9::1", DK_PUBLIC_ADDRESS},
    {"2001::1", DK_PRIVATE_ADDRESS}, {"2001:1ff::1", DK_PRIVATE_ADDRESS}, {"2001:200::1", DK_PUBLIC_ADDRESS},
    {"3fff::1", DK_PRIVATE_ADDRESS}, {"3fff:fff::1", DK_PRIVATE_ADDRESS}, {"3fff:1000::1", DK_PUBLIC_ADDRESS},
    {"100::1", DK_PRIVATE_ADDRESS}, {"1fff::1", DK_PRIVATE_ADDRESS}, {"2000::1", DK_PUBLIC_ADDRESS}, {"4000::1", DK_PRIVATE_ADDRESS}, {"5f00::1", DK_PRIVATE_ADDRESS},
    {"64:ff9b:1::8.8.8.8", DK_PRIVATE_ADDRESS},
    {"2606:4700:4700::1111", DK_PUBLIC_ADDRESS}, {"2a00:1450:4001:80b::200e", DK_PUBLIC_ADDRESS},
  };
  CHECK_ROWS(rows);
}

/* what carries an IPv4 address is judged by that one */
static void ipv4_within_ipv6 (void) {
  static const row rows[] = {
    {"::ffff:127.0.0.1", DK_PRIVATE_ADDRESS}, {"::ffff:7f00:1", DK_PRIVATE_ADDRESS}, {"::FFFF:10.1.2.3", DK_PRIVATE_ADDRESS}, {"::ffff:8.8.8.8", DK_PUBLIC_ADDRESS},
    {"::127.0.0.1", DK_PRIVATE_ADDRESS}, {"::192.168.1.1", DK_PRIVATE_ADDRESS}, {"::8.8.8.8", DK_PUBLIC_ADDRESS},
    {"64:ff9b::127.0.0.1", DK_PRIVATE_ADDRESS}, {"64:ff9b::a9fe:a9fe", DK_PRIVATE_ADDRESS}, {"64:ff9b::8.8.8.8", DK_PUBLIC_ADDRESS},
    {"2002:7f00:1::", DK_PRIVATE_ADDRESS}, {"2002:c0a8:101::1", DK_PRIVATE_ADDRESS}, {"2002:808:808::1", DK_PUBLIC_ADDRESS},
    {"::ffff:0:127.0.0.1", DK_PRIVATE_ADDRESS}, {"::ffff:0:8.8.8.8", DK_PRIVATE_ADDRESS},
  };
  CHECK_ROWS(rows);
}

static void spellings (void) {
  static const row rows[] = {
    {"[::1]", DK_PRIVATE_ADDRESS}, {"[2606:4700::1111]", DK_PUBLIC_ADDRESS}, {"fe80::1%eth0", DK_PRIVATE_ADDRESS}, {"[fe80::1%25eth0]", DK_PRIVATE_ADDRESS},
    {"2606:4700::1111%1", DK_PUBLIC_ADDRESS},
    {"", DK_NO_ADDRESS}, {"[", DK_NO_ADDRESS}, {"[]", DK_NO_ADDRESS}, {"[::1", DK_NO_ADDRESS}, {"%", DK_NO_ADDRESS}, {":", DK_NO_ADDRESS},
    {"localhost", DK_NO_ADDRESS}, {"example.com", DK_NO_ADDRESS}, {"127.0.0.1.example.com", DK_NO_ADDRESS},
    {"127.1", DK_NO_ADDRESS}, {"2130706433", DK_NO_ADDRESS}, {"0x7f000001", DK_NO_ADDRESS}, {"0177.0.0.1", DK_NO_ADDRESS}, {"127.0.0.1.", DK_NO_ADDRESS},
    {"256.0.0.1", DK_NO_ADDRESS}, {" 127.0.0.1", DK_NO_ADDRESS}, {"::1::", DK_NO_ADDRESS}, {"12345::", DK_NO_ADDRESS},
    {"1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25:26:27:28:29:30:31:32", DK_NO_ADDRESS},
  };
  CHECK_ROWS(rows);
}

static dk_address_kind socket_kind (int family, const char *address, char text[64]) {
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  struct sockaddr_in four = {.sin_family = AF_INET};
  CHECK(inet_pton(family, address, family == AF_INET ? (void *)&four.sin_addr : (void *)&six.sin6_addr) == 1);
  return dk_address_of_socket(family == AF_INET ? (struct sockaddr *)(void *)&four : (struct sockaddr *)(void *)&six, text);
}

static void sockets (void) {
  char text[64];
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/a"};
  CHECK(socket_kind(AF_INET, "127.0.0.1", text) == DK_PRIVATE_ADDRESS && strcmp(text, "127.0.0.1") == 0);
  CHECK(socket_kind(AF_INET, "8.8.8.8", text) == DK_PUBLIC_ADDRESS);
  CHECK(socket_kind(AF_INET6, "::ffff:127.0.0.1", text) == DK_PRIVATE_ADDRESS && strcmp(text, "::ffff:127.0.0.1") == 0);
  CHECK(socket_kind(AF_INET6, "2606:4700::1111", text) == DK_PUBLIC_ADDRESS);
  CHECK(dk_address_of_socket((struct sockaddr *)(void *)&path, text) == DK_PRIVATE_ADDRESS && text[0] != '\0');
}

int main (void) {
  static const check_test tests[] = {
    {"ipv4", ipv4}, {"ipv6", ipv6}, {"ipv4_within_ipv6", ipv4_within_ipv6}, {"spellings", spellings}, {"sockets", sockets},
  };
  return CHECK_RUN(tests);
}
