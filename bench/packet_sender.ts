/**
 * A worker: opens a connection, says what goes first, sends one packet, and tells when the server has taken it.
 * It reads everything.
 */

/** What is to be sent. */
export interface PacketJob {
  readonly port: number;
  /** Lines before the packet, and what the answer to the last of them has in it. */
  readonly first: readonly string[];
  readonly firstAnswer: string;
  readonly packet: string | Uint8Array<ArrayBuffer>;
  /** What comes when all of it was taken; the end of the connection is as good. */
  readonly lastAnswer: string;
}

const worker = self as unknown as {
  onmessage: ((event: MessageEvent) => void) | null;
  postMessage(message: unknown): void;
};

worker.onmessage = async ({ data }) => {
  const { port, first, firstAnswer, packet, lastAnswer }: PacketJob = data;
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const buffer = new Uint8Array(262_144);
  let text = "";
  const until = async (answer: string) => {
    const decoder = new TextDecoder();
    while (answer === "" || !text.includes(answer)) {
      const size = await connection.read(buffer).catch(() => null);
      if (size === null) return false;
      text = text.slice(-200) + decoder.decode(buffer.subarray(0, size));
    }
    text = "";
    return true;
  };
  await write(connection, first.map((line) => `${line}\n`).join(""));
  const isReady = first.length === 0 || await until(firstAnswer);
  worker.postMessage({ isReady });
  if (isReady) {
    // Whoever measures looks from here on.
    await new Promise<void>((resolve) => worker.onmessage = () => resolve());
    await write(connection, packet).catch(() => {});
    await until(lastAnswer);
  }
  worker.postMessage("done");
  try {
    connection.close();
  } catch {
    // The server was first.
  }
};

async function write(connection: Deno.Conn, packet: PacketJob["packet"]): Promise<void> {
  const bytes = typeof packet === "string" ? new TextEncoder().encode(packet) : packet;
  for (let written = 0; written < bytes.length;) written += await connection.write(bytes.subarray(written));
}
