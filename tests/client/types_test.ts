/** What programs in TypeScript may write: the compiler runs these tests. */

import type { Activity, Client } from "../../mod.ts";

interface Measurement {
  readonly temperature: number;
  readonly place?: string;
}

/** Never called: it only has to compile. */
export async function program(client: Client, measurement: Measurement): Promise<void> {
  const { signal } = new AbortController();
  // An interface has no index signature, and is an activity all the same.
  await client.publish(measurement);
  await client.publish<Measurement>({ temperature: 21.5 }, { signal });
  await client.publish({ text: "hello" });
  await client.publish('{"text":"hello"}');
  // @ts-expect-error: a number is no activity
  await client.publish(5);
  // @ts-expect-error: what is published is what the program said that it publishes
  await client.publish<Measurement>({ temprature: 21.5 });
  // @ts-expect-error: there is no such option
  await client.publish(measurement, { sginal: signal });
  for await (const { activity } of client.activities<Measurement>({ signal })) activity.temperature.toFixed(1);
  for await (const { activity } of client.activities()) {
    const text: unknown = activity.text;
    // @ts-expect-error: nobody has said what is in it
    activity.text.toUpperCase();
    if (text === undefined) break;
  }
  const typed: AsyncIterableIterator<Activity<Measurement>> = client.activities<Measurement>();
  const plain: AsyncIterableIterator<Activity> = client.activities();
  const { activities, before, begins, isForgotten } = await client.history({ limit: 5, since: new Date(), signal });
  const words: readonly (string | undefined)[] = [activities[0]?.user, before, begins?.id, `${isForgotten}`];
  const remove: () => void = client.on("lost", ({ reason, byServer }) => words.includes(byServer ? reason : ""));
  client.on((event) => event.kind === "waiting" && event.delayMs > 0, { signal });
  // @ts-expect-error: there is no such event
  client.on("lots", () => {});
  // @ts-expect-error: that event has no such member
  client.on("lost", ({ delayMs }) => delayMs);
  await client.send("bob", "hello", { signal });
  await client.users("online", { signal });
  for await (const { text } of client.messages({ signal })) words.includes(text);
  for await (const { username } of client.presence({ signal })) words.includes(username);
  await client.close({ signal });
  void [typed, plain, remove];
}

Deno.test("the library has the types that programs need", () => {
  // The compiler has looked at `program`.
});
