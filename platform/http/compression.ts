/** Makes bodies of answers smaller, beside the event loop: `node:zlib` has threads for that. */

import { brotliCompress, constants, gzip } from "node:zlib";

/** A coding of content that every browser knows, as it stands in `content-encoding`. */
export type Coding = "br" | "gzip";

/**
 * How much time a smaller body is worth: `"once"` for one that is sent many times. It takes a tenth of a second a
 * megabyte with `"always"`, and some times that with `"once"`.
 */
export type Effort = "once" | "always";

/** Brotli's quality, and gzip's level. */
const QUALITY = { once: 9, always: 4 } as const;

/**
 * `bytes` in `coding`.
 * @throws {Error} if there is no memory for it.
 */
export function compress(bytes: Uint8Array, coding: Coding, effort: Effort): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, smaller: Uint8Array) => error === null ? resolve(smaller) : reject(error);
    if (coding === "gzip") return gzip(bytes, { level: QUALITY[effort] }, done);
    const params = {
      [constants.BROTLI_PARAM_QUALITY]: QUALITY[effort],
      [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
    };
    brotliCompress(bytes, { params }, done);
  });
}
