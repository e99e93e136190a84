/* Sockets of the generator: non-blocking, one epoll, one buffer that all of them read into. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#ifdef WITH_TLS
#include <fcntl.h>
#include <openssl/ssl.h>
#endif

#include "generator.h"

/* As much as a socket usually holds: fewer, longer reads cost less. */
#define READ_BYTES (1 << 18)
#define EVENTS_AT_ONCE 256
/* Logins under way at a time: the queue of a listening socket may hold no more than 128. */
#define LOGINS_AT_ONCE 100
/* A server that leaves so much lying does not take its load any more. */
#define MAX_WAITING_BYTES (256u << 20)
#define MAX_GREETING_BYTES (64u << 10)

on_bytes *receive;
int closed_connections;

static int epoll_fd = -1, timer_fd = -1;
static int opened, ready;
static char read_buffer[READ_BYTES];

static void watch(struct connection *connection, int operation) {
  struct epoll_event event = {.events = EPOLLIN | (connection->waits_to_write ? EPOLLOUT : 0), .data.ptr = connection};
  if (epoll_ctl(epoll_fd, operation, connection->fd, &event) != 0) fail("epoll: %s", strerror(errno));
}

#ifdef WITH_TLS
static SSL_CTX *tls_context;

/* Shakes hands, and waits for it: a login is not measured. From then on the socket does not wait. */
static void begin_tls(struct connection *connection) {
  if (tls_context == NULL) {
    tls_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(tls_context, TLS1_3_VERSION);
    SSL_CTX_set_mode(tls_context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    /* The memory of the generator is nobody's business, but 9,000 times 32 KiB are. */
    SSL_CTX_set_mode(tls_context, SSL_MODE_RELEASE_BUFFERS);
  }
  connection->tls = SSL_new(tls_context);
  if (connection->tls == NULL || SSL_set_fd(connection->tls, connection->fd) != 1) fail("TLS cannot begin");
  if (SSL_connect(connection->tls) != 1) fail("connection %d: the TLS handshake fails", connection->index);
  fcntl(connection->fd, F_SETFL, fcntl(connection->fd, F_GETFL) | O_NONBLOCK);
}

static bool would_wait(struct connection *connection, int result) {
  int error = SSL_get_error(connection->tls, result);
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}
#else
static void begin_tls(struct connection *connection) {
  fail("connection %d: this generator was compiled without TLS", connection->index);
}
#endif

/* As `send` and `recv` without waiting. */
static ssize_t put(struct connection *connection, const char *bytes, size_t length) {
#ifdef WITH_TLS
  if (connection->tls != NULL) {
    int sent = SSL_write(connection->tls, bytes, length > (1u << 30) ? 1 << 30 : (int)length);
    if (sent <= 0) errno = would_wait(connection, sent) ? EAGAIN : EPIPE;
    return sent <= 0 ? -1 : sent;
  }
#endif
  return send(connection->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static ssize_t get(struct connection *connection) {
#ifdef WITH_TLS
  if (connection->tls != NULL) {
    /* A record is 16 KiB at most: what lies in the socket is taken together, as without TLS. */
    int all = 0;
    for (int length; all < READ_BYTES; all += length) {
      length = SSL_read(connection->tls, read_buffer + all, READ_BYTES - all);
      if (length > 0) continue;
      if (all > 0) break;
      if (!would_wait(connection, length)) return 0;
      errno = EAGAIN;
      return -1;
    }
    return all;
  }
#endif
  return recv(connection->fd, read_buffer, READ_BYTES, MSG_DONTWAIT);
}

struct connection *open_connection(int port, int index, const struct hello *hello) {
  if (epoll_fd < 0) epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  while (opened - ready >= LOGINS_AT_ONCE) handle_events(now_us() + 100000);
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) fail("there is no memory");
  connection->index = index;
  connection->hello = hello;
  connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connection->fd < 0 || connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) {
    fail("connection %d: %s", index, strerror(errno));
  }
  int on = 1;
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (job.tls) begin_tls(connection);
  opened++;
  watch(connection, EPOLL_CTL_ADD);
  send_bytes(connection, hello->say, strlen(hello->say));
  return connection;
}

void connect_all(void) {
  while (ready < opened) handle_events(now_us() + 100000);
}

void send_bytes(struct connection *connection, const char *bytes, size_t length) {
  size_t waiting = connection->out_length - connection->out_sent;
  if (waiting == 0) {
    ssize_t sent = put(connection, bytes, length);
    if (sent < 0 && errno != EAGAIN) return; /* The end of the connection is read later. */
    if (sent > 0) bytes += sent, length -= sent;
    if (length == 0) return;
    connection->out_length = connection->out_sent = 0;
  }
  if (waiting + length > MAX_WAITING_BYTES) fail("the server does not take what is published");
  if (connection->out_length + length > connection->out_room) {
    connection->out_room = 2 * (connection->out_length + length);
    connection->out = realloc(connection->out, connection->out_room);
    if (connection->out == NULL) fail("there is no memory");
  }
  memcpy(connection->out + connection->out_length, bytes, length);
  connection->out_length += length;
  if (connection->waits_to_write) return;
  connection->waits_to_write = true;
  watch(connection, EPOLL_CTL_MOD);
}

static void send_waiting(struct connection *connection) {
  const char *bytes = connection->out + connection->out_sent;
  size_t waiting = connection->out_length - connection->out_sent;
  ssize_t sent = put(connection, bytes, waiting);
  if (sent > 0) connection->out_sent += sent;
  if (connection->out_sent < connection->out_length) return;
  connection->out_length = connection->out_sent = 0;
  connection->waits_to_write = false;
  watch(connection, EPOLL_CTL_MOD);
}

/* Until the line with the expected answer is complete. What follows the line is data. */
static void greet(struct connection *connection, const char *bytes, size_t length) {
  size_t all = connection->greeting_length + length;
  connection->greeting = realloc(connection->greeting, all + 1);
  if (connection->greeting == NULL) fail("there is no memory");
  memcpy(connection->greeting + connection->greeting_length, bytes, length);
  connection->greeting_length = all;
  connection->greeting[all] = 0;
  const char *answer = memmem(connection->greeting, all, connection->hello->ready, strlen(connection->hello->ready));
  const char *end = answer == NULL ? NULL : memchr(answer, '\n', connection->greeting + all - answer);
  if (end == NULL && all > MAX_GREETING_BYTES) fail("connection %d: no answer to its first words", connection->index);
  if (end == NULL) return;
  connection->is_ready = true;
  ready++;
  size_t rest = connection->greeting + all - (end + 1);
  if (rest > 0) receive(connection, end + 1, rest);
  free(connection->greeting);
  connection->greeting = NULL;
}

static void read_some(struct connection *connection) {
  ssize_t length = get(connection);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    if (!connection->is_ready) {
      fail("the server closed connection %d after \"%s\"", connection->index,
           connection->greeting == NULL ? "" : connection->greeting);
    }
    connection->is_closed = true;
    closed_connections++;
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    return;
  }
  if (connection->is_ready) receive(connection, read_buffer, length);
  else greet(connection, read_buffer, length);
}

