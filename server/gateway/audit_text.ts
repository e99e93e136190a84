/** What `thrum-server audit-log verify` says. Pure. */

import { counted } from "../../protocol/counted.ts";
import type { ChainReport } from "../audit/chain_check.ts";

/** Line by line. `folder` is quoted. */
export function auditLines({ lines, first, end, breaks, broken }: ChainReport, folder: string): string[] {
  const more = broken - breaks.length;
  return [
    ...(broken === 0
      ? [`The audit log in ${folder} is whole.`]
      : [`The audit log in ${folder} is not whole: somebody cut or changed it, or the disk has.`]),
    ...breaks.map(({ file, line, what }) => `  ${file}, line ${line}: ${what}`),
    ...(more > 0 ? [`  and ${counted(more, "more line")}`] : []),
    `lines: ${lines}${first > 1 ? `, from number ${first} on; older ones went with files that were full` : ""}`,
    `the newest: number ${end.number}, hash ${end.hash}`,
    "Whether its end was cut, only other servers of the network know: they say so in their logs, and when it starts.",
  ];
}
