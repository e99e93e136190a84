/*
 * Counting messages in a stream of bytes at a few nanoseconds a message. `../counters.ts` does the same for the
 * generator in TypeScript, and `tests/bench/native_test.ts` compares the two.
 */

#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>

#include "generator.h"

struct counter counter_of(const char *text, const char *other_mark) {
  struct counter counter = {.other_mark = other_mark};
  if (strcmp(text, "lines") == 0) {
    counter.kind = LINES;
    counter.length = 1;
  } else if (strncmp(text, "frames:", 7) == 0 && text[7] != 0 && text[8] == ':') {
    counter.kind = FRAMES;
    counter.first = text[7];
    counter.length = atol(text + 9);
  } else if (strncmp(text, "marked:", 7) == 0) {
    counter.kind = MARKED;
    counter.mark = text + 7;
  } else {
    fail("nothing is counted by \"%s\"", text);
  }
  return counter;
}

/* A line is expected to be as long as the one before, so that one look at one byte finds its end. */
static uint64_t count_lines(struct counter *counter, const char *bytes, long length) {
  uint64_t lines = 0;
  /* Negative while the line began in an earlier chunk. */
  long start = -counter->carried;
  for (;;) {
    long expected = start + counter->length;
    if (expected > 0 && expected <= length && bytes[expected - 1] == '\n') {
      start = expected;
    } else {
      long from = start > 0 ? start : 0;
      const char *end = from < length ? memchr(bytes + from, '\n', length - from) : NULL;
      if (end == NULL) break;
      counter->length = end + 1 - bytes - start;
      start = end + 1 - bytes;
    }
    lines++;
  }
  counter->carried = length - start;
  return lines;
}

/* Frames of one length that begin with one byte; lines between them that begin with another are passed over. */
static uint64_t count_frames(struct counter *counter, const char *bytes, long length) {
  uint64_t frames = 0;
  long at = 0;
  while (at < length) {
    if (counter->carried == 0 && (counter->in_line || bytes[at] != counter->first)) {
      const char *end = memchr(bytes + at, '\n', length - at);
      counter->in_line = end == NULL;
      if (end == NULL) break;
      at = end + 1 - bytes;
      continue;
    }
    if (counter->carried == 0) counter->carried = counter->length;
    long taken = counter->carried < length - at ? counter->carried : length - at;
    at += taken;
    counter->carried -= taken;
    if (counter->carried == 0) frames++;
  }
  return frames;
}

static bool begins_with(const char *line, long length, const char *mark) {
  long marked = (long)strlen(mark);
  return length >= marked && memcmp(line, mark, marked) == 0;
}

/* Whether the line counts. One that answers all up to a number sets `up_to` to this. */
static bool is_marked(struct counter *counter, const char *line, long length) {
  if (counter->other_mark != NULL && begins_with(line, length, counter->other_mark)) counter->others++;
  if (!begins_with(line, length, counter->mark)) return false;
  const char *range = memmem(line, length, "\"upTo\":", 7);
  if (range == NULL) return true;
  counter->up_to = strtoull(range + 7, NULL, 10);
  return true;
}

static uint64_t count_marked(struct counter *counter, const char *bytes, long length) {
  uint64_t marked = 0;
  long at = 0;
  while (at < length) {
    const char *end = memchr(bytes + at, '\n', length - at);
    long line = end == NULL ? length - at : end + 1 - bytes - at;
    if (counter->carried == 0 && end != NULL) {
      marked += is_marked(counter, bytes + at, line);
    } else {
      long room = KEPT_OF_LINE - 1 - counter->carried;
      long kept = line < room ? line : room;
      memcpy(counter->kept + counter->carried, bytes + at, kept);
      counter->carried += kept;
      counter->kept[counter->carried] = 0;
      if (end != NULL) {
        marked += is_marked(counter, counter->kept, counter->carried);
        counter->carried = 0;
      }
    }
    at += line;
  }
  return marked;
}

uint64_t count(struct counter *counter, const char *bytes, size_t length) {
  switch (counter->kind) {
    case LINES:
      return count_lines(counter, bytes, (long)length);
    case FRAMES:
      return count_frames(counter, bytes, (long)length);
    default:
      return count_marked(counter, bytes, (long)length);
  }
}

uint64_t read_stamps(struct stamps *stamps, const char *bytes, size_t length, void (*on_stamp)(uint64_t stamp_us)) {
  uint64_t complete = 0;
  const char *at = bytes, *end = bytes + length;
  for (;;) {
    if (stamps->missing == 0) {
      const char *tilde = memchr(at, '~', end - at);
      if (tilde == NULL) return complete;
      at = tilde + 1;
      stamps->missing = STAMP_DIGITS;
      stamps->value = 0;
    }
    for (; stamps->missing > 0 && at < end; stamps->missing--) stamps->value = stamps->value * 10 + (*at++ - '0');
    if (stamps->missing > 0) return complete;
    complete++;
    on_stamp(stamps->value);
  }
}

void write_digits(char *at, uint64_t number) {
  for (int digit = STAMP_DIGITS - 1; digit >= 0; digit--, number /= 10) at[digit] = '0' + number % 10;
}
