/** Which addresses this machine has. */

/** Whether `host`, an address or a name, is this machine's: it can be listened on. */
export function isOwnAddress(host: string): boolean {
  try {
    Deno.listen({ hostname: host, port: 0 }).close();
    return true;
  } catch {
    return false;
  }
}
