/* The loads. Each connects, warms up, measures, stops publishing, and fails unless everything has arrived once. */

#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "generator.h"

/* What was doubled would come this soon after the last that was expected. */
#define STRAGGLER_US 30000
/* A latency from here on counts as this: only a server that is broken gets so far. */
#define MAX_LATENCY_US 20000000
/* Publications at a rate leave in portions, at most so often. */
#define MIN_TICK_US 250
#define POLL_US 20000

static struct connection **connections;
static struct connection *publisher;
static uint64_t deliveries, published;
static bool is_publishing, is_measuring;
static char *frames;
static long frame_bytes;
/* Whether each receiver reads one channel, and how many receivers a publication has. */
static bool reads_one_channel;
static uint64_t receivers_each;

/* What was used between two moments. */
struct use {
  uint64_t at_us, servers_ms, own_us;
};

static struct use use_now(void) {
  return (struct use){now_us(), servers_cpu_ms(), own_cpu_us()};
}

static double elapsed_s(struct use from, struct use to) { return (to.at_us - from.at_us) / 1e6; }

static void print_use(struct use from, struct use to) {
  double elapsed = elapsed_s(from, to);
  printf("\"serverCores\":%.4f,\"generatorCores\":%.4f", (to.servers_ms - from.servers_ms) / 1e3 / elapsed,
         (to.own_us - from.own_us) / 1e6 / elapsed);
}

static void run_for(long ms) {
  for (uint64_t end = now_us() + ms * 1000; now_us() < end;) handle_events(end);
}

/*
 * As `run_for`, and on until `count` more answers came: a server that answers all that waits at once may take seconds
 * for that, and would seem to answer none, or very many. The job's deadline bounds it.
 */
static void run_for_answers(long ms, uint64_t count) {
  uint64_t until = deliveries + count;
  run_for(ms);
  while (deliveries < until) handle_events(now_us() + 1000);
}

static void await_all(uint64_t (*missing)(void)) {
  while (missing() > 0) {
    if (closed_connections > 0) fail("the server closed %d connections", closed_connections);
    handle_events(now_us() + POLL_US);
  }
  for (uint64_t end = now_us() + STRAGGLER_US; now_us() < end;) handle_events(end);
}

/* `count` publications in one buffer. */
static char *repeat(const char *frame, int count) {
  char *bytes = malloc(frame_bytes * count);
  if (bytes == NULL) fail("there is no memory");
  for (int index = 0; index < count; index++) memcpy(bytes + index * frame_bytes, frame, frame_bytes);
  return bytes;
}

static void write_channel(char *at, uint64_t channel) {
  for (int digit = (int)strlen(CHANNEL_MARK) - 1; digit >= 0; digit--, channel /= 10) at[digit] = '0' + channel % 10;
}

/* As the receiver `index` says it: each has its channel, or all say the same. */
static const struct hello *hello_of(int index) {
  if (!reads_one_channel) return &job.receive;
  struct hello *own = malloc(sizeof *own);
  char *say = strdup(job.receive.say);
  if (own == NULL || say == NULL) fail("there is no memory");
  write_channel(strstr(say, CHANNEL_MARK), index % job.channels);
  *own = (struct hello){say, job.receive.ready};
  return own;
}

/* Opens the receivers, spread over all servers, and the publisher at the first. */
static void open_all(void) {
  reads_one_channel = job.channels > 0 && strstr(job.receive.say, CHANNEL_MARK) != NULL;
  receivers_each = reads_one_channel ? job.connections / job.channels : job.connections;
  connections = calloc(job.connections, sizeof *connections);
  for (int index = 0; index < job.connections; index++) {
    connections[index] = open_connection(job.ports[index % job.port_count], index, hello_of(index));
    if (job.deliveries != NULL) connections[index]->counter = counter_of(job.deliveries, job.delivered_mark);
  }
  publisher = connections[0];
  if (job.publish.say != NULL) publisher = open_connection(job.ports[0], job.connections, &job.publish);
  connect_all();
}

/* Publications that the receiver `index` has to get. */
static uint64_t publications_for(int index) {
  if (!reads_one_channel) return published;
  return published / job.channels + ((uint64_t)index % job.channels < published % job.channels ? 1 : 0);
}

