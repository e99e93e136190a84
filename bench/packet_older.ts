/** What servers of the older dialect can fill a packet with. */

import { userName } from "./packet_folder.ts";

/** A line, as an object. */
type Line = Readonly<Record<string, unknown>>;

/** What a packet is full of, and how many lines at most; as many as fit where that is not said. */
export interface OlderLines {
  readonly line: (number: number) => Line;
  readonly most?: number;
}

const USERS_PER_LINE = 900;
const ACTIVITIES_PER_LINE = 500;

/**
 * Every command that such a server may send, small and large. `sentAt`: when its activities were sent, in
 * milliseconds since 1970.
 */
export function olderLines(sentAt: number): Readonly<Record<string, OlderLines>> {
  const activity = (n: number, of = "anonymous") => ({
    ...{ id: n, activity: { n, authenticated_user: of }, sendTime: sentAt + n, updateTime: sentAt, isDelivered: false },
  });
  const history = (from: number) => [
    { owner: "anonymous", activity_list: Array.from({ length: ACTIVITIES_PER_LINE }, (_, n) => activity(from + n)) },
  ];
  const users = (secret: string, name: (n: number) => string) =>
    Array.from({ length: USERS_PER_LINE }, (_, n) => ({ username: name(n), secret, online: true, updateTime: 0 }));
  return {
    "ACTIVITY_BROADCAST": { line: (n) => ({ command: "ACTIVITY_BROADCAST", ...activity(n) }) },
    "ACTIVITY_BROADCAST of one time": { line: () => ({ command: "ACTIVITY_BROADCAST", ...activity(0) }) },
    "ACTIVITY_BROADCAST of users with accounts": {
      line: (n) => ({ command: "ACTIVITY_BROADCAST", ...activity(n, userName(n + 1)) }),
    },
    "ACTIVITY_BROADCAST without a command": { line: (n) => activity(n) },
    "ACTIVITY_SYNC of 500": {
      line: () => ({ command: "ACTIVITY_SYNC", activity_entity: history(10_000) }),
      most: 1,
    },
    "ACTIVITY_SYNC of one": {
      line: (n) => ({
        command: "ACTIVITY_SYNC",
        activity_entity: [{ owner: "anonymous", activity_list: [activity(20_000 + n)] }],
      }),
    },
    "ACTIVITY_SYNC of empty lists": {
      line: () => ({ command: "ACTIVITY_SYNC", activity_entity: Array.from({ length: 20_000 }, () => ({})) }),
      most: 1,
    },
    "USER_SYNC of new users": {
      line: () => ({ command: "USER_SYNC", user_list: users("s", (n) => `older-${n}`) }),
      most: 1,
    },
    "USER_SYNC of users with accounts": {
      line: () => ({ command: "USER_SYNC", user_list: users("s", (n) => userName(n + 1)) }),
      most: 1,
    },
    "USER_SYNC of users without secrets": {
      line: () => ({ command: "USER_SYNC", user_list: users("", (n) => userName(n + 1)) }),
      most: 1,
    },
    "USER_UPDATE": {
      line: (n) => ({ command: "USER_UPDATE", username: `new-older-${n}`, secret: "s", online: true, updateTime: 0 }),
    },
    "LOCK_REQUEST": { line: (n) => ({ command: "LOCK_REQUEST", username: `locked-${n}`, secret: "s" }) },
    "LOCK_ALLOWED": { line: (n) => ({ command: "LOCK_ALLOWED", username: `locked-${n}`, secret: "s" }) },
    "LOCK_DENIED": { line: (n) => ({ command: "LOCK_DENIED", username: `locked-${n}`, secret: "s" }) },
    "SERVER_ANNOUNCE": {
      line: (n) => ({ command: "SERVER_ANNOUNCE", serverId: `o-${n}`, load: 0, ip: "127.0.0.1", port: 9 }),
    },
    "AUTHENTICATION_SUCC": {
      line: () => ({
        ...{
          command: "AUTHENTICATION_SUCC",
          serverId: "o",
          server_list: [],
          user_list: users("s", userName).slice(300),
        },
        activity_entity: [{ owner: "a", activity_list: history(30_000)[0]!.activity_list.slice(250) }],
      }),
      most: 1,
    },
    "BACKUP_LIST": { line: () => ({ command: "BACKUP_LIST", servers: [] }) },
    "ACTIVITY_UPDATE": { line: () => ({ command: "ACTIVITY_UPDATE", id: 1 }) },
    "USER_REGISTER_RESULT": { line: () => ({ command: "USER_REGISTER_RESULT", result: "FAIL" }) },
  };
}
