import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { getLogger, type LogLevel, type LogRecord } from "@logtape/logtape";
import { logFormatter, startLogging } from "../../platform/logging.ts";
import { FileError } from "../../platform/files/text_file.ts";

function record(level: LogLevel, ...message: unknown[]): LogRecord {
  const timestamp = new Date(2026, 0, 2, 3, 4, 5, 6).getTime();
  return { category: ["thrum", "server"], level, message, rawMessage: "", properties: {}, timestamp };
}

Deno.test("logFormatter() writes time and message, and the level where it is not the usual one", () => {
  const format = logFormatter("text", "pipe");
  assertEquals(
    format(record("info", "connected with ", "127.0.0.1:5", "")),
    "[2026-01-02 03:04:05.006] connected with 127.0.0.1:5\n",
  );
  assertEquals(format(record("warning", "late")), "[2026-01-02 03:04:05.006] warning: late\n");
  assertEquals(format(record("error", "bad")), "[2026-01-02 03:04:05.006] error: bad\n");
});

Deno.test("logFormatter() writes the same time everywhere", () => {
  for (const place of ["file", "terminal"] as const) {
    assertMatch(logFormatter("text", place)(record("info", "hello")), /2026-01-02 03:04:05\.006.*hello\n$/);
  }
});

Deno.test("logFormatter() colours the level on a terminal, and nothing in a pipe", () => {
  const coloured = logFormatter("text", "terminal")(record("warning", "late"));
  assert(coloured.includes("\x1b[33mwarning"), coloured);
  assert(!logFormatter("text", "pipe")(record("warning", "late")).includes("\x1b"));
});

Deno.test("logFormatter() keeps a record on one line, whatever a client sent", () => {
  const name = "ada\n[03:04:05.006] forged\r\x1b[2J";
  for (const place of ["terminal", "pipe", "file"] as const) {
    const line = logFormatter("text", place)(record("info", "registered ", name, ""));
    assertMatch(line, /^[^\n\r]*ada\\n.*forged[^\n\r]*\n$/);
    assert(!line.includes("\x1b[2J"));
  }
  assertEquals(logFormatter("text", "pipe")(record("info", "a\nb")), "[2026-01-02 03:04:05.006] a\\nb\n");
  const line = logFormatter("json", "pipe")(record("info", "registered ", name, ""));
  assertEquals(line.split("\n").length, 2);
  assertEquals(JSON.parse(line).logger, "thrum.server");
});

Deno.test("startLogging() writes to a file what is not below the level, all of it by the end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/a.log`;
    {
      await using _logging = await startLogging({ level: "info", format: "text", file });
      const logger = getLogger(["thrum", "server"]);
      logger.debug("unseen");
      for (let n = 0; n < 1000; n++) logger.info("line {n}", { n });
      logger.error("last");
    }
    const lines = (await Deno.readTextFile(file)).trimEnd().split("\n");
    assertEquals(lines.length, 1001);
    assertMatch(lines[999]!, /^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}\] line 999$/);
    assertMatch(lines[1000]!, /error: last$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("startLogging() says why it cannot open the log file", async () => {
  const error = await assertRejects(
    () => startLogging({ level: "info", format: "text", file: "/gone/a.log" }),
    FileError,
  );
  assertEquals(error.message, 'Cannot open log file "/gone/a.log": there is no such file or folder');
});

Deno.test("startLogging() goes on in a new file when it is told that the former one was moved away", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/a.log`;
    {
      await using logging = await startLogging({ level: "info", format: "text", file });
      const logger = getLogger(["thrum", "server"]);
      logger.info("before");
      await Deno.rename(file, `${file}.old`);
      logging.reopen();
      logger.info("after");
    }
    assertMatch(await Deno.readTextFile(`${file}.old`), /^[^\n]*before\n$/);
    assertMatch(await Deno.readTextFile(file), /^[^\n]*after\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("startLogging() stays in its file where the new one cannot be opened, and says so there", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/logs/a.log`;
    await Deno.mkdir(`${folder}/logs`);
    {
      await using logging = await startLogging({ level: "info", format: "text", file });
      await Deno.rename(`${folder}/logs`, `${folder}/moved`);
      logging.reopen();
      getLogger(["thrum", "server"]).info("after");
    }
    assertMatch(await Deno.readTextFile(`${folder}/moved/a.log`), /Cannot open log file.*\n.*after\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
