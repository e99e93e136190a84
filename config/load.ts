/**
 * Turns the text of a config file into a configuration: checks it key by key, and lays it over the defaults. Reads no
 * file: the caller hands in the text or a reader. Precedence: command line, answers to prompts, file, defaults.
 * `layered` takes them in the opposite order.
 */

import * as v from "valibot";
import { type Config, type ConfigLayer, DEFAULT_CONFIG } from "./config.ts";
import { findJsonFault } from "./json_fault.ts";
import { nearest } from "./nearest.ts";
import { CONFIG_SCHEMA } from "./schema.ts";
import { quoted } from "./values.ts";

/** A configuration, and its source. */
export interface LoadedConfig {
  /** The file over the defaults. */
  readonly config: Config;
  /** The content of the file itself. `client`, for one, counts only if the file has it. */
  readonly layer: ConfigLayer;
}

/** A config file cannot be used. The message is one sentence with the file, the key and the allowed values. */
export class ConfigError extends Error {
  /** Its class, by name. */
  override name = "ConfigError";
}

/** The config file that is read if no other is named, and if it exists. */
export const CONFIG_FILE = "config.json";

/**
 * Reads the named file, else `config.json` in the working directory, else the file that came with the program. `read`
 * gives `undefined` for a missing file, and rejects if it cannot read one.
 * @throws {ConfigError} when the named file is missing, or a file cannot be read or used.
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
 * The content of `text` itself, checked. `source` names it in messages, e.g. `the options of serve()`.
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

/** Keys that `layer` lacks stay unchanged. A list is taken as a whole. */
function laidOver(base: Record<string, unknown>, layer: Record<string, unknown>): Record<string, unknown> {
  const laid = { ...base };
  for (const [key, value] of Object.entries(layer)) {
    const below = laid[key];
    laid[key] = isObject(below) && isObject(value) ? laidOver(below, value) : value;
  }
  return laid;
}

/**
 * The text of a config file with `layer` in it. All other keys are unchanged. An empty `text` stands for a missing
 * file.
 * @throws {ConfigError} when `text` is no config file.
 */
export function withLayer(text: string, fileName: string, layer: ConfigLayer): string {
  const value = text.trim() === "" ? {} : parseObject(text, configFile(fileName));
  Object.assign(value, laidOver(value, layer));
  // A section a line, like the shipped file: short enough to read at a glance.
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

/**
 * The full path of a key with this name, anywhere. People easily put keys one level too high, or under the wrong
 * heading.
 */
function keyElsewhere(given: string, known: object = DEFAULT_CONFIG, path: readonly string[] = []): string | undefined {
  for (const [key, below] of Object.entries(known)) {
    if (!isObject(below)) continue;
    const here = [...path, key];
    const found = Object.hasOwn(below, given) ? [...here, given].join(".") : keyElsewhere(given, below, here);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The value that the file has instead, unless it may be a secret. */
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
