/**
 * What tests of the older dialect share: a server's facts, peers of both families, and a node's part in the smallest.
 */

import { ActivityOrder } from "../../../server/legacy/activity_order.ts";
import { LegacyDialect, type LegacyEffect, type LegacyFacts } from "../../../server/legacy/legacy_dialect.ts";
import { encodeBroadcast } from "../../../protocol/server_codec.ts";

export const NOW = 1_800_000_000_000;
const accounts = new Set(["user1"]);
let secrets = 0;

export const facts: LegacyFacts = {
  wallMs: NOW,
  nowMs: 0,
  self: { serverId: "s-1", host: "localhost", port: 8001, load: 1 },
  members: [{ serverId: "s-2", host: "localhost", port: 8003, load: 4 }],
  users: [{ username: "user1", isOnline: true }],
  rememberedMs: 86_400_000,
  hasAccount: (username) => accounts.has(username),
  isOnline: (username) => username === "user1",
  makeSecret: () => `made-${++secrets}`,
};

/** How many secrets `facts` has made: the last one is `made-<this>`. */
export function secretsMade(): number {
  return secrets;
}

export function A(serverId = "serverId01"): LegacyDialect {
  return new LegacyDialect("A", serverId);
}

export function S(): LegacyDialect {
  return new LegacyDialect("S");
}

/** The lines that go to the peer, read. */
// deno-lint-ignore no-explicit-any
export function sent(effects: readonly LegacyEffect[]): any[] {
  return effects.flatMap((effect) => effect.kind === "send" ? [JSON.parse(effect.line)] : []);
}

export function commands(effects: readonly LegacyEffect[]): string[] {
  return sent(effects).map(({ command }) => command);
}

/** What a peer's object does. */
export function says(
  peer: LegacyDialect,
  fields: Record<string, unknown>,
  now: Partial<LegacyFacts> = {},
): LegacyEffect[] {
  return peer.receive(JSON.stringify(fields), { ...facts, ...now });
}

/** An entry of the log. */
export function entry(sequence: number, activity: string, sentAt = NOW, username = "user1"): string {
  const quotedUsername = JSON.stringify(username);
  const messageId = undefined;
  return encodeBroadcast({ activity, quotedUsername, origin: "s-1", sequence, lamport: sequence, sentAt, messageId });
}

/** A number of activities as A lists them, for each of its users. */
export function history(
  ...activities: { id: unknown; sendTime: number; activity?: unknown }[]
): Record<string, unknown> {
  const list = activities.map((one) => ({ activity: {}, updateTime: NOW, isDelivered: false, ...one }));
  const owners = ["anna", "bob"].map((owner) => ({ owner, activity_list: list }));
  return { command: "ACTIVITY_SYNC", activity_entity: owners };
}

/** The window in which activities are put in order. */
export const WINDOW_MS = 2_000;

/** A node's part: puts in order what a peer's effects bring, and gives what is published in the end. */
export class Publisher {
  readonly order = new ActivityOrder<LegacyDialect>(WINDOW_MS);
  readonly published: { activity: string; username: string }[] = [];

  take(from: LegacyDialect, effects: readonly LegacyEffect[], nowMs = 0): void {
    for (const effect of effects) {
      if (effect.kind === "takeActivity") this.order.add(effect.activity, from, effect.isHistory, nowMs);
    }
    for (const { activity } of this.order.due(nowMs + WINDOW_MS)) {
      this.published.push({ activity: activity.text, username: activity.username });
    }
  }
}