/* Says how many publications each receiver got too few or too many of. */
static void check_received(void) {
  for (int index = 0; index < job.connections; index++) {
    uint64_t received = connections[index]->received, all = publications_for(index);
    if (received != all) fail("a receiver got %lu of %lu publications", received, all);
  }
}

static uint64_t missing_deliveries(void) {
  uint64_t all = published * receivers_each;
  return all > deliveries ? all - deliveries : 0;
}

/*
 * ---- fanout: as fast as the server delivers, with a bounded number on their way; fill: until there are `entries`;
 * channels: to one channel after the other
 */

static long channel_offset;

static void publish_window(void) {
  double on_their_way = published - (double)deliveries / receivers_each;
  long room = job.window - (long)ceil(on_their_way), portion = (job.window + 3) / 4;
  /* A server that delivers twice makes room for more than there is. */
  if (room > job.window) room = job.window;
  if (job.entries > 0) {
    long left = (long)(job.entries - published);
    room = room < left ? room : left;
    portion = portion < left ? portion : left;
  }
  /* In portions of a quarter: less would measure small writes, more would let the server run dry. */
  if (!is_publishing || room <= 0 || room < portion) return;
  for (long index = 0; index < room && job.channels > 0; index++) {
    write_channel(frames + index * frame_bytes + channel_offset, (published + index) % job.channels);
  }
  published += room;
  send_bytes(publisher, frames, room * frame_bytes);
}

static void on_delivery(struct connection *connection, const char *bytes, size_t length) {
  if (connection->index >= job.connections) return;
  uint64_t new = count(&connection->counter, bytes, length);
  connection->received += new;
  deliveries += new;
  publish_window();
}

void run_fanout(void) {
  receive = on_delivery;
  frame_bytes = (long)strlen(job.frame);
  frames = repeat(job.frame, job.window);
  const char *channel = strstr(job.frame, CHANNEL_MARK);
  if (job.channels > 0 && channel == NULL) fail("a publication has no channel");
  channel_offset = channel == NULL ? 0 : channel - job.frame;
  open_all();
  is_publishing = true;
  struct use from = use_now();
  publish_window();
  uint64_t before = 0, after;
  struct use to;
  if (job.entries > 0) {
    while (deliveries < job.entries * job.connections) handle_events(now_us() + POLL_US);
    to = use_now();
    after = deliveries;
  } else {
    run_for(job.warmup_ms);
    from = use_now();
    before = deliveries;
    run_for(job.measure_ms);
    to = use_now();
    after = deliveries;
  }
  is_publishing = false;
  await_all(missing_deliveries);
  check_received();
  printf("{\"kind\":\"rate\",\"perS\":%.1f,", (after - before) / elapsed_s(from, to));
  print_use(from, to);
  printf("}\n");
}

/* ---- latency: a steady rate, whatever the server does */

static uint32_t *latencies;
static uint64_t measured, max_us, read_at_us;

/* A stamp is when its portion was due, so a publisher that is late counts against nobody but the clock. */
static void on_stamp(uint64_t stamp_us) {
  if (!is_measuring) return;
  uint64_t us = read_at_us > stamp_us ? read_at_us - stamp_us : 0;
  if (us > max_us) max_us = us;
  latencies[us < MAX_LATENCY_US ? us : MAX_LATENCY_US]++;
  measured++;
}

static void on_stamped(struct connection *connection, const char *bytes, size_t length) {
  if (connection->index >= job.connections) return;
  read_at_us = now_us();
  uint64_t new = read_stamps(&connection->stamps, bytes, length, on_stamp);
  connection->received += new;
  deliveries += new;
}

