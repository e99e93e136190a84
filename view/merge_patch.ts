/**
 * JSON merge patches (RFC 7396) over plain data: making one, and applying one. Objects merge, `null` removes,
 * everything else replaces. So `null` and an absent value mean the same here. Pure.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7396}
 */

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The patch that turns `before` into `after`; `undefined` if they are equal. */
export function diff(before: JsonObject, after: JsonObject): JsonObject | undefined {
  let patch: Record<string, unknown> | undefined;
  const change = (key: string, value: unknown) => (patch ??= emptyObject())[key] = value;
  const keys = Object.keys(after);
  const keysBefore = Object.keys(before);
  let hasNew = keys.length !== keysBefore.length;
  for (const key of keys) {
    // The usual case first: each second this compares thousands of objects.
    if (before[key] === after[key] && after[key] !== undefined) continue;
    hasNew ||= !Object.hasOwn(before, key);
    const [old, now] = [own(before, key), own(after, key)];
    if (isObject(old) && isObject(now)) {
      const below = diff(old, now);
      if (below !== undefined) change(key, below);
    } else if (!isEqual(old, now)) change(key, isObject(now) ? diff({}, now) ?? {} : now ?? null);
  }
  if (!hasNew) return patch;
  for (const key of keysBefore) if (!Object.hasOwn(after, key) && before[key] !== null) change(key, null);
  return patch;
}

/** `target` with `patch`. Neither is changed. Objects that the patch does not touch stay the same objects. */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const patched = Object.assign(emptyObject(), isObject(target) ? target : {});
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete patched[key];
    else patched[key] = applyPatch(patched[key], change);
  }
  return patched;
}

/** Whether two JSON values are equal, in any order of their keys. */
function isEqual(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (Array.isArray(one) && Array.isArray(other)) {
    return one.length === other.length && one.every((item, index) => isEqual(item, other[index]));
  }
  if (!isObject(one) || !isObject(other)) return false;
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length &&
    keys.every((key) => Object.hasOwn(other, key) && isEqual(one[key], other[key]));
}

function own(object: JsonObject, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] ?? undefined : undefined;
}

/** An object without a prototype. Strangers choose the keys, and `__proto__` is a key like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
