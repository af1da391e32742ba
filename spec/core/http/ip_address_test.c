/* ip_address_test.c - public and private addresses, and texts that are no addresses. */
#define _DEFAULT_SOURCE          /* struct sockaddr_un's and inet_pton's headers */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "http/ip_address.h"
#include "support/check.h"

typedef struct { const char *text; dk_ip_class kind; } row;

static void check_rows (const row *rows, size_t count) {
  for (size_t i = 0; i < count; i++) {
    if (!CHECK(dk_ip_classify(rows[i].text) == rows[i].kind)) fprintf(stderr, "  %s\n", rows[i].text);
  }
}
#define CHECK_ROWS(rows) check_rows(rows, sizeof rows / sizeof *rows)

/* the first and last address of each range, and the addresses next to them */
static void ipv4 (void) {
  static const row rows[] = {
    {"0.0.0.0", DK_IP_PRIVATE}, {"0.255.255.255", DK_IP_PRIVATE}, {"1.0.0.0", DK_IP_PUBLIC},
    {"9.255.255.255", DK_IP_PUBLIC}, {"10.0.0.0", DK_IP_PRIVATE}, {"10.255.255.255", DK_IP_PRIVATE}, {"11.0.0.0", DK_IP_PUBLIC},
    {"100.63.255.255", DK_IP_PUBLIC}, {"100.64.0.0", DK_IP_PRIVATE}, {"100.127.255.255", DK_IP_PRIVATE}, {"100.128.0.0", DK_IP_PUBLIC},
    {"126.255.255.255", DK_IP_PUBLIC}, {"127.0.0.0", DK_IP_PRIVATE}, {"127.0.0.1", DK_IP_PRIVATE}, {"127.255.255.255", DK_IP_PRIVATE}, {"128.0.0.0", DK_IP_PUBLIC},
    {"169.253.255.255", DK_IP_PUBLIC}, {"169.254.0.0", DK_IP_PRIVATE}, {"169.254.169.254", DK_IP_PRIVATE}, {"169.254.255.255", DK_IP_PRIVATE}, {"169.255.0.0", DK_IP_PUBLIC},
    {"172.15.255.255", DK_IP_PUBLIC}, {"172.16.0.0", DK_IP_PRIVATE}, {"172.31.255.255", DK_IP_PRIVATE}, {"172.32.0.0", DK_IP_PUBLIC},
    {"191.255.255.255", DK_IP_PUBLIC}, {"192.0.0.0", DK_IP_PRIVATE}, {"192.0.0.255", DK_IP_PRIVATE}, {"192.0.1.0", DK_IP_PUBLIC},
    {"192.0.2.0", DK_IP_PRIVATE}, {"192.0.2.255", DK_IP_PRIVATE}, {"192.0.3.0", DK_IP_PUBLIC},
    {"192.88.98.255", DK_IP_PUBLIC}, {"192.88.99.1", DK_IP_PRIVATE}, {"192.88.100.0", DK_IP_PUBLIC},
    {"192.167.255.255", DK_IP_PUBLIC}, {"192.168.0.0", DK_IP_PRIVATE}, {"192.168.255.255", DK_IP_PRIVATE}, {"192.169.0.0", DK_IP_PUBLIC},
    {"198.17.255.255", DK_IP_PUBLIC}, {"198.18.0.0", DK_IP_PRIVATE}, {"198.19.255.255", DK_IP_PRIVATE}, {"198.20.0.0", DK_IP_PUBLIC},
    {"198.51.99.255", DK_IP_PUBLIC}, {"198.51.100.0", DK_IP_PRIVATE}, {"198.51.100.255", DK_IP_PRIVATE}, {"198.51.101.0", DK_IP_PUBLIC},
    {"203.0.112.255", DK_IP_PUBLIC}, {"203.0.113.0", DK_IP_PRIVATE}, {"203.0.113.255", DK_IP_PRIVATE}, {"203.0.114.0", DK_IP_PUBLIC},
    {"223.255.255.255", DK_IP_PUBLIC}, {"224.0.0.0", DK_IP_PRIVATE}, {"239.255.255.255", DK_IP_PRIVATE}, {"240.0.0.0", DK_IP_PRIVATE}, {"255.255.255.255", DK_IP_PRIVATE},
    {"8.8.8.8", DK_IP_PUBLIC},
  };
  CHECK_ROWS(rows);
}

static void ipv6 (void) {
  static const row rows[] = {
    {"::", DK_IP_PRIVATE}, {"::1", DK_IP_PRIVATE}, {"0:0:0:0:0:0:0:1", DK_IP_PRIVATE}, {"::2", DK_IP_PRIVATE},
    {"fc00::", DK_IP_PRIVATE}, {"fd00:ec2::254", DK_IP_PRIVATE}, {"fdff:ffff::1", DK_IP_PRIVATE},
    {"fe80::1", DK_IP_PRIVATE}, {"febf::1", DK_IP_PRIVATE}, {"fec0::1", DK_IP_PRIVATE}, {"feff::1", DK_IP_PRIVATE},
    {"ff00::", DK_IP_PRIVATE}, {"ff02::1", DK_IP_PRIVATE}, {"ffff::", DK_IP_PRIVATE},
    {"2001:db8::", DK_IP_PRIVATE}, {"2001:db8:ffff::1", DK_IP_PRIVATE}, {"2001:db7::1", DK_IP_PUBLIC}, {"2001:db9::1", DK_IP_PUBLIC},
    {"2001::1", DK_IP_PRIVATE}, {"2001:1ff::1", DK_IP_PRIVATE}, {"2001:200::1", DK_IP_PUBLIC},
    {"3fff::1", DK_IP_PRIVATE}, {"3fff:fff::1", DK_IP_PRIVATE}, {"3fff:1000::1", DK_IP_PUBLIC},
    {"100::1", DK_IP_PRIVATE}, {"1fff::1", DK_IP_PRIVATE}, {"2000::1", DK_IP_PUBLIC}, {"4000::1", DK_IP_PRIVATE}, {"5f00::1", DK_IP_PRIVATE},
    {"64:ff9b:1::8.8.8.8", DK_IP_PRIVATE},
    {"2606:4700:4700::1111", DK_IP_PUBLIC}, {"2a00:1450:4001:80b::200e", DK_IP_PUBLIC},
  };
  CHECK_ROWS(rows);
}

