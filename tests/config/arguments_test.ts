import { assert, assertEquals, assertNotMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { CLIENT_PROGRAM, heartbeatEndpoint, parseClientArguments } from "../../config/client_arguments.ts";
import { parseServerArguments, SERVER_PROGRAM } from "../../config/server_arguments.ts";
import { DEFAULT_CONFIG } from "../../config/config.ts";
import { type Flag, helpText, UsageError } from "../../config/flags.ts";
import { layered } from "../../config/load.ts";

function serverRefusal(...args: string[]): string {
  return assertThrows(() => parseServerArguments(args), UsageError).message;
}

function clientRefusal(...args: string[]): string {
  return assertThrows(() => parseClientArguments(args), UsageError).message;
}

Deno.test("parseServerArguments() takes every flag of the server", () => {
  const line = "--host 0.0.0.0 --port 0 --advertise example.org --secret s3 --data kept --idle 2.5 --interval .25 " +
    "--join a:1 --announce 70 --time-before-reconnect 80 --weight 3 --no-rebalance --durability replicated " +
    "--older-dialect --activity-check-interval 90 --heartbeats 4 --config my.json --no-prompt --trace t.jsonl --trace-limit 2 --log-level debug --log-format json --log-file a.log --http 8080 --grpc [::1]:7080 --show activities";
  assertEquals(parseServerArguments(line.split(" ")), {
    action: "serve",
    layer: {
      server: { host: "0.0.0.0", port: 0 },
      heartbeat: { idleTimeoutMs: 2500, intervalMs: 250, count: 4 },
      cluster: {
        secret: "s3",
        advertise: "example.org",
        join: ["a:1"],
        announceIntervalMs: 70,
        timeBeforeReconnectMs: 80,
        weight: 3,
        rebalance: false,
        durability: "replicated",
        olderDialect: true,
        activityCheckIntervalMs: 90,
      },
      store: { data: "kept", ephemeral: false },
      gateway: { http: { listen: "8080" }, grpc: { listen: "[::1]:7080" } },
      log: { level: "debug", format: "json", file: "a.log" },
    },
    configFile: "my.json",
    mayAsk: false,
    secretFile: undefined,
    showsActivities: true,
    trace: "t.jsonl",
    traceLimitBytes: 2_097_152,
  });
  assertEquals(parseServerArguments(["--ephemeral"]).layer.store, { ephemeral: true });
});

Deno.test("parseServerArguments() says nothing where nothing was said", () => {
  assertEquals(parseServerArguments([]), {
    action: "serve",
    layer: { server: {}, heartbeat: {}, cluster: {}, store: {}, gateway: {}, log: {} },
    configFile: undefined,
    mayAsk: true,
    secretFile: undefined,
    showsActivities: false,
    trace: undefined,
    traceLimitBytes: undefined,
  });
});

Deno.test("parseServerArguments() asks nothing where the command line is one of the multi-server family", () => {
  for (const line of ["-lh 127.0.0.1", "-lp 3780", "-rh a -rp 1", "-s abc", "-a 1500", "-lp=1"]) {
    assertEquals(parseServerArguments(line.split(" ")).mayAsk, false, line);
  }
  for (const line of ["--port 1", "--secret abc", "--announce 1500", "--data=-s", "--log-file=-lp"]) {
    assertEquals(parseServerArguments(line.split(" ")).mayAsk, true, line);
  }
});

Deno.test("parseServerArguments() takes the secret from one place", () => {
  const { secretFile, layer } = parseServerArguments(["--secret-file", "kept/secret"]);
  assertEquals([secretFile, layer.cluster], ["kept/secret", {}]);
  assertStringIncludes(serverRefusal("-s", "abc", "--secret-file", "x"), "give one of them");
});

Deno.test("parseServerArguments() takes the single-dash names of the family, also with an equals sign", () => {
  for (const line of ["-lh ::1 -lp 3780 -s abc -a 1500", "-lh=::1 -lp=3780 -s=abc -a=1500"]) {
    const { layer } = parseServerArguments(line.split(" "));
    assertEquals(layer.server, { host: "::1", port: 3780 });
    assertEquals(layer.cluster, { secret: "abc", announceIntervalMs: 1500 });
  }
});

Deno.test("parseServerArguments() takes the long names of the family, with a single dash and underscores", () => {
  const line =
    "-activity_check_interval 2000 -time_before_reconnect=0 -sync_interval 3000 -lh localhost -lp 8001 -s abc";
  assertEquals(parseServerArguments(line.split(" ")).layer.cluster, {
    secret: "abc",
    announceIntervalMs: 3000,
    timeBeforeReconnectMs: 0,
    activityCheckIntervalMs: 2000,
  });
  assertEquals(
    serverRefusal("-time_before_reconnect", "soon"),
    '-time_before_reconnect must be milliseconds from 0 to 3600000, not "soon"',
  );
});

Deno.test("parseServerArguments() takes several servers to join, in their order", () => {
  const joinOf = (line: string) => parseServerArguments(line.split(" ")).layer.cluster?.join;
  assertEquals(joinOf("--join b.example:2 --join [::1]:3 --join=a:1 --join a:1"), [
    "b.example:2",
    "[::1]:3",
    "a:1",
    "a:1",
  ]);
  assertEquals(joinOf("-lp 8002 -rh localhost -rp 8001"), ["localhost:8001"]);
  assertEquals(joinOf("--remote-host ::1 --remote-port 8001 --join a:1"), ["a:1", "[::1]:8001"]);
  for (const wrong of ["a", "a:", ":1", "a:0", "a:65536", "::1:3", "a b:1", "a:1,b:2"]) {
    assertEquals(serverRefusal("--join", wrong), `--join must be HOST:PORT, not ${JSON.stringify(wrong)}`);
  }
  assertEquals(serverRefusal("--join"), "--join needs a value, HOST:PORT");
  assertEquals(serverRefusal("--join", "a:1", "--join", "b"), '--join must be HOST:PORT, not "b"');
});

Deno.test("parseServerArguments() wants -rh and -rp together", () => {
  assertEquals(serverRefusal("-rh", "here"), "-rh needs -rp PORT too: together they name the server to join");
  assertEquals(serverRefusal("-rp", "8001"), "-rp needs -rh HOST too: together they name the server to join");
  assertEquals(
    serverRefusal("-rh", "a", "-rh", "b", "-rp", "1"),
    "--remote-host is given twice, with different values",
  );
});

Deno.test("a usage error names the flag, the value and what is allowed", () => {
  assertEquals(serverRefusal("--port", "eighty"), '--port must be a port from 0 to 65535, not "eighty"');
  assertEquals(serverRefusal("-lp", "65536"), '-lp must be a port from 0 to 65535, not "65536"');
  assertEquals(
    serverRefusal("--interval", "soon"),
    '--interval must be seconds from 0.001 to 3600, fractions allowed, not "soon"',
  );
  assertEquals(serverRefusal("--interval=-5"), serverRefusal("--interval=soon").replace("soon", "-5"));
  assertEquals(serverRefusal("--heartbeats", "0"), '--heartbeats must be a number from 1 to 100, not "0"');
  assertEquals(serverRefusal("--log-format", "xml"), '--log-format must be text or json, not "xml"');
  assertEquals(serverRefusal("--host", "a b"), '--host must be a host name or an address, not "a b"');
});

Deno.test("a usage error names the nearest known flag for an unknown one", () => {
  assertEquals(serverRefusal("--prot", "1"), 'Unknown flag "--prot"; did you mean --port?');
  assertEquals(serverRefusal("-lq", "1"), 'Unknown flag "-lq"');
  assertEquals(serverRefusal("--username", "ada"), 'Unknown flag "--username"');
  assertEquals(serverRefusal("--__proto__=1"), 'Unknown flag "--__proto__"');
  assertEquals(serverRefusal("--constructor"), 'Unknown flag "--constructor"');
});

Deno.test("a usage error says that a value is missing", () => {
  assertEquals(serverRefusal("--port"), "--port needs a value, a port from 0 to 65535");
  assertEquals(
    serverRefusal("--port", "--host", "x"),
    "--port needs a value, a port from 0 to 65535; " + dashHint("--port"),
  );
  assertEquals(serverRefusal("--data", ""), "--data needs a value, the name of a folder");
  assertEquals(
    clientRefusal("-s", "-x"),
    `-s needs a value, 1 to 256 characters, no control characters; ${dashHint("-s")}`,
  );
  assertEquals(parseClientArguments(["-s=-x"]).secret, "-x");
});

Deno.test("a usage error shows no secret", () => {
  for (
    const args of [["--secert=hunter2"], ["-s", "hunter2", "--nonsense"], ["-s", "hunter2", "-s", "hunter3"], [
      "-s",
      "hunter2".repeat(50),
    ]]
  ) {
    assertNotMatch(serverRefusal(...args), /hunter/);
  }
});

Deno.test("a flag may be given twice only with one value", () => {
  assertEquals(parseServerArguments(["--port", "1", "-lp", "1"]).layer.server?.port, 1);
  assertEquals(serverRefusal("--port", "1", "-lp", "2"), "--port is given twice, with different values");
});

Deno.test("a switch takes no value, and a server no word but its commands", () => {
  assertEquals(serverRefusal("--ephemeral=no"), "--ephemeral is a switch and takes no value");
  assertEquals(serverRefusal("--no-prompt=false"), "--no-prompt is a switch and takes no value");
  assertEquals(
    serverRefusal("start"),
    'Unknown command "start"; it must be drain, recover, tls-init, admin or audit-log',
  );
  assertEquals(serverRefusal("drian"), 'Unknown command "drian"; did you mean drain?');
  assertEquals(serverRefusal("drain", "now"), 'Unexpected argument "now"');
  assertEquals(
    serverRefusal("--", "--port"),
    'Unknown command "--port"; it must be drain, recover, tls-init, admin or audit-log',
  );
});

Deno.test("drain takes what says which server it is about, and nothing else", () => {
  const { action, layer } = parseServerArguments(["drain", "--http", "8080", "--data", "d", "--port", "1"]);
  assertEquals(action, "drain");
  assertEquals(layer.gateway, { http: { listen: "8080" } });
  assertEquals(layer.store?.data, "d");
  assertEquals(serverRefusal("drain", "--weight", "2"), "--weight means nothing to drain");
  assertEquals(serverRefusal("--ephemeral", "drain"), "--ephemeral means nothing to drain");
  assertEquals(parseServerArguments(["drain", "--help"]).action, "help");
});

Deno.test("tls-init takes hosts, or a client, and what to call the files", () => {
  const { action, tlsInit } = parseServerArguments(["tls-init", "a.lan", "10.0.0.7"]);
  assertEquals(action, "tlsInit");
  assertEquals(tlsInit, { hosts: ["a.lan", "10.0.0.7"], folder: "thrum-tls", name: "server", client: undefined });
  assertEquals(parseServerArguments(["tls-init", "--out", "d", "--client", "anna"]).tlsInit, {
    hosts: [],
    folder: "d",
    name: "server",
    client: "anna",
  });
  assertEquals(parseServerArguments([]).tlsInit, undefined);
  assertEquals(serverRefusal("tls-init", "--port", "1"), "--port means nothing to tls-init");
  assertEquals(serverRefusal("--name", "a"), "--name belongs to tls-init only");
  assertStringIncludes(serverRefusal("tls-init", "--client", "anna", "a.lan"), "has neither HOST nor --name");
  // They would be files of the authority, or lead out of the folder.
  for (const name of ["ca", "CA", "a-key", "../a", ".a", "-a", "a/b"]) {
    assertStringIncludes(serverRefusal("tls-init", `--name=${name}`), "--name must be up to 64 letters");
  }
});

Deno.test("--ephemeral and --data exclude each other", () => {
  assertStringIncludes(serverRefusal("--ephemeral", "--data", "x"), "--data cannot be given");
});

Deno.test("parseClientArguments() takes every flag of the client", () => {
  const line = "exchange --host example.org --port 1 -u ada -s abc --config my.json --json --interval 0.5 " +
    "--block-heartbeat 2 --message hello --heartbeat-port 0 --no-prompt --trace t.jsonl --trace-limit 1";
  assertEquals(parseClientArguments(line.split(" ")), {
    action: "exchange",
    helpFor: undefined,
    shell: undefined,
    layer: { server: { host: "example.org", port: 1 } },
    configFile: "my.json",
    mayAsk: false,
    username: "ada",
    secret: "abc",
    json: true,
    activity: undefined,
    isText: false,
    skipInvalid: false,
    channel: undefined,
    listen: {
      count: undefined,
      timeoutMs: undefined,
      untilCaughtUp: false,
      from: [],
      format: undefined,
      since: undefined,
      channels: undefined,
    },
    last: undefined,
    direct: undefined,
    isSure: false,
    online: false,
    tls: undefined,
    invitation: undefined,
    clearSecrets: false,
    remember: false,
    intervalMs: 500,
    blockHeartbeatMs: 2000,
    message: "hello",
    heartbeatPort: 0,
    trace: "t.jsonl",
    traceLimitBytes: 1_048_576,
  });
});

Deno.test("parseClientArguments() takes either pair of the family's names for whom to call", () => {
  for (const line of ["-rh here -rp 9", "-lh here -lp 9", "-rh=here -lp=9"]) {
    assertEquals(parseClientArguments(line.split(" ")).layer.server, { host: "here", port: 9 });
  }
  assertEquals(clientRefusal("-rp", "1", "-lp", "2"), "--port is given twice, with different values");
  assertEquals(clientRefusal("--port", "0"), '--port must be a port from 1 to 65535, not "0"');
});

Deno.test("parseClientArguments() knows the commands and the nearest one", () => {
  assertEquals(parseClientArguments([]).action, "interactive");
  assertEquals(parseClientArguments(["listen"]).action, "listen");
  assertEquals(parseClientArguments(["-u", "ada", "register"]).action, "register");
  assertEquals(clientRefusal("publsh"), 'Unknown command "publsh"; did you mean publish?');
  assertEquals(
    clientRefusal("dance"),
    'Unknown command "dance"; it must be publish, listen, send, users, register, passwd, forget, exchange, completion, man or help',
  );
  assertEquals(clientRefusal("listen", "now"), 'Unexpected argument "now"');
});

Deno.test("parseClientArguments() gives publish its activity as it was typed", () => {
  assertEquals(parseClientArguments(["publish"]).activity, undefined);
  assertEquals(parseClientArguments(["publish", '{"n":007}']).activity, '{"n":007}');
  assertEquals(parseClientArguments(["publish", "007"]).activity, "007");
  assertEquals(clientRefusal("publish", "{}", "{}"), 'Unexpected argument "{}"');
});

Deno.test("parseClientArguments() gives send its user and its text, and wants both", () => {
  assertEquals(parseClientArguments(["send", "bob", "at five?", "-u", "ada"]).direct, { to: "bob", text: "at five?" });
  assertEquals(parseClientArguments(["send", "--", "007", "-x"]).direct, { to: "007", text: "-x" });
  assertEquals(clientRefusal("send"), "send needs a name and a text: send NAME TEXT");
  assertEquals(clientRefusal("send", "bob"), "send needs a name and a text: send NAME TEXT");
  assertEquals(clientRefusal("send", "bob", ""), "send needs a text that is not empty");
  assertEquals(clientRefusal("send", "bob", "at", "five"), 'Unexpected argument "five"');
  assertEquals(parseClientArguments(["send", "--help"]).action, "help");
});

Deno.test("parseClientArguments() lists all users, or those who are online", () => {
  assertEquals(parseClientArguments(["users"]).online, false);
  assertEquals(parseClientArguments(["users", "--online", "--json"]).online, true);
  assertEquals(clientRefusal("users", "bob"), 'Unexpected argument "bob"');
  assertEquals(clientRefusal("listen", "--online"), "--online belongs to users only");
});

Deno.test("parseClientArguments() takes when listen ends, and what it shows", () => {
  const line = "listen --count 3 --timeout 1.5 --until-caught-up --from ada --from bob --format json --json";
  assertEquals(parseClientArguments(line.split(" ")).listen, {
    count: 3,
    timeoutMs: 1500,
    untilCaughtUp: true,
    from: ["ada", "bob"],
    format: "json",
    since: undefined,
    channels: undefined,
  });
  assertEquals(clientRefusal("listen", "--json", "--format", "text"), "--json means --format json");
  assertStringIncludes(
    clientRefusal("listen", "--format", "{nobody}"),
    "--format must be text, json, or a template of {",
  );
  assertEquals(clientRefusal("publish", "--count", "1"), "--count belongs to listen only");
  const { isText, skipInvalid } = parseClientArguments(["publish", "--text", "--skip-invalid"]);
  assertEquals([isText, skipInvalid], [true, true]);
});

Deno.test("parseClientArguments() takes how much of the past comes first", () => {
  const { last, listen } = parseClientArguments(["listen", "--last", "5", "--since", "10m"]);
  assertEquals([last, listen.since], [5, { kind: "span", ms: 600_000 }]);
  assertEquals(parseClientArguments(["--last", "0"]).last, 0);
  assertEquals(parseClientArguments([]).last, undefined);
  assertEquals(clientRefusal("users", "--last", "3"), "--last belongs to the client without a command or listen only");
  assertStringIncludes(
    clientRefusal("listen", "--since", "yesterday"),
    "--since must be a time span (30s, 10m, 2h, 3d)",
  );
});

Deno.test("parseClientArguments() takes a host with its port", () => {
  const serverOf = (...args: string[]) => parseClientArguments(args).layer.server;
  assertEquals(serverOf("--host", "example.org:9"), { host: "example.org", port: 9 });
  assertEquals(serverOf("-rh", "[::1]:9"), { host: "::1", port: 9 });
  assertEquals(serverOf("--host", "::1"), { host: "::1" });
  assertEquals(serverOf("--host", "a:9", "--port", "9"), { host: "a", port: 9 });
  assertEquals(clientRefusal("--host", "a:9", "--port", "8"), "--host names the port 9, and --port 8");
  for (const wrong of ["a:", ":9", "a:0", "a:65536", "a:b", "[::1]:x"]) {
    assertEquals(clientRefusal("--host", wrong), `--host must be HOST or HOST:PORT, not ${JSON.stringify(wrong)}`);
  }
});

Deno.test("parseClientArguments() tells of the program in every usual way", () => {
  const asked = (...args: string[]) => {
    const { action, helpFor } = parseClientArguments(args);
    return [action, helpFor];
  };
  assertEquals(asked("help"), ["help", undefined]);
  assertEquals(asked("--help"), ["help", undefined]);
  for (const line of ["help listen", "listen --help", "listen -h", "-h listen", "listen now -h"]) {
    assertEquals(asked(...line.split(" ")), ["help", "listen"], line);
  }
  assertEquals(asked("-V"), ["version", undefined]);
  assertEquals(parseServerArguments(["-V"]).action, "version");
  assertEquals(clientRefusal("help", "lisen"), 'Unknown command "lisen"; did you mean listen?');
  assertEquals(clientRefusal("help", "listen", "send"), 'Unexpected argument "send"');
  assertEquals(clientRefusal("completion"), "completion needs the name of a shell: bash, zsh or fish");
  assertEquals(clientRefusal("completion", "tcsh"), clientRefusal("completion"));
  assertEquals(parseClientArguments(["completion", "zsh"]).shell, "zsh");
});

Deno.test("parseClientArguments() refuses flags of another command", () => {
  assertEquals(clientRefusal("--message", "x"), "--message belongs to exchange only");
  assertEquals(clientRefusal("listen", "--interval", "1"), "--interval belongs to exchange only");
  assertEquals(
    clientRefusal("--json"),
    "--json belongs to publish, listen, send, users, register, passwd or exchange only",
  );
});

Deno.test("heartbeatEndpoint() is there only when the command line or a file that was asked for says so", () => {
  const endpointOf = (args: string[], layer = {}) => {
    const asked = parseClientArguments(args);
    return heartbeatEndpoint(asked, { layer, config: layered(DEFAULT_CONFIG, layer, asked.layer) });
  };
  const client = { host: "10.0.0.9", port: 8001 };
  assertEquals(endpointOf([]), undefined);
  assertEquals(endpointOf([], { client }), undefined);
  assertEquals(endpointOf(["--config", "x"]), undefined);
  assertEquals(endpointOf(["--config", "x"], { client }), client);
  assertEquals(endpointOf(["--heartbeat-port", "7"], { client }), { host: "127.0.0.1", port: 7 });
  assertEquals(endpointOf(["--heartbeat-port", "7", "--config", "x"], { client }), { host: "10.0.0.9", port: 7 });
  assertEquals(endpointOf(["--heartbeat-port", "7", "--host", "10.0.0.1"]), { host: "0.0.0.0", port: 7 });
});

Deno.test("helpText() shows every flag, and fits a terminal", () => {
  for (const program of [SERVER_PROGRAM, CLIENT_PROGRAM]) {
    const help = helpText(program, "1.2.3");
    assert(help.startsWith(`${program.name} 1.2.3  `));
    for (const [name, flag] of Object.entries<Flag<unknown>>(program.flags)) {
      assertStringIncludes(help, `  --${[name, ...(flag.short ?? [])].join(", ")}`);
    }
    for (const line of help.split("\n")) assert([...line].length <= 80, line);
  }
  assertStringIncludes(helpText(SERVER_PROGRAM, "1.2.3"), "THRUM_SECRET");
});

function dashHint(flag: string): string {
  return `one that begins with "-" is written ${flag}=…`;
}

Deno.test("audit-log takes a folder behind verify, or the flags that name one", () => {
  assertEquals(parseServerArguments(["audit-log", "verify", "/data"]).folder, "/data");
  const { action, folder, layer } = parseServerArguments(["audit-log", "verify", "--data", "/data"]);
  assertEquals([action, folder, layer.store?.data], ["auditLog", undefined, "/data"]);
  for (
    const line of [
      ["audit-log"],
      ["audit-log", "mend"],
      ["audit-log", "verify", "a", "b"],
      ["audit-log", "verify", "a", "--data", "b"],
      ["audit-log", "verify", "--ephemeral"],
    ]
  ) serverRefusal(...line);
});
