/**
 * Lines of one connection on their way in. Publications of a client are taken where they stand in the bytes, as long as
 * they are plain. All other lines become texts. They are taken in their order, as far as the connection's share of the
 * turn goes. The rest is held, and the link is not read meanwhile. The link of a client that does not take its answers
 * is not read either, and of one that publishes while too much waits for the disk.
 */

import { isUtf8 } from "../../platform/node_buffer.ts";
import type { Link } from "../../platform/transport.ts";
import { LineFramer } from "../../protocol/line_framer.ts";
import { type PlainPublication, PublicationReader } from "../../protocol/publication/plain_publication.ts";
import type { LongLogins } from "./limits/long_logins.ts";
import type { Waiter, WorkShares } from "./limits/work_shares.ts";

/**
 * What becomes of the next line:
 * `now`: it is taken;
 * `later`: it is held, until `goOn`;
 * `elsewhere`: the link has another owner, who takes it;
 * `never`: nobody wants it any more.
 */
export type Taking = "now" | "later" | "elsewhere" | "never";

/** What became of a line: it was taken, for next to nothing or at a cost, or it was not taken. */
export type Taken = "cheap" | "dear" | "not";

/** What lines are taken with. */
export interface LineIntakeParts {
  readonly shares: WorkShares;
  readonly longLogins: LongLogins;
  readonly maxLineBytes: number;
}

/** The connection, which takes the lines. */
export interface LineIntakeOwner {
  readonly taking: Taking;
  /** Whether it is a client: before, a LOGIN may be longer than other lines. */
  readonly isLoggedIn: boolean;
  /** Whether it does not take its answers. */
  readonly isStuffed: boolean;
  /** Takes a line, if it takes lines now. */
  takeLine(line: string): Taken;
  /** Takes a publication that stands in `bytes`, if it is as usual. Else it comes again, as a line. */
  takePublication(publication: PlainPublication, bytes: Uint8Array): boolean;
  /** What came is no line, and why. */
  takeProblem(problem: string): void;
  /** The other lines are for the new owner of the link. */
  handOn(lines: readonly string[], problem: string | undefined): void;
  /** The link is read again. */
  readsAgain(): void;
  /** The other side sends no more. */
  onFinish(): void;
  /** Does what others have called back for: what it throws is this connection's own fault. */
  contain(act: () => void): void;
}

/** Lines that wait, and what was wrong with what followed them. */
interface Held {
  readonly lines: readonly string[];
  readonly problem: string | undefined;
}

/** Lines that cost next to nothing between two looks at the clock. */
const CHEAP_LINES = 32;
/** A part of each command that has something for the log. */
const PUBLISHES = "_MESSAGE";
const NO_LINES: readonly string[] = [];
const NEWLINE = 0x0a;
/** One for all, as what it has read is taken at once. */
const reader = new PublicationReader();

/** One connection's. */
export class LineIntake implements Waiter {
  readonly framer: LineFramer;
  readonly #link: Link;
  readonly #shares: WorkShares;
  readonly #owner: LineIntakeOwner;
  readonly #maxLineBytes: number;
  /** While something is looked up, or until the next share. */
  #held: Held | undefined;
  #hasFinished = false;
  #isRead = true;

  constructor(link: Link, { shares, longLogins, maxLineBytes }: LineIntakeParts, owner: LineIntakeOwner) {
    this.#link = link;
    this.framer = new LineFramer(maxLineBytes, longLogins.of(link.remoteHost, owner));
    this.#maxLineBytes = maxLineBytes;
    this.#shares = shares;
    this.#owner = owner;
  }

  /** Whether the link is read. */
  get isRead(): boolean {
    return this.#isRead;
  }

  /** Whether lines wait. */
  get isHolding(): boolean {
    return this.#held !== undefined;
  }

