/** How long the frames of a page take, while its list of connections is scrolled. */

import type { Page } from "playwright-core";

// What functions find that run in the page and not here.
declare function requestAnimationFrame(draw: (now: number) => void): void;

/** When frames came, in milliseconds, how much of the processor the page used for each, and the most rows in it. */
export interface FrameTimes {
  readonly frames: number;
  readonly median: number;
  readonly p95: number;
  readonly worst: number;
  readonly workMs: number;
  readonly rows: number;
}

/** How long frames take within four seconds in which the connections are scrolled by `step` pixels in each. */
export async function frameTimes(page: Page, step: number): Promise<FrameTimes> {
  const session = await page.context().newCDPSession(page);
  // Time in which the thread of the page runs, and not in which it waits for a processor.
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const workedMs = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return 1_000 * metrics.find(({ name }) => name === "TaskDuration")!.value;
  };
  const before = await workedMs();
  const times = await page.locator(".connections-grid").evaluate(async (grid, step) => {
    const times: number[] = [];
    let [last, rows] = [performance.now(), 0];
    const end = last + 4_000;
    await new Promise<void>((done) => {
      const frame = (now: number) => {
        times.push(now - last);
        last = now;
        rows = Math.max(rows, grid.querySelectorAll(".grid-row").length);
        grid.scrollTop = (grid.scrollTop + step) % (grid.scrollHeight - grid.clientHeight);
        if (now < end) requestAnimationFrame(frame);
        else done();
      };
      requestAnimationFrame(frame);
    });
    times.shift();
    times.sort((one, other) => one - other);
    const at = (share: number) => times[Math.floor(times.length * share)]!;
    return { frames: times.length, median: at(0.5), p95: at(0.95), worst: times.at(-1)!, rows };
  }, step);
  const workMs = (await workedMs() - before) / times.frames;
  await session.detach();
  return { ...times, workMs };
}
