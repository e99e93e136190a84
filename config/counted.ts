/** A count and its noun, in the singular or the plural: `1 client`, `2 clients`. Pure. */

/** `count` with its noun. `many` is the plural, where it has no plain `s`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
