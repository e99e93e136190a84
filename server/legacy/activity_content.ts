/**
 * Whether two texts are one activity. Servers of the older dialect read an activity and write it anew. They change the
 * order of its members, write 1.0 for 1 and 9.007199254740992E15 for 9007199254740993, leave out members that are null,
 * and put in the user that they think of. Pure.
 */

const AUTHENTICATED_USER = "authenticated_user";

/**
 * What all texts of one activity have in common, as text. Two activities that only differ in what such a server changes
 * have the same. `text` is a JSON object.
 */
export function contentOf(text: string): string {
  const { [AUTHENTICATED_USER]: _, ...activity } = JSON.parse(text);
  return canonical(activity);
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value !== "object" || value === null) {
    return typeof value === "number" ? `${value}` : JSON.stringify(value);
  }
  const members = Object.entries(value).filter(([, member]) => member !== null).toSorted(byName);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${canonical(member)}`).join()}}`;
}

function byName([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
