/**
 * The pages and their files, read once when the gateway is opened. A requested path is looked up among these, so no
 * path leads out of the folder.
 */

import type { SecretCrypto } from "../../../platform/crypto.ts";

/** A file as it is served. */
export interface Asset {
  readonly bytes: Uint8Array;
  readonly type: string;
  /** Says which version this is. */
  readonly etag: string;
}

/** All files, by path from the root of the site. */
export interface Assets {
  readonly byPath: ReadonlyMap<string, Asset>;
  /** Paths that are served to everybody, so that the sign-in page works. */
  readonly open: ReadonlySet<string>;
  /** Shown to a browser that has to show the token first. */
  readonly signIn: Asset | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  json: "application/json",
  png: "image/png",
  ico: "image/x-icon",
  woff2: "font/woff2",
  webmanifest: "application/manifest+json",
};
/** Pages have addresses without an ending. */
const PAGES: Readonly<Record<string, string>> = { "index.html": "/", "client.html": "/client" };
const SIGN_IN = "sign_in.html";

/**
 * The site from `files`: their bytes by path in the folder, with `/` between its parts. Files of an unknown kind are
 * left out.
 */
export function assetsOf(files: ReadonlyMap<string, Uint8Array>, crypto: Pick<SecretCrypto, "digest">): Assets {
  const byPath = new Map<string, Asset>();
  let signIn: Asset | undefined;
  let open = new Set<string>();
  for (const [name, bytes] of files) {
    const type = TYPES[name.replace(/^.*\./, "")];
    if (type === undefined) continue;
    const asset = { bytes, type, etag: `"${crypto.digest(latin(bytes)).slice(0, 20)}"` };
    byPath.set(PAGES[name] ?? `/assets/${name}`, asset);
    if (name !== SIGN_IN) continue;
    signIn = asset;
    open = new Set([`/assets/${name}`, ...referredTo(new TextDecoder().decode(bytes))]);
  }
  return { byPath, open, signIn };
}

/** The files that a page names. It has to name the modules that its scripts import, too. */
function referredTo(page: string): string[] {
  return [...page.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, path]) => path!);
}

/** Each byte as a character: no two different files have the same. */
function latin(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192));
  return text;
}