static void publish_at_rate(long span_ms) {
  double tick_us = 1e6 / job.rate_per_s;
  if (tick_us < MIN_TICK_US) tick_us = MIN_TICK_US;
  long stamp_offset = strchr(job.frame, '~') + 1 - job.frame;
  uint64_t start = now_us(), end = start + span_ms * 1000, before = published;
  uint64_t ticks = 0;
  tick_every((uint64_t)tick_us);
  for (uint64_t now = start; now < end; now = now_us()) {
    /* Every portion that is due, each with the time at which it was. */
    for (; start + (uint64_t)(ticks * tick_us) <= now; ticks++) {
      uint64_t due_us = start + (uint64_t)(ticks * tick_us);
      long due = (long)((ticks + 1) * tick_us / 1e6 * job.rate_per_s + 1e-6) - (long)(published - before);
      while (due > 0) {
        int portion = due < job.window ? (int)due : job.window;
        for (int index = 0; index < portion; index++) write_digits(frames + index * frame_bytes + stamp_offset, due_us);
        send_bytes(publisher, frames, portion * frame_bytes);
        published += portion;
        due -= portion;
      }
    }
    handle_events(end);
  }
  tick_every(0);
}

/* The smallest latency that at least `share` of all do not exceed, in milliseconds. */
static double percentile_ms(double share) {
  uint64_t rank = (uint64_t)ceil(measured * share), seen = 0;
  for (uint32_t us = 0; us <= MAX_LATENCY_US; us++) {
    seen += latencies[us];
    if (seen >= rank && seen > 0) return us / 1e3;
  }
  return max_us / 1e3;
}

void run_latency(void) {
  receive = on_stamped;
  latencies = calloc(MAX_LATENCY_US + 1, sizeof *latencies);
  frame_bytes = (long)strlen(job.frame);
  frames = repeat(job.frame, job.window);
  open_all();
  publish_at_rate(job.warmup_ms);
  await_all(missing_deliveries);
  is_measuring = true;
  struct use from = use_now();
  uint64_t before = deliveries;
  publish_at_rate(job.measure_ms);
  struct use to = use_now();
  double per_s = (deliveries - before) / elapsed_s(from, to);
  await_all(missing_deliveries);
  check_received();
  printf("{\"kind\":\"latency\",\"p50Ms\":%.3f,\"p99Ms\":%.3f,\"p999Ms\":%.3f,\"maxMs\":%.3f,", percentile_ms(0.5),
         percentile_ms(0.99), percentile_ms(0.999), max_us / 1e3);
  printf("\"perS\":%.1f,\"offeredPerS\":%.1f,", per_s, job.rate_per_s * job.connections);
  print_use(from, to);
  printf("}\n");
}

/* ---- ack: publishers that want an answer for each publication, so many of them unanswered on each connection */

static char **own_frames;
static long id_offset;

/* `text` with "@@" as the two digits of `index`. */
static char *numbered(const char *text, int index) {
  char *copy = strdup(text), digits[3];
  snprintf(digits, sizeof digits, "%02d", index % 100);
  for (char *at = copy; (at = strstr(at, "@@")) != NULL;) memcpy(at, digits, 2);
  return copy;
}

static void publish_unanswered(struct connection *connection) {
  long room = job.window - (long)(connection->published - connection->received);
  if (!is_publishing || room < job.window / 4 || room <= 0) return;
  char *bytes = own_frames[connection->index];
  for (long index = 0; index < room && id_offset > 0; index++) {
    write_digits(bytes + index * frame_bytes + id_offset, connection->published + index + 1);
  }
  connection->published += room;
  published += room;
  send_bytes(connection, bytes, room * frame_bytes);
}

static void on_answer(struct connection *connection, const char *bytes, size_t length) {
  uint64_t before = connection->received;
  connection->received += count(&connection->counter, bytes, length);
  if (connection->counter.up_to > 0) connection->received = connection->counter.up_to;
  deliveries += connection->received - before;
  publish_unanswered(connection);
}

static uint64_t delivered_to_publishers(void) {
  uint64_t sum = 0;
  for (int index = 0; index < job.publishers; index++) sum += connections[index]->counter.others;
  return sum;
}

static uint64_t missing_answers(void) { return published > deliveries ? published - deliveries : 0; }

