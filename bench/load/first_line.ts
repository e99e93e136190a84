/** One question to a server that speaks in lines. */

/** Connects to `port` on 127.0.0.1, says `line` and returns the first line of the answer; then it goes. */
export async function firstLine(port: number, line: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(line));
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes("\n")) {
    const length = await connection.read(buffer);
    if (length === null) throw new Error(`The server closed the connection after ${JSON.stringify(text)}`);
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
  return text.slice(0, text.indexOf("\n"));
}
