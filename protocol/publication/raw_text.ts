/** A text that is not decoded: the bytes that came are the bytes that go out. Pure. */

/** A part of `bytes`, which is UTF-8. It is good until the call ends that it was given in: then the bytes change. */
export interface RawText {
  readonly bytes: Uint8Array;
  readonly from: number;
  readonly to: number;
}

const decoder = new TextDecoder();

/** The same as a string. */
export function textOf(text: string | RawText): string {
  return typeof text === "string" ? text : decoder.decode(text.bytes.subarray(text.from, text.to));
}
