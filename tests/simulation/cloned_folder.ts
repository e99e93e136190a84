/**
 * A copy of a server's folder is started on another machine once all is quiet: it has to end, and
 * its original to go on.
 */

import type { Evidence, Violation } from "./evidence.ts";
import { Chance } from "./chance.ts";
import { History } from "./history.ts";
import type { Settings } from "./schedule.ts";
import { SimServer } from "./sim_server.ts";
import type { Surroundings } from "./surroundings.ts";

/** Of so many simulations in a hundred one ends with a copy. */
const CLONED_PERCENT = 20;
/** A copy meets its original in a moment, or hears of it from a third one after what may be old news. */
const MET_WITHIN_MS = 30_000;
const LOOK_MS = 250;

/** Starts a copy of one of `running`, and writes down who ended. */
export async function joinClone(
  running: readonly SimServer[],
  settings: Settings,
  around: Surroundings,
): Promise<void> {
  const chance = new Chance(around.seed, "clone");
  const originals = running.filter(({ hasFolderOfItsName }) => hasFolderOfItsName);
  if (!chance.percent(CLONED_PERCENT) || originals.length === 0) return;
  const original = chance.pick(originals);
  const { clock, history } = around;
  // Told to nobody: what it stores and says is not evidence.
  const muted = new History(() => clock.nowMs());
  const clone = new SimServer("x1", [...around.servers, "x1"], settings, { ...around, history: muted });
  clone.takeFolderOf(original);
  const before = original.process;
  clone.start();
  for (let waitedMs = 0; clone.isRunning && waitedMs < MET_WITHIN_MS; waitedMs += LOOK_MS) await clock.run(LOOK_MS);
  const end = muted.events.find(({ what }) => what === "ended");
  const why = end?.what === "ended" ? end.info : "it did not end";
  history.add(original.name, { what: "was cloned", goesOn: original.process === before, why });
  clone.destroy();
  await clock.run(LOOK_MS);
}

/** Of two servers on copies of one folder the one that joined later ends. */
export function checkClones(evidence: Evidence): Violation[] {
  const promise = "a copy of a folder ends";
  return evidence.told("was cloned").flatMap(({ who, goesOn, why, at }) => {
    if (!goesOn) return [{ promise, what: `${who} ended, and not its copy`, at }];
    return why.includes("is a copy") ? [] : [{ promise, what: `the copy of ${who}: ${why}`, at }];
  });
}
