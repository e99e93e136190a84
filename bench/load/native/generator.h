/*
 * What the parts of the native load generator share. One process, one thread, one epoll: everything below is called
 * from one loop, and nothing needs a lock.
 */

#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits of a time stamp (after "~") and of a message id (after "#"), as in `../stamps.ts`. */
#define STAMP_DIGITS 12
/* Stands for the digits of a channel, in what a receiver says and in a publication: `CHANNEL` in `../wire.ts`. */
#define CHANNEL_MARK "%%%%%"
/* Of a line that came in pieces, so much of its beginning is kept: enough for an answer. */
#define KEPT_OF_LINE 384

/* ---- count.c: what a receiver counts in its bytes, whatever the chunks */

struct counter {
  enum { LINES, FRAMES, MARKED } kind;
  /* LINES: the length of the line before. FRAMES: the length of each frame. */
  long length;
  /* LINES: bytes of the unfinished line. FRAMES: bytes of the frame that are still missing. */
  long carried;
  /* FRAMES: the first byte of a frame, and whether a line that is no frame is being passed over. */
  char first;
  bool in_line;
  /* MARKED: what a line that counts begins with, and what one begins with that is told apart from it. */
  const char *mark, *other_mark;
  char kept[KEPT_OF_LINE];
  /* Lines that began with `other_mark`. */
  uint64_t others;
  /* MARKED: the highest number that an answer for a whole range named; 0 when there was none. */
  uint64_t up_to;
};

/* Makes a counter of "lines", "frames:BYTE:LENGTH" or "marked:BEGINNING". Exits when the text is none of these. */
struct counter counter_of(const char *text, const char *other_mark);
/* Takes the next bytes, and returns how many messages they complete. */
uint64_t count(struct counter *counter, const char *bytes, size_t length);

/* Finds the stamps in one connection's bytes. */
struct stamps {
  int missing;
  uint64_t value;
};
/* Takes the next bytes, and calls `on_stamp` for each stamp that they complete. Returns how many these were. */
uint64_t read_stamps(struct stamps *stamps, const char *bytes, size_t length, void (*on_stamp)(uint64_t stamp_us));
/* Writes `number` in STAMP_DIGITS digits. */
void write_digits(char *at, uint64_t number);

/* ---- connection.c: sockets */

struct connection {
  int fd, index;
  bool is_ready, is_closed, waits_to_write;
  const struct hello *hello;
  /* Absent without TLS. */
  struct ssl_st *tls;
  char *greeting;
  size_t greeting_length;
  struct counter counter;
  struct stamps stamps;
  uint64_t received, published;
  /* What the socket did not take yet. */
  char *out;
  size_t out_length, out_sent, out_room;
};

/* First words on a connection, and the text in the answer after whose line it is ready. */
struct hello {
  const char *say, *ready;
};

typedef void on_bytes(struct connection *connection, const char *bytes, size_t length);

/* Called with what comes after the answer to the first words. */
extern on_bytes *receive;

/* Connects to `port` of 127.0.0.1. `connect_all` waits until all that were opened are ready. */
struct connection *open_connection(int port, int index, const struct hello *hello);
void connect_all(void);
/* Writes, or keeps what the socket does not take. The bytes may be used again after the call. */
void send_bytes(struct connection *connection, const char *bytes, size_t length);
/* Handles what there is, and waits for it until `until_us` at most. */
void handle_events(uint64_t until_us);
/* Makes `handle_events` return every `us` microseconds; 0 ends that. */
void tick_every(uint64_t us);
/* Connections that the server ended. */
extern int closed_connections;

/* ---- generator.c: the job, the clock and the result */

struct job {
  const char *kind, *frame, *deliveries, *delivered_mark;
  int ports[16], port_count, pids[16], pid_count;
  int connections, publishers, window;
  /* Publications go to one after the other of so many channels; 0 when there are none. */
  int channels;
  long warmup_ms, measure_ms, deadline_ms;
  double rate_per_s;
  /* Whether the server is called by TLS. Whoever answers is believed. */
  int tls;
  uint64_t entries;
  struct hello receive, publish;
};
extern struct job job;

/* Microseconds of the monotonic clock. */
uint64_t now_us(void);
/* Processor time that the servers, and this process, have used since their start. */
uint64_t servers_cpu_ms(void);
uint64_t own_cpu_us(void);
/* Prints {"kind":"failure"} with the reason, and ends. */
_Noreturn void fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- loads.c: each prints its result */

void run_fanout(void);
void run_latency(void);
void run_ack(void);
void run_hold(void);
void run_readers(void);
