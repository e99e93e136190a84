/**
 * JSON merge patches (RFC 7396) over plain data: what of an object has changed, and how a change is made. Objects merge, `null` removes, everything else replaces. So to
 * be `null` and not to be there are the same here. Pure.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7396}
 */

/** An object of JSON. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The patch that makes `after` of `before`; `undefined` when there is nothing to do. */
export function diff(before: JsonObject, after: JsonObject): JsonObject | undefined {
  let patch: Record<string, unknown> | undefined;
  const change = (key: string, value: unknown) => (patch ??= emptyObject())[key] = value;
  const keys = Object.keys(after);
  const keysBefore = Object.keys(before);
  let hasNew = keys.length !== keysBefore.length;
  for (const key of keys) {
    // What is almost always so comes first: thousands of objects are compared each second.
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

/** `target` with `patch`; neither is changed, and what the patch does not touch is the same object. */
export function applyPatch(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const patched = Object.assign(emptyObject(), isObject(target) ? target : {});
  for (const [key, change] of Object.entries(patch)) {
    if (change === null) delete patched[key];
    else patched[key] = applyPatch(patched[key], change);
  }
  return patched;
}

/** Whether two values of JSON are the same, whatever the order of their keys. */
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

/** Without a prototype: strangers choose the keys, and `__proto__` is one like any other. */
function emptyObject(): Record<string, unknown> {
  return Object.create(null);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
