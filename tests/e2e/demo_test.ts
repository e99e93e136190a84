/** `deno task demo`, as a newcomer runs it: each step has happened, in its order, and nothing is left behind. */

import { assert, assertEquals } from "@std/assert";
import { tlsSupport } from "../../platform/tls/tls_support.ts";
import { SERVER_IS_COMPILED } from "../support/program.ts";

/** Who does what, in this order. Lines between them are not looked at. */
const STEPS: readonly RegExp[] = [
  /^server +listens on 127\.0\.0\.1:\d+; after 2 s/,
  /^carl +is anonymous, says “Hello, there” and gets his own echo$/,
  /^ada +has nothing to say: asked by a heartbeat, she answered in [\d.]+ ms and stays$/,
  /^carl +is sent END_CONNECTION \(HEARTBEAT_TIMEOUT\)/,
  /^bob +goes on, comes back by himself, and has caught up: 1, 2, 3, 4, 5, each once and in order$/,
  /^ada +and bob are logged in again elsewhere, by themselves$/,
  /^all +ada and bob have each activity once, and in order$/,
  /^ada +changes her secret at south: her client that listens with the old one is sent away$/,
  /^ada +is refused at west with the old secret, and publishes there with the new one$/,
];
const BY_TLS: readonly RegExp[] = [
  /^east +is a server with a certificate, and listens on \d+, by TLS and without$/,
  /^hal +believes another authority: his client refuses the certificate, and ends with exit code 2$/,
  /^ines +believes the one that has signed it, and publishes by TLS$/,
];
const WITHOUT_TLS = /^east +is left out: a server that takes TLS on its one port needs Deno 2\.8$/;
const END = /^server +all \d are asked to stop, tell everybody, and have ended with exit code 0$/;

Deno.test("deno task demo shows each step, and ends in good order without a file that is left", async () => {
  const temporary = await Deno.makeTempDir({ prefix: "thrum-demo-test-" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "demo"],
      cwd: new URL("../../", import.meta.url).pathname,
      env: { NO_COLOR: "1", TMPDIR: temporary },
      stdin: "null",
    }).output();
    const text = new TextDecoder().decode(stdout);
    assertEquals(code, 0, text + new TextDecoder().decode(stderr));

    const said = [...text.matchAll(/^ *[\d.]+ s {2}([✓–]) (.*)$/gm)].map(([, mark, what]) => ({ mark, what: what! }));
    const leftOut = said.filter(({ mark }) => mark === "–").map(({ what }) => what);
    // Of compiled programs nobody knows which Deno is in them: they say it.
    const hasTls = SERVER_IS_COMPILED ? leftOut.length === 0 : tlsSupport(Deno.version.deno).hasOnePort;
    assertEquals(leftOut.filter((what) => !WITHOUT_TLS.test(what)), []);
    assertEquals(leftOut.length, hasTls ? 0 : 1, text);
    let from = 0;
    for (const step of [...STEPS, ...(hasTls ? BY_TLS : [WITHOUT_TLS]), END]) {
      const at = said.findIndex(({ what }, index) => index >= from && step.test(what));
      assert(at >= 0, `There is no ${step} after ${said[from - 1]?.what}:\n${text}`);
      from = at + 1;
    }
    // Compiled programs keep there what V8 has made of their code, for their next start.
    const left = [...Deno.readDirSync(temporary)].filter(({ name }) => !/^deno-compile-.*\.cache$/.test(name));
    assertEquals(left, [], "what is left");
  } finally {
    await Deno.remove(temporary, { recursive: true });
  }
});