void run_ack(void) {
  receive = on_answer;
  frame_bytes = (long)strlen(job.frame);
  const char *id = strchr(job.frame, '#');
  id_offset = id == NULL ? 0 : id + 1 - job.frame;
  connections = calloc(job.publishers, sizeof *connections);
  own_frames = calloc(job.publishers, sizeof *own_frames);
  for (int index = 0; index < job.publishers; index++) {
    struct hello *hello = malloc(sizeof *hello);
    *hello = (struct hello){numbered(job.publish.say, index), job.publish.ready};
    own_frames[index] = repeat(numbered(job.frame, index), job.window);
    connections[index] = open_connection(job.ports[index % job.port_count], index, hello);
    connections[index]->counter = counter_of(job.deliveries, job.delivered_mark);
    /* One after the other: the first makes the stream that the others find. */
    connect_all();
  }
  is_publishing = true;
  for (int index = 0; index < job.publishers; index++) publish_unanswered(connections[index]);
  uint64_t windows = (uint64_t)job.window * job.publishers;
  run_for_answers(job.warmup_ms, windows);
  struct use from = use_now();
  uint64_t before = deliveries, delivered = delivered_to_publishers();
  run_for_answers(job.measure_ms, windows);
  struct use to = use_now();
  double answered = deliveries - before, others = delivered_to_publishers() - delivered;
  is_publishing = false;
  await_all(missing_answers);
  if (deliveries != published) fail("%lu answers to %lu publications", deliveries, published);
  printf("{\"kind\":\"rate\",\"perS\":%.1f,\"deliveriesEach\":%.3f,", answered / elapsed_s(from, to),
         answered > 0 ? others / answered : 0);
  print_use(from, to);
  printf("}\n");
}

/* ---- hold: connections that are only there, and answer when they are asked whether they live */

static volatile sig_atomic_t is_over;
static uint64_t heartbeats;

static void on_term(int signal) {
  (void)signal;
  is_over = 1;
}

static void on_question(struct connection *connection, const char *bytes, size_t length) {
  if (memmem(bytes, length, "PING\r\n", 6) != NULL) {
    heartbeats++;
    send_bytes(connection, "PONG\r\n", 6);
    return;
  }
  const char *question = memmem(bytes, length, "\"HEARTBEAT\"", 11);
  const char *sequence = question == NULL ? NULL : memmem(question, bytes + length - question, "\"sequence\":", 11);
  if (sequence == NULL) return;
  heartbeats++;
  char answer[80];
  int size = snprintf(answer, sizeof answer, "{\"command\":\"HEARTBEAT_ACK\",\"sequence\":%ld}\n", atol(sequence + 11));
  send_bytes(connection, answer, size);
}

/* Says "ready" when all are there. SIGTERM ends it. */
void run_hold(void) {
  receive = on_question;
  signal(SIGTERM, on_term);
  open_all();
  printf("ready\n");
  fflush(stdout);
  while (!is_over) handle_events(now_us() + POLL_US);
  if (closed_connections > 0) fail("the server closed %d of %d idle connections", closed_connections, job.connections);
  printf("{\"kind\":\"held\",\"questions\":%lu}\n", heartbeats);
}

/* ---- readers: clients that were away, and get all that the server has */

static uint64_t missing_entries(void) {
  uint64_t all = job.entries * job.connections;
  return all > deliveries ? all - deliveries : 0;
}

static void on_replayed(struct connection *connection, const char *bytes, size_t length) {
  uint64_t new = count(&connection->counter, bytes, length);
  connection->received += new;
  deliveries += new;
}

void run_readers(void) {
  receive = on_replayed;
  struct use from = use_now();
  connections = calloc(job.connections, sizeof *connections);
  for (int index = 0; index < job.connections; index++) {
    connections[index] = open_connection(job.ports[index % job.port_count], index, &job.receive);
    connections[index]->counter = counter_of(job.deliveries, job.delivered_mark);
  }
  while (missing_entries() > 0) {
    if (closed_connections > 0) fail("the server closed %d connections", closed_connections);
    handle_events(now_us() + POLL_US);
  }
  struct use to = use_now();
  await_all(missing_entries);
  for (int index = 0; index < job.connections; index++) {
    uint64_t received = connections[index]->received;
    if (received != job.entries) fail("a reader got %lu of %lu entries", received, job.entries);
  }
  printf("{\"kind\":\"rate\",\"perS\":%.1f,", job.entries * job.connections / elapsed_s(from, to));
  print_use(from, to);
  printf("}\n");
}
