/**
 * From the text of a config file to a configuration: checked, key by key, and laid over the defaults. Reads no file itself; who does hands the
 * text, or a reader, in. Precedence: command line, answers to prompts, file, defaults (`layered` lays them over each other in the opposite order).
 */

import * as v from "valibot";
import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "./config.ts";
import { findJsonFault } from "./json_fault.ts";
import { nearest } from "./nearest.ts";
import { CONFIG_SCHEMA } from "./schema.ts";
import { quoted } from "./values.ts";

/** A configuration and where it came from. */
export interface LoadedConfig {
  /** The file over the defaults. */
  readonly config: Config;
  /** What the file itself says; `client`, for one, means something only where it was said. */
  readonly layer: ConfigLayer;
}

/** A config file cannot be used. The message is one sentence that names the file, the key and what is allowed. */
export class ConfigError extends Error {
  /** Its class, by name. */
  override name = "ConfigError";
}

/** The config file that is read, where it is there, when none is named. */
export const CONFIG_FILE = "config.json";

/**
 * Reads the file that was asked for, else `config.json` in the working directory, else the one that came with the program.
 * `read` gives `undefined` for a file that is not there, and rejects with why it cannot be read.
 * @throws {ConfigError} when the one asked for is missing, and when the one that is found cannot be read or used.
 */
export async function loadConfig(
  read: (path: string | URL) => Promise<string | undefined>,
  where: { readonly asked: string | undefined; readonly shipped: URL },
): Promise<LoadedConfig> {
  const fileName = where.asked ?? CONFIG_FILE;
  let text: string | undefined;
  try {
    text = await read(fileName);
    if (where.asked === undefined) text ??= await read(where.shipped);
  } catch (error) {
    throw unreadable(fileName, (error as Error).message, error);
  }
  if (text === undefined && where.asked !== undefined) throw unreadable(fileName, "there is no such file");
  const layer = text === undefined ? {} : parseLayer(text, configFile(fileName));
  return { config: layered(DEFAULT_CONFIG, layer), layer };
}

/**
 * The configuration that `text` makes of the defaults. `fileName` is for messages.
 * @throws {ConfigError} when `text` is not JSON, has an unknown key, or a value that is not allowed.
 */
export function parseConfig(text: string, fileName: string): Config {
  return layered(DEFAULT_CONFIG, parseLayer(text, configFile(fileName)));
}

/**
 * What `text` itself says, checked. `source` says in messages what cannot be used, e.g. `the options of serve()`.
 * @throws {ConfigError} like `parseConfig`.
 */
export function parseLayer(text: string, source: string): ConfigLayer {
  const value = parseObject(text, source);
  refuseUnknownKeys(value, source);
  const checked = v.safeParse(CONFIG_SCHEMA, value, { abortEarly: true });
  if (checked.success) return checked.output as ConfigLayer;
  const issue = checked.issues[0];
  const path = issue.path?.map((item) => String(item.key)) ?? [];
  throw unusable(source, `"${path.join(".")}" must be ${issue.message}${butIs(issue.input, path)}`);
}

/** `base` with `layers` over it, the last one on top. */
export function layered(base: Config, ...layers: readonly ConfigLayer[]): Config {
  return layers.reduce<Record<string, unknown>>(laidOver, { ...base }) as unknown as Config;
}

/** What `layer` does not say is as it was; a list is taken whole. */
function laidOver(base: Record<string, unknown>, layer: Record<string, unknown>): Record<string, unknown> {
  const laid = { ...base };
  for (const [key, value] of Object.entries(layer)) {
    const below = laid[key];
    laid[key] = isObject(below) && isObject(value) ? laidOver(below, value) : value;
  }
  return laid;
}

/**
 * The text of a config file with `layer` in it, all other keys as they were. An empty `text` stands for a file that is not there yet.
 * @throws {ConfigError} when `text` is no config file.
 */
export function withLayer(text: string, fileName: string, layer: ConfigLayer): string {
  const value = text.trim() === "" ? {} : parseObject(text, configFile(fileName));
  Object.assign(value, laidOver(value, layer));
  // A section a line, like the file as it ships: short enough to be read at a glance.
  const lines = Object.entries(value).map(([section, keys]) => `  ${JSON.stringify(section)}: ${oneLine(keys)}`);
  return `{\n${lines.join(",\n")}\n}\n`;
}

function parseObject(text: string, source: string): Record<string, unknown> {
  let value: unknown;
  try {
    // Editors on Windows begin a file with a byte order mark.
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    const fault = findJsonFault(text.replace(/^\uFEFF/, ""));
    if (fault === undefined) throw error;
    throw unusable(
      source,
      `broken JSON at line ${fault.line}, column ${fault.column}: expected ${fault.expected}, found ${fault.found}`,
    );
  }
  if (!isObject(value)) throw unusable(source, "it must hold one JSON object, in braces");
  return value;
}

/** Refuses keys that `known` does not have, at each level at which that has any. */
function refuseUnknownKeys(
  value: Record<string, unknown>,
  source: string,
  known: object = DEFAULT_CONFIG,
  path: readonly string[] = [],
): void {
  for (const [key, keys] of Object.entries(value)) {
    const here = [...path, key];
    if (!Object.hasOwn(known, key)) throw unknownKey(source, here, Object.keys(known));
    const below = (known as Record<string, unknown>)[key];
    if (!isObject(below)) continue;
    if (!isObject(keys)) {
      throw unusable(source, `"${here.join(".")}" must be an object in braces${butIs(keys, here)}`);
    }
    refuseUnknownKeys(keys, source, below, here);
  }
}

function unknownKey(source: string, path: readonly string[], known: readonly string[]): ConfigError {
  const given = path.at(-1)!;
  const near = nearest(given, known) ?? keyElsewhere(given);
  const hint = near === undefined ? `known here are ${known.join(", ")}` : `did you mean "${near}"?`;
  return unusable(source, `unknown key ${quoted(path.join("."))}; ${hint}`);
}

/** The full path of a key of this name, wherever it is: keys are easily put one level too high, or under the wrong heading. */
function keyElsewhere(given: string, known: object = DEFAULT_CONFIG, path: readonly string[] = []): string | undefined {
  for (const [key, below] of Object.entries(known)) {
    if (!isObject(below)) continue;
    const here = [...path, key];
    const found = Object.hasOwn(below, given) ? [...here, given].join(".") : keyElsewhere(given, below, here);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What stands there instead of something allowed, unless it may be a secret. */
function butIs(value: unknown, path: readonly string[]): string {
  if (path.at(-1) === "secret" || path.at(-1) === "token") return "";
  if (Array.isArray(value)) return ", not a list";
  if (isObject(value)) return ", not an object";
  if (typeof value !== "string") return `, not ${value}`;
  return `, not ${quoted(value.length > 40 ? `${value.slice(0, 40)}…` : value)}`;
}

function unusable(source: string, why: string): ConfigError {
  return new ConfigError(`Cannot use ${source}: ${why}`);
}

function unreadable(fileName: string, why: string, cause?: unknown): ConfigError {
  return new ConfigError(`Cannot read ${configFile(fileName)}: ${why}`, { cause });
}

function configFile(name: string): string {
  return `config file ${quoted(name)}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function oneLine(value: unknown): string {
  if (!isObject(value)) return JSON.stringify(value);
  const keys = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${JSON.stringify(item)}`);
  return keys.length === 0 ? "{}" : `{ ${keys.join(", ")} }`;
}
