/* server.c - the benchmarks' server: a process of its own, plain or TLS, that costs as little as it can.
 *
 *   server [--tls CERTIFICATE KEY] [--close] [--pending] [--head FILE] [--rate BYTES] [--delay SECONDS]
 *
 * Prints its port on 127.0.0.1 and ends when its standard input does. --close shuts each connection after one
 * answer, so that every call opens a new one; --head writes the latest request's head to FILE, so that the
 * peers can send what the client sends. A thread serves a connection; a body is read to its end before the
 * answer goes out, at BYTES a second in each connection with --rate; with --delay, the answer goes out SECONDS
 * later. Who asks for a generation's status gets none, or with --pending that it is pending. */
#define _GNU_SOURCE
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD_MAX = 16384, READ_SIZE = 262144, IMAGE_SIZE = 5000000 };

static SSL_CTX *tls;
static bool close_after_answer, always_pending;
static const char *head_path;
static double rate;   /* bytes a second; 0: as fast as they come */
static double delay;  /* seconds before each answer */

typedef struct {
  int socket;
  SSL *ssl;           /* NULL: plain */
  char *bytes;        /* READ_SIZE; what came and is not yet used */
  size_t used;
} connection;

static void fail (const char *what) {
  perror(what);
  exit(1);
}

static ssize_t receive (connection *c, char *to, size_t room) {
  return c->ssl ? SSL_read(c->ssl, to, (int)room) : recv(c->socket, to, room, 0);
}

static bool send_text (connection *c, const char *text, size_t n) {
  return (c->ssl ? SSL_write(c->ssl, text, (int)n) : send(c->socket, text, n, MSG_NOSIGNAL)) == (ssize_t)n;
}

/* Reads until a whole head is there. Returns its length, 0 when the peer has left or the head is too long. */
static size_t read_head (connection *c) {
  for (;;) {
    char *end = memmem(c->bytes, c->used, "\r\n\r\n", 4);
    if (end != NULL) return (size_t)(end - c->bytes) + 4;
    if (c->used >= HEAD_MAX) return 0;
    ssize_t n = receive(c, c->bytes + c->used, READ_SIZE - c->used);
    if (n <= 0) return 0;
    c->used += (size_t)n;
  }
}

static void keep_head (const char *head, size_t n) {
  if (head_path == NULL) return;
  FILE *f = fopen(head_path, "wb");
  if (f == NULL || fwrite(head, 1, n, f) != n || fclose(f) != 0) fail(head_path);
}

static size_t content_length (char *head, size_t n) {
  head[n - 2] = '\0';
  const char *field = strcasestr(head, "\r\nContent-Length:");
  return field ? strtoull(field + 17, NULL, 10) : 0;
}

static void pause_for (double seconds) {
  time_t whole = (time_t)seconds;
  if (seconds > 0) nanosleep(&(struct timespec){whole, (long)((seconds - (double)whole) * 1e9)}, NULL);
}

static bool skip_body (connection *c, size_t head, size_t length) {
  size_t here = c->used - head;
  if (here >= length) {
    c->used = here - length;
    memmove(c->bytes, c->bytes + head + length, c->used);
    return true;
  }
  length -= here;
  c->used = 0;
  while (length > 0) {
    ssize_t n = receive(c, c->bytes, length < READ_SIZE ? length : READ_SIZE);
    if (n <= 0) return false;
    length -= (size_t)n;
    if (rate > 0) pause_for((double)n / rate);
  }
  return true;
}

/* The guide's answers; a user with the two fields more that the vendor's schema has. */
#define ID "550e8400-e29b-41d4-a716-446655440000"
static const char user[] = "{\"id\":\"" ID "\",\"email\":\"dev@example.com\",\"full_name\":\"Ada Developer\",\"role\":\"developer\","
  "\"is_active\":true,\"created_at\":\"2025-12-08T10:30:00Z\",\"project_id\":null}";
static const char generation[] = "{\"id\":\"" ID "\",\"status\":\"pending\","
  "\"message\":\"Generation request submitted successfully\"}";
static const char unknown[] = "{\"detail\":\"Not Found\"}";

