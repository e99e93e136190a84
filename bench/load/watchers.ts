/**
 * Dashboards without a screen: reads the stream of changes of a server's HTTP gateway as often as is asked,
 * and does with each change what a page does first. Says a line when all have got their view. Ends when the
 * server does, or is ended.
 *
 *     deno run -A bench/load/watchers.ts http://127.0.0.1:8080 10
 */

const [page, count] = Deno.args;
let views = 0;

async function watch(): Promise<void> {
  const response = await fetch(`${page}/api/events`, { headers: { accept: "text/event-stream" } });
  if (!response.ok || response.body === null) throw new Error(`${page}/api/events answers ${response.status}`);
  let event = "";
  let waiting = "";
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    const lines = (waiting + text).split("\n");
    waiting = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith("event: ")) event = line.slice("event: ".length);
      if (!line.startsWith("data: ")) continue;
      JSON.parse(line.slice("data: ".length));
      if (event === "view" && ++views === Number(count)) console.log("all dashboards are open");
    }
  }
}

await Promise.all(Array.from({ length: Number(count) }, watch));
