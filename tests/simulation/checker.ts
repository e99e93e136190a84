/** All checks of a history, each of them for a promise of the design. Pure: what is not in the history is not known. */

import { checkChannels } from "./check_channels.ts";
import { checkAlive, checkDead } from "./check_connections.ts";
import { checkAcknowledged, checkReceived } from "./check_delivery.ts";
import { checkHoles } from "./check_holes.ts";
import { checkPast } from "./check_past.ts";
import { checkKnownOnline, checkPlainLives } from "./check_names.ts";
import { checkInboxes, checkLists, checkMessages, checkReceipts } from "./check_messages.ts";
import { checkAgreement, checkNames, checkRunning } from "./check_servers.ts";
import { checkCopies } from "./old_copies.ts";
import { checkClones } from "./cloned_folder.ts";
import { checkForgotten } from "./gone_server.ts";
import { checkRulings } from "./rulings.ts";
import { Evidence, type Violation } from "./evidence.ts";
import type { Event } from "./history.ts";
import type { Schedule } from "./schedule.ts";

const CHECKS = [
  checkRunning,
  checkAcknowledged,
  checkReceived,
  checkChannels,
  checkPlainLives,
  checkHoles,
  checkPast,
  checkMessages,
  checkReceipts,
  checkAgreement,
  checkCopies,
  checkClones,
  checkForgotten,
  checkRulings,
  checkInboxes,
  checkNames,
  checkLists,
  checkKnownOnline,
  checkAlive,
  checkDead,
];

/** What was promised and did not hold, the earliest first. */
export function check(schedule: Schedule, events: readonly Event[]): Violation[] {
  const evidence = new Evidence(schedule, events);
  const violations = CHECKS.flatMap((one) => one(evidence));
  return violations.toSorted((a, b) => a.at - b.at);
}