/* A JPEG by its first bytes and its end marker, which the client checks. */
static bool send_image (connection *c) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 5000000\r\n\r\n";
  memset(c->bytes, 'p', READ_SIZE);
  memcpy(c->bytes, "\xff\xd8\xff\xe0", 4);
  if (!send_text(c, head, sizeof head - 1)) return false;
  for (size_t left = IMAGE_SIZE, n; left > 0; left -= n) {
    n = left < READ_SIZE ? left : READ_SIZE;
    if (n == left) memcpy(c->bytes + n - 2, "\xff\xd9", 2);
    if (!send_text(c, c->bytes, n)) return false;
    memset(c->bytes, 'p', 4);
  }
  return true;
}

static bool answer (connection *c, const char *request) {
  const char *status = "200 OK", *body = user;
  if (strncmp(request, "GET /image.jpg ", 15) == 0) return send_image(c);
  if (strncmp(request, "GET /api/v1/generation/generations-v2/", 38) == 0) {
    if (!always_pending) return true;
    body = generation;
  } else if (strncmp(request, "POST /api/v1/generation/generate-v2 ", 36) == 0) {
    body = generation;
  } else if (strncmp(request, "GET /api/v1/auth/me ", 20) != 0) {
    status = "404 Not Found";
    body = unknown;
  }
  char text[1024];
  int n = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n%s",
                   status, strlen(body), close_after_answer ? "Connection: close\r\n" : "", body);
  return send_text(c, text, (size_t)n);
}

static void converse (connection *c) {
  size_t head;
  while ((head = read_head(c)) > 0) {
    char request[64] = "";
    memcpy(request, c->bytes, head < sizeof request ? head : sizeof request - 1);
    keep_head(c->bytes, head);
    if (!skip_body(c, head, content_length(c->bytes, head))) return;
    pause_for(delay);
    if (!answer(c, request) || close_after_answer) return;
  }
}

static void *serve (void *arg) {
  connection c = { .socket = (int)(intptr_t)arg, .bytes = malloc(READ_SIZE) };
  if (c.bytes == NULL) fail("malloc");
  if (tls != NULL) {
    c.ssl = SSL_new(tls);
    SSL_set_fd(c.ssl, c.socket);
  }
  if (c.ssl == NULL || SSL_accept(c.ssl) == 1) converse(&c);
  if (c.ssl != NULL) SSL_shutdown(c.ssl);
  SSL_free(c.ssl);
  close(c.socket);
  free(c.bytes);
  return NULL;
}

/* The end of our input is the end of whoever started us: nothing is torn down under the other threads. */
static void *end_with_input (void *arg) {
  char byte;
  while (read(STDIN_FILENO, &byte, 1) > 0) continue;
  _exit(0);
  return arg;
}

static void open_tls (const char *certificate, const char *key) {
  tls = SSL_CTX_new(TLS_server_method());
  if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1
      || SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "server: cannot use %s and %s\n", certificate, key);
    exit(1);
  }
  SSL_CTX_set_min_proto_version(tls, TLS1_3_VERSION);
}

static int listen_anywhere (void) {
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (rate > 0) setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){65536}, sizeof(int));   /* else the buffers take megabytes at once */
  if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) != 0 || listen(listener, 1024) != 0
      || getsockname(listener, (struct sockaddr *)&address, &size) != 0) fail("listen");
  printf("%d\n", ntohs(address.sin_port));
  fclose(stdout);
  return listener;
}

int main (int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--close") == 0) {
      close_after_answer = true;
    } else if (strcmp(argv[i], "--pending") == 0) {
      always_pending = true;
    } else if (strcmp(argv[i], "--head") == 0 && i + 1 < argc) {
      head_path = argv[++i];
    } else if (strcmp(argv[i], "--rate") == 0 && i + 1 < argc) {
      rate = strtod(argv[++i], NULL);
    } else if (strcmp(argv[i], "--delay") == 0 && i + 1 < argc) {
      delay = strtod(argv[++i], NULL);
    } else if (strcmp(argv[i], "--tls") == 0 && i + 2 < argc) {
      open_tls(argv[i + 1], argv[i + 2]);
      i += 2;
    } else {
      fprintf(stderr, "usage: server [--tls CERTIFICATE KEY] [--close] [--pending] [--head FILE] [--rate BYTES] [--delay SECONDS]\n");
      return 2;
    }
  }
  signal(SIGPIPE, SIG_IGN);
  int listener = listen_anywhere();
  pthread_t thread;
  if (pthread_create(&thread, NULL, end_with_input, NULL) != 0) fail("pthread_create");
  for (;;) {
    int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (socket < 0) continue;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (pthread_create(&thread, NULL, serve, (void *)(intptr_t)socket) == 0) pthread_detach(thread);
    else close(socket);
  }
}
