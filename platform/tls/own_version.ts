/** Which Deno this is, for `tls_support.ts`. */

/** Such as `"2.9.6"`. */
export const DENO_VERSION: string = Deno.version.deno;
