/**
 * What a user may do: a short table of the operator's, in which the first rule that matches counts. Rules match by
 * name, by role and by address, and for publishing and reading also by channel. Where none matches, everything is
 * allowed. Pure.
 */

import { type AddressRange, isWithin, parseAddressRange } from "../../config/address_range.ts";
import type { RightsRule } from "../../config/auth/auth_config.ts";
import { NO_CHANNEL, normalName } from "../../protocol/channels/channel_name.ts";
import type { ChannelLimit } from "../../protocol/channels/pattern_set.ts";
import { ChannelRight, type ChannelRule, EVERY_CHANNEL } from "./channel_right.ts";
import { matchesPattern } from "./pattern.ts";

/** What somebody may do, or not. */
export interface Permissions {
  /** To publish what has no channel. */
  readonly publish: boolean;
  /** To get activities that have no channel, new ones and past ones; without `channels` also direct messages. */
  readonly read: boolean;
  /** To send direct messages. */
  readonly message: boolean;
  /** To ask who there is, and to be told who comes and goes. */
  readonly listUsers: boolean;
  /** Where the table has rules for channels; else `publish` and `read` hold for each of them. */
  readonly channels?: ChannelPermissions;
}

/** What somebody may do by channel. */
export interface ChannelPermissions {
  readonly publish: ChannelRight;
  readonly read: ChannelRight;
  /** To get direct messages: they are of no channel, so rules for channels say nothing of them. */
  readonly inbox: boolean;
}

/** One of the words of the table. */
export type Right = Exclude<keyof Permissions, "channels">;

/** Somebody who has come through a door. */
export interface Subject {
  readonly username: string;
  /** The address that it comes from. */
  readonly address: string;
  /** A participant of the Chitty-Chat door: nobody has asked it for a secret. */
  readonly isGuest?: boolean;
}

/** A rule, read. */
export interface ReadRule {
  readonly users: readonly string[] | undefined;
  readonly roles: readonly string[] | undefined;
  readonly addresses: readonly AddressRange[] | undefined;
  /** Patterns, normal; `undefined` for a rule that is about everything. */
  readonly channels: readonly string[] | undefined;
  readonly permissions: Permissions;
}

/** All rights. */
export const EVERYTHING: Permissions = Object.freeze({ publish: true, read: true, message: true, listUsers: true });

/** The table that the config has. */
export function readRules(rules: readonly RightsRule[]): ReadRule[] {
  return rules.map(({ users, roles, addresses, channels, may }) => ({
    users,
    roles,
    addresses: addresses?.map((range) => parseAddressRange(range)!),
    channels: channels?.map(normalName),
    permissions: Object.freeze({
      publish: may.includes("publish"),
      read: may.includes("read"),
      message: may.includes("message"),
      listUsers: may.includes("listUsers"),
    }),
  }));
}

/** What `subject` may do that has these roles. */
export function permissionsOf(
  { username, address }: Subject,
  roles: readonly string[],
  table: readonly ReadRule[],
): Permissions {
  const rules: ReadRule[] = [];
  let whole = EVERYTHING;
  for (const rule of table) {
    const isMatch = (rule.users?.some((pattern) => matchesPattern(pattern, username)) ?? true) &&
      (rule.roles?.some((role) => roles.includes(role)) ?? true) &&
      (rule.addresses?.some((range) => isWithin(range, address)) ?? true);
    if (!isMatch) continue;
    if (rule.channels === undefined) {
      whole = rule.permissions;
      break;
    }
    rules.push(rule);
  }
  return rules.length === 0 ? whole : byChannel(rules, whole);
}

/** Whether somebody who may do this may publish in `channel`, or without one where it is `NO_CHANNEL`. */
export function mayPublishIn({ publish, channels }: Permissions, channel: string): boolean {
  return channels === undefined ? publish : channels.publish.allows(channel);
}

/** Whether it may read `channel`, or what has none where it is `NO_CHANNEL`. */
export function mayReadIn({ read, channels }: Permissions, channel: string): boolean {
  return channels === undefined ? read : channels.read.allows(channel);
}

/** Whether it may read anything that `pattern` stands for. */
export function mayReadSome({ read, channels }: Permissions, pattern: string): boolean {
  return channels === undefined ? read : channels.read.allowsSome(pattern);
}

/** Whether it may read everything, whatever channel it has. */
export function mayReadAll({ read, channels }: Permissions): boolean {
  return channels === undefined ? read : channels.read.isEverything;
}

/** Whether direct messages come to it. */
export function getsMessages({ read, channels }: Permissions): boolean {
  return channels?.inbox ?? read;
}

/** What it may read at most; `undefined` where no channel is different from another. */
export function readingLimit({ channels }: Permissions): ChannelLimit | undefined {
  return channels === undefined || channels.read.isEverything ? undefined : channels.read;
}

/** Whether it has this right at all: for `publish` and `read` in any channel, if its client knows channels. */
export function hasRight(may: Permissions, right: Right, knowsChannels: boolean): boolean {
  if (may.channels === undefined || !knowsChannels || (right !== "publish" && right !== "read")) return may[right];
  return may.channels[right].allowsSome(EVERY_CHANNEL);
}

/** Whether both may do the same. */
export function areSamePermissions(a: Permissions, b: Permissions): boolean {
  return a === b || keyOf(a) === keyOf(b);
}

/** `rules` are those for channels that match, before the one that says `whole`. */
function byChannel(rules: readonly ReadRule[], whole: Permissions): Permissions {
  const right = (of: "publish" | "read") => {
    const channelRules = rules.map(({ channels, permissions }): ChannelRule => {
      return { patterns: channels ?? [], isAllowed: permissions[of] };
    });
    return new ChannelRight(channelRules, whole[of]);
  };
  const channels = { publish: right("publish"), read: right("read"), inbox: whole.read };
  if (channels.publish.isUniform && channels.read.isUniform) return whole;
  const [publish, read] = [channels.publish.allows(NO_CHANNEL), channels.read.allows(NO_CHANNEL)];
  return Object.freeze({ ...whole, publish, read, channels });
}

function keyOf({ channels, ...may }: Permissions): string {
  const { publish, read, message, listUsers } = may;
  const by = channels && [channels.publish.key, channels.read.key, channels.inbox];
  return JSON.stringify([publish, read, message, listUsers, by]);
}
