/** The program `openssl s_client`, a client of another house: what it is answered, and how its session came to be. */

/** How one connection went. */
export interface SClientResult {
  /** All that it wrote: about the handshake, and what the server said. */
  readonly output: string;
  /** Whether it went on with a session of before. */
  readonly isResumed: boolean;
}

/** Connects to a port of this machine, sends `lines`, and waits for the end of the connection. */
export async function sClient(port: number, lines: string, ...args: readonly string[]): Promise<SClientResult> {
  const child = new Deno.Command("openssl", {
    args: ["s_client", "-connect", `127.0.0.1:${port}`, "-tls1_3", "-nocommands", ...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const input = child.stdin.getWriter();
  await input.write(new TextEncoder().encode(lines)).catch(() => {});
  const { stdout, stderr } = await child.output();
  // It has ended, and may not have taken all of it.
  await input.close().catch(() => {});
  const output = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
  return { output, isResumed: /^(?:---\n)?Reused, TLSv1.3/m.test(output) };
}
