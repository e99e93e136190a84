// @ts-check
/**
 * A change of the account that this page has asked for, as its session sees it: the server ends all connections of the
 * user, and its answer takes another way than that end, so it may come before or after. Decides which secret holds.
 * Pure.
 */

/** One at a time. */
export class OwnChange {
  /** What is being asked for. @type {{ readonly newSecret: string | undefined } | undefined} */
  #asked;
  /** The secret that holds now, until the session has taken it. @type {string | undefined} */
  #holds;
  /** Whether a connection is still to end because of it. */
  #isOwed = false;

  /** It is asked for. @param {string | undefined} newSecret Absent: the account is to go. */
  begin(newSecret) {
    this.#asked = { newSecret };
    // Of an earlier one.
    this.#isOwed = false;
  }

  /** A connection ends as the secret is another one. Whether that is this page's own doing. */
  endsConnection() {
    if (this.#isOwed) {
      this.#isOwed = false;
      return true;
    }
    if (this.#asked?.newSecret === undefined) return false;
    this.#holds = this.#asked.newSecret;
    this.#asked = undefined;
    return true;
  }

  /**
   * The answer came, or there is none. Gives whether the account is gone.
   * @param {boolean} isDone
   */
  end(isDone) {
    const asked = this.#asked;
    this.#asked = undefined;
    if (!isDone || asked === undefined) return { isForgotten: false };
    this.#holds = asked.newSecret;
    this.#isOwed = asked.newSecret !== undefined;
    return { isForgotten: asked.newSecret === undefined };
  }

  /** The secret that holds now, if the session has not taken it yet. */
  take() {
    const secret = this.#holds;
    this.#holds = undefined;
    return secret;
  }
}
