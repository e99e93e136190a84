/** A count with its noun, in the singular or the plural: `1 client`, `2 clients`. Pure. */

/** `count` with its noun. Give `many` if the plural is not `one` with an `s`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