/* What TLS has taken from the socket already is told of by no event. */
static bool has_more(struct connection *connection) {
#ifdef WITH_TLS
  return connection->tls != NULL && !connection->is_closed && SSL_pending(connection->tls) > 0;
#else
  (void)connection;
  return false;
#endif
}

void tick_every(uint64_t us) {
  if (epoll_fd < 0) epoll_fd = epoll_create1(EPOLL_CLOEXEC);
  if (timer_fd < 0) {
    timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, timer_fd, &event);
  }
  struct timespec span = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};
  struct itimerspec timer = {.it_interval = span, .it_value = span};
  timerfd_settime(timer_fd, 0, &timer, NULL);
}

void handle_events(uint64_t until_us) {
  struct epoll_event events[EVENTS_AT_ONCE];
  uint64_t now = now_us();
  int timeout_ms = until_us <= now ? 0 : (int)((until_us - now + 999) / 1000);
  int count = epoll_wait(epoll_fd, events, EVENTS_AT_ONCE, timeout_ms);
  for (int index = 0; index < count; index++) {
    struct connection *connection = events[index].data.ptr;
    if (connection == NULL) {
      uint64_t ticks;
      if (read(timer_fd, &ticks, sizeof ticks) < 0) continue;
      continue;
    }
    if (events[index].events & EPOLLOUT) send_waiting(connection);
    if ((events[index].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) continue;
    do read_some(connection);
    while (has_more(connection));
  }
}
