/*
 * The load generator in C: takes a job as key=value arguments (`../native.ts` writes them), puts the load on a server,
 * prints its result as one line of JSON, and ends. It always ends within the job's deadline.
 *
 * It exists beside the generator in TypeScript because that one needs up to a whole core at ten million deliveries a
 * second, and then measures itself. This one needs a fifth of that. It knows no product: what is said and what is
 * counted comes with the job, so every product has the same loops.
 */

#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "generator.h"

struct job job;

uint64_t now_us(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000ull + time.tv_nsec / 1000;
}

uint64_t own_cpu_us(void) {
  struct rusage use;
  getrusage(RUSAGE_SELF, &use);
  return (use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000ull + use.ru_utime.tv_usec + use.ru_stime.tv_usec;
}

/* User and system time of all threads; 0 when there is no such process. */
static uint64_t cpu_ms(int pid) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (file == NULL) return 0;
  size_t length = fread(text, 1, sizeof text - 1, file);
  fclose(file);
  text[length] = 0;
  /* After the name, which is in parentheses and may hold anything. */
  const char *fields = strrchr(text, ')');
  unsigned long user = 0, kernel = 0;
  const char *form = " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %lu %lu";
  if (fields == NULL || sscanf(fields + 1, form, &user, &kernel) != 2) return 0;
  return (user + kernel) * 1000 / sysconf(_SC_CLK_TCK);
}

uint64_t servers_cpu_ms(void) {
  uint64_t sum = 0;
  for (int index = 0; index < job.pid_count; index++) sum += cpu_ms(job.pids[index]);
  return sum;
}

static void print_quoted(const char *text) {
  putchar('"');
  for (; *text != 0; text++) {
    unsigned char byte = *text;
    if (byte == '"' || byte == '\\') printf("\\%c", byte);
    else if (byte < 0x20 || byte > 0x7e) printf("\\u%04x", byte);
    else putchar(byte);
  }
  putchar('"');
}

void fail(const char *format, ...) {
  char message[512];
  va_list values;
  va_start(values, format);
  vsnprintf(message, sizeof message, format, values);
  va_end(values);
  printf("{\"kind\":\"failure\",\"message\":");
  print_quoted(message);
  printf("}\n");
  fflush(stdout);
  _exit(0);
}

/* Writes without stdio: it runs in a signal handler. */
static void on_deadline(int signal) {
  (void)signal;
  static const char text[] = "{\"kind\":\"failure\",\"message\":\"not done within its time\"}\n";
  if (write(STDOUT_FILENO, text, sizeof text - 1) < 0) _exit(1);
  _exit(0);
}

static int numbers(const char *text, int *into, int room) {
  int count = 0;
  for (char *end; *text != 0 && count < room; text = *end == ',' ? end + 1 : end) {
    into[count++] = (int)strtol(text, &end, 10);
    if (end == text) fail("these are not numbers: %s", text);
  }
  return count;
}

static void take(const char *key, const char *value) {
  const struct {
    const char *key, **text;
  } texts[] = {
      {"kind", &job.kind},
      {"frame", &job.frame},
      {"deliveries", &job.deliveries},
      {"delivered", &job.delivered_mark},
      {"receive.say", &job.receive.say},
      {"receive.ready", &job.receive.ready},
      {"publish.say", &job.publish.say},
      {"publish.ready", &job.publish.ready},
  };
  for (size_t index = 0; index < sizeof texts / sizeof *texts; index++) {
    if (strcmp(key, texts[index].key) == 0) {
      *texts[index].text = value;
      return;
    }
  }
  if (strcmp(key, "ports") == 0) job.port_count = numbers(value, job.ports, 16);
  else if (strcmp(key, "pids") == 0) job.pid_count = numbers(value, job.pids, 16);
  else if (strcmp(key, "connections") == 0) job.connections = atoi(value);
  else if (strcmp(key, "publishers") == 0) job.publishers = atoi(value);
  else if (strcmp(key, "channels") == 0) job.channels = atoi(value);
  else if (strcmp(key, "window") == 0) job.window = atoi(value);
  else if (strcmp(key, "warmup") == 0) job.warmup_ms = atol(value);
  else if (strcmp(key, "measure") == 0) job.measure_ms = atol(value);
  else if (strcmp(key, "tls") == 0) job.tls = atoi(value);
  else if (strcmp(key, "deadline") == 0) job.deadline_ms = atol(value);
  else if (strcmp(key, "rate") == 0) job.rate_per_s = atof(value);
  else if (strcmp(key, "entries") == 0) job.entries = strtoull(value, NULL, 10);
  else fail("there is no \"%s\" in a job", key);
}

/* For tests: counts what comes from standard input, read in pieces of the job's window. */
static void count_input(void) {
  struct counter counter = counter_of(job.deliveries, job.delivered_mark);
  uint64_t counted = 0;
  char *piece = malloc(job.window);
  for (ssize_t length; (length = read(STDIN_FILENO, piece, job.window)) > 0;) {
    counted += count(&counter, piece, length);
  }
  printf("{\"counted\":%lu,\"others\":%lu,\"upTo\":%lu}\n", counted, counter.others, counter.up_to);
}

int main(int count, char **arguments) {
  for (int index = 1; index < count; index++) {
    char *equals = strchr(arguments[index], '=');
    if (equals == NULL) fail("this is no part of a job: %s", arguments[index]);
    *equals = 0;
    take(arguments[index], equals + 1);
  }
  /* Whatever becomes of the benchmark, this process ends. */
  signal(SIGALRM, on_deadline);
  struct itimerval deadline = {.it_value = {job.deadline_ms / 1000, job.deadline_ms % 1000 * 1000}};
  setitimer(ITIMER_REAL, &deadline, NULL);
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);

  const struct {
    const char *kind;
    void (*run)(void);
  } loads[] = {
      {"fanout", run_fanout}, {"channels", run_fanout}, {"fill", run_fanout},     {"latency", run_latency},
      {"ack", run_ack},       {"hold", run_hold},       {"readers", run_readers}, {"count", count_input},
  };
  for (size_t index = 0; index < sizeof loads / sizeof *loads; index++) {
    if (job.kind == NULL || strcmp(job.kind, loads[index].kind) != 0) continue;
    loads[index].run();
    fflush(stdout);
    return 0;
  }
  fail("there is no such load: %s", job.kind == NULL ? "" : job.kind);
}