  /** Bytes came. */
  push(bytes: Uint8Array): void {
    if (!this.#shares.hasRoom) return this.#pushLines(bytes);
    const taken = this.#takesPublications ? this.#takePublications(bytes) : 0;
    if (taken < bytes.length) this.#pushLines(taken === 0 ? bytes : bytes.subarray(taken));
  }

  #pushLines(bytes: Uint8Array): void {
    const { lines, problem } = this.framer.push(bytes);
    const held = this.#held;
    if (held === undefined && this.#hasToWait(lines)) this.#holdForRoom(lines, problem);
    else if (held === undefined) this.#take(lines, problem);
    // These bytes were on their way already when reading stopped.
    else this.#held = { lines: [...held.lines, ...lines], problem: held.problem ?? problem };
  }

  /** No more bytes come. The owner hears it once more when the lines that are held were taken. */
  finish(): void {
    this.#hasFinished = true;
  }

  /** The link has room again. */
  drained(): void {
    if (this.#held !== undefined) this.#shares.later(this);
    this.readOrNot();
  }

  /** Takes lines that have waited, as far as the next share goes. */
  goOn(): void {
    this.#owner.contain(() => this.takeHeld());
  }

  /** As `goOn`, for the owner itself. */
  takeHeld(): void {
    // A client that does not take its answers gets no more of them. When it has taken them, `drained` goes on.
    if (this.#owner.taking !== "now" || this.#owner.isStuffed) return;
    const held = this.#held;
    if (held !== undefined && this.#hasToWait(held.lines)) return this.#shares.whenRoom(this);
    this.#held = undefined;
    if (held !== undefined) this.#take(held.lines, held.problem);
    this.readOrNot();
    if (this.#hasFinished && this.#held === undefined) this.#owner.onFinish();
  }

  /** Stops reading while lines wait, or while the client takes no answers. Else reads on. */
  readOrNot(): void {
    const { taking } = this.#owner;
    if (taking === "never" || taking === "elsewhere") return;
    const isRead = this.#held === undefined && !this.#owner.isStuffed;
    if (isRead) this.#link.resume();
    else this.#link.pause();
    if (isRead && !this.#isRead) this.#owner.readsAgain();
    this.#isRead = isRead;
  }

  /** Nothing is taken any more. */
  end(): void {
    this.#held = undefined;
    this.#shares.forget(this);
    this.framer.end();
  }

  get #takesPublications(): boolean {
    return this.#held === undefined && this.#owner.isLoggedIn;
  }

  /**
   * Takes publications from the beginning of `bytes`, as long as they are plain, in the client's share of the turn.
   * Gives how many bytes were taken.
   */
  #takePublications(bytes: Uint8Array): number {
    const lastNewline = bytes.lastIndexOf(NEWLINE);
    if (lastNewline < 0) return 0;
    let at = 0;
    if (this.framer.hasUnfinishedLine) {
      at = bytes.indexOf(NEWLINE) + 1;
      this.#pushLines(bytes.subarray(0, at));
      if (!this.#takesPublications) return at;
    }
    if (!isUtf8(bytes.subarray(at, lastNewline))) return at;
    const owner = this.#owner;
    const shares = this.#shares;
    const untilMs = shares.begin();
    for (let count = 0; at < lastNewline; count++) {
      if (count > 0 && count % CHEAP_LINES === 0 && (owner.isStuffed || shares.isUsedUp(untilMs))) {
        const { lines, problem } = this.framer.push(bytes.subarray(at));
        this.#hold(lines, problem);
        shares.later(this);
        return bytes.length;
      }
      const isTaken = reader.read(bytes, at) && reader.end - at <= this.#maxLineBytes &&
        owner.takePublication(reader, bytes);
      if (!isTaken) return at;
      at = reader.end + 1;
    }
    return at;
  }

  #take(lines: readonly string[], problem: string | undefined): void {
    const owner = this.#owner;
    const shares = this.#shares;
    const untilMs = shares.begin();
    let taken: Taken = "cheap";
    for (let index = 0; index < lines.length; index++) {
      // A line that costs almost nothing is not worth a look at the clock.
      const isLook = index > 0 && (taken !== "cheap" || index % CHEAP_LINES === 0);
      if (isLook && owner.taking === "now" && (owner.isStuffed || shares.isUsedUp(untilMs))) {
        this.#hold(lines.slice(index), problem);
        return shares.later(this);
      }
      taken = owner.takeLine(lines[index]!);
      if (taken === "not") return this.#leave(owner.taking, lines.slice(index), problem);
    }
    if (problem === undefined) return;
    const { taking } = owner;
    if (taking === "now") owner.takeProblem(problem);
    else this.#leave(taking, NO_LINES, problem);
  }

  #leave(taking: Taking, lines: readonly string[], problem: string | undefined): void {
    if (taking === "later") this.#hold(lines, problem);
    else if (taking === "elsewhere") this.#owner.handOn(lines, problem);
  }

  /** Whether too much waits for the disk, and `lines` have more for it. Strangers may come in all the same. */
  #hasToWait(lines: readonly string[]): boolean {
    return !this.#shares.hasRoom && this.#owner.isLoggedIn && lines.some((line) => line.includes(PUBLISHES));
  }

  #holdForRoom(lines: readonly string[], problem: string | undefined): void {
    this.#hold(lines, problem);
    this.#shares.whenRoom(this);
  }

  #hold(lines: readonly string[], problem: string | undefined): void {
    this.#held = { lines, problem };
    this.readOrNot();
  }
}
