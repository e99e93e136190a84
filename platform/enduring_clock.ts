/** A clock whose timers cannot end the process. A timer's exception is told, and the other timers go on. */

import type { Clock } from "./clock.ts";
import type { FaultGuard } from "./faults.ts";

/** `clock`, guarded by `faults`. Who has a connection to close guards that by himself. */
export function enduringClock(clock: Clock, faults: FaultGuard): Clock {
  const calmly = (run: () => void) => () => {
    try {
      run();
    } catch (error) {
      faults.caught("timer", error);
    }
  };
  return {
    nowMs: () => clock.nowMs(),
    wallMs: () => clock.wallMs(),
    ranMs: () => clock.ranMs(),
    after: (delayMs, wake) => clock.after(delayMs, calmly(wake)),
    endOfTurn: (run) => clock.endOfTurn(calmly(run)),
  };
}
