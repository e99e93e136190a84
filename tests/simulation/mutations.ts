/**
 * Promises that are broken on purpose, one at a time, to show that the simulator finds each:
 * `deno task simulate:mutations`.
 */

/** One line of the product that is made wrong. */
export interface Mutation {
  readonly name: string;
  readonly path: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  readonly replacement: string;
}

/** All of them. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: "drop the de-duplication",
    path: "server/journal/journal.ts",
    text: "if (first !== undefined) return first;\n    }\n    const own",
    replacement: "}\n    const own",
  },
  {
    name: "acknowledge before the append",
    path: "server/journal/journal.ts",
    text: "this.#waiting.add(waiting);",
    replacement: "waiting.committed();",
  },
  {
    name: "acknowledge before the disk has it",
    path: "server/journal/commit_queue.ts",
    text: "const entry: Waiting = { turn: { ...turn, waiting }, isStored: batch === undefined };",
    replacement: "for (const one of waiting) one.committed();\n" +
      "    const entry: Waiting = { turn: { ...turn, waiting: [] }, isStored: batch === undefined };",
  },
  {
    name: "skip the hold-back",
    path: "log/hold_back.ts",
    text: "if (after === undefined || facts.lastOf(after.origin) >= after.sequence) return true;",
    replacement: "if (nowMs >= 0) return true;",
  },
  {
    name: "ignore a stalled clock",
    path: "heartbeat/awake_clock.ts",
    text: "const runningMs = Math.min(elapsedMs, RUNNING_SHARE * ranMs);",
    replacement: "const runningMs = elapsedMs;",
  },
  {
    name: "judge nobody while this process is busy",
    path: "heartbeat/awake_clock.ts",
    text: "const runningMs = Math.min(elapsedMs, RUNNING_SHARE * ranMs);",
    replacement: "const runningMs = 0;",
  },
  {
    name: "let two names in",
    path: "server/mesh/names/name_locks.ts",
    text: "if (isTaken) return DENIED;",
    replacement: 'if (isTaken || username !== "") return { isAllowed: true, loses: [] };',
  },
  {
    name: "show what waited out of the log too",
    path: "server/session/client/mailbox.ts",
    text: "if (has === undefined) this.#inboxUpTo = journal.head;",
    replacement: "",
  },
  {
    name: "take a failed read for an empty one",
    path: "server/journal/log_reader.ts",
    text: "return this.read((store) => store.portionAfter(position, maxBytes, wanted));",
    replacement:
      "try { return this.#store.portionAfter(position, maxBytes, wanted); } catch { return { segments: [], upTo: position }; }",
  },
  {
    name: "forget by the calendar",
    path: "server/journal/forgetting.ts",
    text: "const now = this.#parts.now();",
    replacement: "const now = this.#parts.clock.wallMs();",
  },
  {
    name: "tell the age of a message by its date",
    path: "server/journal/replicated_entries.ts",
    text: "ageMs < this.#messagesWaitMs",
    replacement: "journal.times.wallMs - (facts.sentAt ?? ageMs) < this.#messagesWaitMs",
  },
  {
    name: "show clients what nobody knows",
    path: "server/mesh/entry_intake.ts",
    text: "an unknown kind.\n      return SERVERS;",
    replacement: 'an unknown kind.\n      return kind === "other" ? EVERYONE : SERVERS;',
  },
  {
    name: "believe every claim to a name",
    path: "server/mesh/names/name_claims.ts",
    text: "const isTooLate = isNew || this.#evidence.isLate(origin, username, claim);",
    replacement: "const isTooLate = false;",
  },
  {
    name: "give a user who comes back nothing of what it missed",
    path: "server/places/place_keeper.ts",
    text: "if (place === undefined) return undefined;",
    replacement: 'if (place === undefined || username !== "") return undefined;',
  },
  {
    name: "cut every reader at a hole",
    path: "server/hub/hub.ts",
    text: "this.#tellLost(before, ({ cursor }) => !hasAhead(cursor, holes));",
    replacement: "this.#tellLost(before, ({ cursor }) => !hasAhead(cursor, holes) || before >= 0);",
  },
  {
    name: "let every reader pass a hole",
    path: "server/hub/hub.ts",
    text: "this.#tellLost(before, ({ cursor }) => !hasAhead(cursor, holes));",
    replacement: "this.#tellLost(before, ({ cursor }) => !hasAhead(cursor, holes) && before < 0);",
  },
  {
    name: "judge an old copy by numbers alone",
    path: "server/mesh/origins/forks.ts",
    text: "if (!answersDigests(link)) return false;",
    replacement: 'if (link.serverId !== "") return false;',
  },
  {
    name: "forget the last number of a forgotten origin",
    path: "log/segment_builder.ts",
    text: "this.#buried.set(origin, last);",
    replacement: "this.#buried.delete(origin);",
  },
  {
    name: "hand no accounts on",
    path: "server/mesh/origins/origin_talk.ts",
    text: 'catchUp.awaitsAccounts(serverId);\n    link.send({ command: "WANT_ACCOUNTS" });',
    replacement: "",
  },
  {
    name: "take the one that joined first for the copy",
    path: "server/mesh/origins/incarnation.ts",
    text: "return difference > 0;",
    replacement: "return difference < 0;",
  },
  {
    name: "tell the past without its end",
    path: "server/hub/past.ts",
    text: "const to = before === undefined ? { position: upTo + 1 }",
    replacement: "const to = before === undefined ? { position: upTo }",
  },
  {
    name: "leave out who is between two connections",
    path: "server/presence/presence.ts",
    text: "return [...this.#users.keys()].sort();",
    replacement: "return [...this.#users].filter(([, user]) => user.places.size > 0).map(([name]) => name).sort();",
  },
  {
    name: "show people what is for a channel",
    path: "server/hub/reader_groups.ts",
    text: "add(NO_CHANNEL, of, plainRanges(audience.channels, bytes.length));",
    replacement: "add(NO_CHANNEL, of, [{ start: 0, end: bytes.length }]);",
  },
  {
    name: "show those who read behind what is for a channel",
    path: "log/cursor.ts",
    text: "return wantedLines(segment, cursor.filter, bytes.length - unread.length);",
    replacement: "return wantedLines(segment, { wants: () => true }, bytes.length - unread.length);",
  },
  {
    name: "take a/** for what is below a alone",
    path: "protocol/channels/channel_index.ts",
    text: "for (let base: string | undefined = name; base !== undefined; base = parentOf(base)) {",
    replacement: "for (let base = parentOf(name); base !== undefined; base = parentOf(base)) {",
  },
  {
    name: "say that who is behind has all when it subscribes",
    path: "server/session/client/served_client.ts",
    text: "const has = position === journal.head ? { ...journal.vector } : journal.vectorAt(position);",
    replacement: "const has = { ...journal.vector };",
  },
  {
    name: "follow the earlier of two rulings",
    path: "server/rights/records.ts",
    text: "if (a.lamport !== b.lamport) return a.lamport > b.lamport;",
    replacement: "if (a.lamport !== b.lamport) return a.lamport < b.lamport;",
  },
  {
    name: "lift a ban at a tie",
    path: "server/rights/records.ts",
    text: "return b.value === null;",
    replacement: "return a.value === null;",
  },
  {
    name: "leave who is banned where it is",
    path: "server/node/ruling_office.ts",
    text: "if (barred !== undefined || isNewSecret) {",
    replacement: "if (isNewSecret) {",
  },
];