/* an address that contains an IPv4 address has its class */
static void ipv4_within_ipv6 (void) {
  static const row rows[] = {
    {"::ffff:127.0.0.1", DK_IP_PRIVATE}, {"::ffff:7f00:1", DK_IP_PRIVATE}, {"::FFFF:10.1.2.3", DK_IP_PRIVATE}, {"::ffff:8.8.8.8", DK_IP_PUBLIC},
    {"::127.0.0.1", DK_IP_PRIVATE}, {"::192.168.1.1", DK_IP_PRIVATE}, {"::8.8.8.8", DK_IP_PUBLIC},
    {"64:ff9b::127.0.0.1", DK_IP_PRIVATE}, {"64:ff9b::a9fe:a9fe", DK_IP_PRIVATE}, {"64:ff9b::8.8.8.8", DK_IP_PUBLIC},
    {"2002:7f00:1::", DK_IP_PRIVATE}, {"2002:c0a8:101::1", DK_IP_PRIVATE}, {"2002:808:808::1", DK_IP_PUBLIC},
    {"::ffff:0:127.0.0.1", DK_IP_PRIVATE}, {"::ffff:0:8.8.8.8", DK_IP_PRIVATE},
  };
  CHECK_ROWS(rows);
}

static void spellings (void) {
  static const row rows[] = {
    {"[::1]", DK_IP_PRIVATE}, {"[2606:4700::1111]", DK_IP_PUBLIC}, {"fe80::1%eth0", DK_IP_PRIVATE}, {"[fe80::1%25eth0]", DK_IP_PRIVATE},
    {"2606:4700::1111%1", DK_IP_PUBLIC},
    {"", DK_IP_NONE}, {"[", DK_IP_NONE}, {"[]", DK_IP_NONE}, {"[::1", DK_IP_NONE}, {"%", DK_IP_NONE}, {":", DK_IP_NONE},
    {"localhost", DK_IP_NONE}, {"example.com", DK_IP_NONE}, {"127.0.0.1.example.com", DK_IP_NONE},
    {"127.1", DK_IP_NONE}, {"2130706433", DK_IP_NONE}, {"0x7f000001", DK_IP_NONE}, {"0177.0.0.1", DK_IP_NONE}, {"127.0.0.1.", DK_IP_NONE},
    {"256.0.0.1", DK_IP_NONE}, {" 127.0.0.1", DK_IP_NONE}, {"::1::", DK_IP_NONE}, {"12345::", DK_IP_NONE},
    {"1:2:3:4:5:6:7:8:9:10:11:12:13:14:15:16:17:18:19:20:21:22:23:24:25:26:27:28:29:30:31:32", DK_IP_NONE},
  };
  CHECK_ROWS(rows);
}

static dk_ip_class socket_kind (int family, const char *address, char text[64]) {
  struct sockaddr_in6 six = {.sin6_family = AF_INET6};
  struct sockaddr_in four = {.sin_family = AF_INET};
  CHECK(inet_pton(family, address, family == AF_INET ? (void *)&four.sin_addr : (void *)&six.sin6_addr) == 1);
  return dk_ip_classify_socket(family == AF_INET ? (struct sockaddr *)(void *)&four : (struct sockaddr *)(void *)&six, text);
}

static void sockets (void) {
  char text[64];
  struct sockaddr_un path = {.sun_family = AF_UNIX, .sun_path = "/a"};
  CHECK(socket_kind(AF_INET, "127.0.0.1", text) == DK_IP_PRIVATE && strcmp(text, "127.0.0.1") == 0);
  CHECK(socket_kind(AF_INET, "8.8.8.8", text) == DK_IP_PUBLIC);
  CHECK(socket_kind(AF_INET6, "::ffff:127.0.0.1", text) == DK_IP_PRIVATE && strcmp(text, "::ffff:127.0.0.1") == 0);
  CHECK(socket_kind(AF_INET6, "2606:4700::1111", text) == DK_IP_PUBLIC);
  CHECK(dk_ip_classify_socket((struct sockaddr *)(void *)&path, text) == DK_IP_PRIVATE && text[0] != '\0');
}

int main (void) {
  static const check_test tests[] = {
    {"ipv4", ipv4}, {"ipv6", ipv6}, {"ipv4_within_ipv6", ipv4_within_ipv6}, {"spellings", spellings}, {"sockets", sockets},
  };
  return CHECK_RUN(tests);
}
