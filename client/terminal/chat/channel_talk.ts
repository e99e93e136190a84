/**
 * The channels of a chat, as the person uses them: joins one, talks there, leaves it. `chat_channels.ts` keeps which
 * they are, and `channel_readings.ts` reads them.
 */

import { channelProblem } from "../../../protocol/channels/channel_name.ts";
import type { Activity, Client } from "../../options.ts";
import type { Notice } from "../notices.ts";
import { channelName } from "../screen/visible.ts";
import { ChannelReadings, type ChannelReadingsOwner, type ChannelReadingsParts } from "./channel_readings.ts";
import { ChatChannels } from "./chat_channels.ts";
import { CHANNEL_MARK, JOIN, LEAVE } from "./typed_line.ts";

/** The chat. */
export interface ChannelTalkOwner extends Pick<ChannelReadingsOwner, "hasShown" | "show" | "showRow"> {
  tell(notice: Notice): void;
  /** What the person types is for this channel; for everyone where it is empty. */
  prompt(channel: string): void;
  /** The line means nothing. */
  mistake(line: string, why: string): void;
  /** The server does not do what was asked for. The person is told; a script has to learn it at the end. */
  refused(error: Error): void;
}

/** The channels of one chat. */
export class ChannelTalk implements ChannelReadingsOwner {
  readonly channels: ChatChannels = new ChatChannels();
  readonly #owner: ChannelTalkOwner;
  readonly #readings: ChannelReadings;

  constructor(parts: ChannelReadingsParts, owner: ChannelTalkOwner) {
    this.#owner = owner;
    this.#readings = new ChannelReadings(parts, this);
  }

  /** Reads `pattern` and talks there; without one, talks to everyone. Resolves when the server has answered. */
  async join(client: Client, pattern: string | undefined): Promise<void> {
    if (pattern === undefined) return this.#talkToAll();
    const isNew = this.channels.join(pattern);
    this.#prompt();
    if (isNew) await this.#readings.begin(client, pattern);
  }

  /** Reads `pattern` no more; without one, the channel where the person talks. */
  leave(line: string, pattern: string | undefined = this.channels.current): void {
    if (pattern === undefined) return this.#owner.mistake(line, `You talk to everyone; ${LEAVE} NAME leaves a channel`);
    if (!this.channels.leave(pattern)) return this.#owner.mistake(line, `You are not in ${channelName(pattern)}`);
    this.#readings.end(pattern);
    this.#prompt();
    this.#owner.tell({ tone: "plain", text: `Left ${channelName(pattern)}` });
  }

  // ---- what is read ----------------------------------------------------------------------------------------------

  hasShown(activity: Activity): boolean {
    return this.#owner.hasShown(activity);
  }

  show(activity: Activity): void {
    this.#owner.show(activity);
  }

  showRow(row: string): void {
    this.#owner.showRow(row);
  }

  joined(pattern: string): void {
    const isName = channelProblem(pattern) === undefined;
    const how = isName ? "" : `; to say something there, type ${CHANNEL_MARK}NAME text`;
    this.#owner.tell({ tone: "plain", text: `Joined ${channelName(pattern)}${how}` });
  }

  failed(pattern: string, why: string, error: Error): void {
    this.channels.failed(pattern);
    const back = this.channels.current === pattern ? `; ${JOIN} alone leads back to everyone` : "";
    this.#owner.tell({ tone: "warning", text: `Cannot read ${channelName(pattern)}: ${why}${back}` });
    this.#owner.refused(error);
  }

  #talkToAll(): void {
    this.channels.talkToAll();
    this.#prompt();
    const { joined } = this.channels;
    const read = joined.length === 0 ? "" : `, and read ${joined.map(channelName).join(", ")}, too`;
    this.#owner.tell({ tone: "plain", text: `You talk to everyone${read}` });
  }

  #prompt(): void {
    const { current } = this.channels;
    this.#owner.prompt(current === undefined ? "" : channelName(current));
  }
}
