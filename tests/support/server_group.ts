/** Several servers as processes, with data folders, as one network that can be hurt: killed, stopped, cut in two. */

import type { Endpoint } from "../../platform/address.ts";
import type { ConfigLayer } from "../../config/config.ts";
import { LineClient } from "./line_client.ts";
import { type Program, startServer } from "./program.ts";
import { type SplitNetwork, splitNetwork } from "./split_network.ts";
import { eventually } from "./until.ts";

/** Servers of one network, by their number from 0 on. */
export class ServerGroup implements AsyncDisposable {
  readonly #network: SplitNetwork;
  readonly #folder: string;
  readonly #programs: Program[] = [];
  readonly #ids: string[] = [];

  private constructor(network: SplitNetwork, folder: string) {
    this.#network = network;
    this.#folder = folder;
  }

  /** Starts `count` servers, each with `config`, and waits until they are linked. */
  static async start(count: number, config: ConfigLayer): Promise<ServerGroup> {
    const network = await splitNetwork(count);
    if (typeof network === "string") throw new Error(network);
    const group = new ServerGroup(network, await Deno.makeTempDir({ prefix: "thrum-e2e-" }));
    try {
      await Deno.writeTextFile(`${group.#folder}/config.json`, JSON.stringify(config));
      for (let index = 0; index < count; index++) {
        const { program, id } = await group.#start(index, index);
        group.#programs.push(program);
        group.#ids.push(id);
      }
      await group.allLinked();
      return group;
    } catch (error) {
      await group[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** For people: what the servers' network is made of. */
  get networkKind(): string {
    return this.#network.kind;
  }

  get count(): number {
    return this.#programs.length;
  }

  /** All others but `index`. */
  othersOf(index: number): number[] {
    return this.#ids.keys().filter((other) => other !== index).toArray();
  }

  endpoint(index: number): Endpoint {
    return this.#network.endpoint(index);
  }

  idOf(index: number): string {
    return this.#ids[index]!;
  }

  /** All that server `index` has logged since it was started last. */
  logOf(index: number): string {
    return this.#programs[index]!.errors;
  }

  /** Ends server `index` and waits for it; its exit code. */
  async end(index: number, signal: Deno.Signal): Promise<number> {
    this.signal(index, signal);
    return await this.#programs[index]!.ended();
  }

  signal(index: number, signal: Deno.Signal): void {
    this.#programs[index]!.signal(signal);
  }

  /** Starts server `index` again, with the data that it had, and waits until it has what the others have. */
  async startAgain(index: number): Promise<void> {
    await this.#programs[index]![Symbol.asyncDispose]();
    const { program, id } = await this.#start(index, this.count);
    this.#programs[index] = program;
    this.#ids[index] = id;
  }

  /** Cuts server `index` off from the others, but not from clients. */
  cut(index: number): Promise<void> {
    return this.#network.cut(index);
  }

  heal(): Promise<void> {
    return this.#network.heal();
  }

  /** Whether `index` has a link to `other`, by its log. */
  isLinked(index: number, other: number): boolean {
    const lines = this.logOf(index).split("\n");
    return lines.findLast((line) =>
      line.includes(this.#ids[other]!) && /linked with|is lost|is dead|has left|keeps another link/.test(line)
    )
      ?.includes("linked with") ?? false;
  }

  /** Waits until each server has a link to each; `patienceMs` where that can take long. */
  async allLinked(patienceMs?: number): Promise<void> {
    const missing = () =>
      this.#ids.keys().flatMap((index) =>
        this.othersOf(index).filter((other) => !this.isLinked(index, other)).map((other) => `${index} to ${other}`)
      ).toArray();
    await eventually(() => missing().length === 0, () => `links ${missing().join(", ")}\n${this.logs()}`, patienceMs);
  }

  /** A client that has logged in at server `index`, and stays there. */
  async reader(index: number): Promise<{ reader: LineClient; login: Record<string, unknown> }> {
    const { host, port } = this.endpoint(index);
    const reader = await LineClient.connect(port, host);
    // Whoever was redirected that often is not redirected once more.
    const redirects = 3;
    reader.send({ command: "LOGIN", username: "anonymous", features: ["resume"], resume: { vector: {} }, redirects });
    return { reader, login: await reader.next("LOGIN_SUCCESS") };
  }

  /** What a server has of the log. */
  async vector(index: number): Promise<Record<string, number>> {
    const { host, port } = this.endpoint(index);
    await using reader = await LineClient.connect(port, host);
    reader.send({ command: "LOGIN", username: "anonymous", features: ["resume"], redirects: 3 });
    return (await reader.next("LOGIN_SUCCESS")).resume.vector;
  }

  /** Waits until server `index` has the entries of `origin` up to `sequence`. */
  async whenHas(index: number, origin: string, sequence: number): Promise<void> {
    await eventually(
      async () => ((await this.vector(index))[origin] ?? 0) >= sequence,
      () => `${origin}:${sequence} at server ${index}\n${this.logs()}`,
    );
  }

  /** What all servers have logged, for a test that failed. */
  logs(): string {
    return this.#programs.map(({ errors }, index) => `--- server ${index} ${this.#ids[index]}\n${errors}`).join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.#programs) await program[Symbol.asyncDispose]();
    await this.#network[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** The first `known` servers are there to be joined. */
  async #start(index: number, known: number): Promise<{ program: Program; id: string }> {
    const join = Array.from({ length: known }, (_, other) => this.endpoint(other))
      .filter((_, other) => other !== index)
      .flatMap(({ host, port }) => ["--join", `${host}:${port}`]);
    const program = startServer(
      [
        ...["--no-prompt", "--config", `${this.#folder}/config.json`, "--data", `${this.#folder}/${index}`],
        ...[...this.#network.flags(index), ...join],
      ],
      { env: { THRUM_SECRET: "of-the-network" }, through: this.#network.through(index) },
    );
    try {
      await program.sees(/listening on/);
      // A login is answered when the server has joined.
      const { reader, login } = await this.reader(index);
      await reader[Symbol.asyncDispose]();
      return { program, id: String(login.serverId) };
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
  }
}
