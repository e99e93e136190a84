/** Clients with names that come back all at once, as after a power cut: how many logins a second a server takes. */

import {
  CORES_COLUMNS,
  generatorNotes,
  medianColumn,
  SERVER_COLUMN,
  spreadColumns,
  tableOf,
  versusLabelColumn,
} from "../figures/columns.ts";
import { makeAccounts } from "../load/storm.ts";
import { type Bench, type Figures, type Measured, measureOnce, type Part } from "../part.ts";
import { endServer } from "../start_server.ts";

/** Each costs the server a derivation when it is made, and the generator or the server one in each round. */
const ACCOUNTS = 100;
const ACCOUNTS_BRIEF = 4;
/** With `scram`, of each account: once each would be over before the generator has warmed up. */
const LOGINS_EACH = 50;
/** Logins under way. A server derives two keys at a time, and all others wait for their turn. */
const AT_ONCE = 16;
const CLEAR = "in clear";
const WAYS = [["with scram", "scram", LOGINS_EACH], [CLEAR, "clear", 1]] as const;

const perS = ({ perS }: Figures) => perS;
/** Of the server, for one login. */
const processorMs = ({ serverCores, perS }: Figures) =>
  serverCores === undefined || perS === undefined ? undefined : serverCores / perS * 1_000;

/** Logins that tell no secret, and logins that tell it, at a server that knows nobody but by its data folder. */
export const storm: Part = {
  name: "storm",
  measure: async (bench) => ({ measured: await stormRounds(bench) }),
  tables: ({ measured }) => [
    tableOf(
      "Storm: clients with names log in at a server that was just started, each on a connection of its own, and go; " +
        `${AT_ONCE} at a time`,
      [{ head: "the secret", text: ({ label }) => label }, SERVER_COLUMN],
      [
        ...spreadColumns("logins/s", perS),
        versusLabelColumn("vs in clear", perS, CLEAR),
        medianColumn("server processor ms per login", processorMs),
        ...CORES_COLUMNS,
      ],
      measured,
      generatorNotes(measured),
    ),
  ],
};

async function stormRounds(bench: Bench): Promise<Measured[]> {
  const accounts = bench.isBrief ? ACCOUNTS_BRIEF : ACCOUNTS;
  const contender = bench.contenders.find(({ family }) => family === "stored")!;
  const folder = await bench.children.folder();
  const first = await contender.start(bench.children, folder);
  await makeAccounts(first.port, accounts);
  await endServer(first, "SIGKILL");
  const rows = WAYS.map(([label], at) => ({ label, at, family: contender.family, name: contender.name }));
  const rounds = rows.map((): (Figures | null)[] => []);
  for (let round = 1; round <= bench.rounds; round++) {
    for (const [index, [label, way, loginsEach]] of WAYS.entries()) {
      const server = await contender.start(bench.children, folder);
      const logins = accounts * loginsEach;
      const load = { kind: "storm", way, accounts, logins, atOnce: AT_ONCE, deadlineMs: 120_000 } as const;
      const what = `storm ${label} · round ${round} of ${bench.rounds} · ${contender.name}`;
      rounds[index]!.push(await measureOnce(bench, what, contender, server, load));
      await endServer(server, "SIGKILL");
    }
  }
  return rows.map((row, index) => ({ ...row, rounds: rounds[index]! }));
}
