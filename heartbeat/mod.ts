/**
 * The heartbeat: is the other side of a connection alive? Read `liveness.ts`, `awake_clock.ts` and `supervisor.ts`, in
 * this order. `docs/heartbeat.md` has the picture.
 */

export { AwakeClock } from "./awake_clock.ts";
export {
  effectiveHeartbeat,
  type Liveness,
  type LivenessConfig,
  type LivenessEffect,
  type LivenessEvent,
  longestSilenceMs,
  NO_EFFECTS,
  startLiveness,
  type Step,
  stepLiveness,
} from "./liveness.ts";
export {
  type HeartbeatSnapshot,
  type OtherSign,
  type Supervised,
  Supervisor,
  type SupervisorDeadline,
  type SupervisorSnapshot,
  type Watch,
} from "./supervisor.ts";
