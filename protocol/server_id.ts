/** Which names a server may have. Pure. */

const SERVER_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** Whether a server can have this name. The name becomes a key, and a part of every `id`. */
export function isServerId(text: string): boolean {
  return SERVER_ID.test(text);
}
