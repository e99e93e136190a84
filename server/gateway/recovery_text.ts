/** The result of a recovery, in words for the operator. Pure. */

import { counted } from "../../protocol/counted.ts";
import type { Recovery } from "../store/recovery/recover.ts";
import type { Loss } from "../store/recovery/recovered_rows.ts";

/** Ranges that are named before the rest is only counted. */
const MAX_RANGES = 1_000;

/** Line by line. */
export function recoveryLines(recovery: Recovery): string[] {
  const { serverId, formerServerId, needsNewName, origins, entries, accounts, messages, others, savedIn } = recovery;
  const ranges = origins.flatMap(({ origin, missing, cutAfter }) =>
    missing.map(({ first, last, isCertain }) => {
      const what = isCertain ? "lost" : "lost, unless forgotten before";
      const comes = cutAfter === undefined ? "" : "; other servers have it, and send it when this one starts";
      return `  ${origin}: ${first} to ${last} ${what}${comes}`;
    })
  );
  const ends = origins.filter(({ isEndKnown }) => !isEndKnown).map(({ origin, last }) =>
    `  ${origin}: entries after ${last} may be missing`
  );
  const named = [...ranges, ...ends];
  const more = named.length - MAX_RANGES;
  return [
    `entries kept: ${entries}`,
    ...(named.length === 0 ? ["entries lost: none"] : ["entries lost:", ...named.slice(0, MAX_RANGES)]),
    ...(more > 0 ? [`  and ${counted(more, "more range")}`] : []),
    `accounts: ${lossText(accounts)}`,
    `direct messages that wait: ${lossText(messages)}`,
    `message ids, places of clients and the like: ${lossText(others)}`,
    needsNewName
      ? `The server is ${serverId} from here on${
        formerServerId === undefined ? "" : `, and was ${formerServerId}`
      }: its numbers are not given out twice.`
      : `The server is still ${serverId}.`,
    `The old database, and files with damage, are in ${savedIn}.`,
  ];
}

function lossText({ kept, lost }: Loss): string {
  return lost === 0 ? `${kept}, none lost` : lost === "some" ? `${kept}; some may be lost` : `${kept}, ${lost} lost`;
}
