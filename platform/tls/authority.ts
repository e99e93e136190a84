/**
 * Certificates for a network of one's own: an authority, and what it signs. Only `server/gateway/tls/tls_init.ts` loads
 * this, as nobody else needs `@peculiar/x509`. Files are its caller's.
 */

import "reflect-metadata";
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { isIP } from "node:net";
import { toHex } from "../hex.ts";
import { makeKeyPair, privateKeyPem, readPrivateKey } from "./key_pairs.ts";

/** A certificate, and what it says. */
export interface Certificate {
  readonly pem: string;
  /** Names and addresses that it is for. */
  readonly hosts: readonly string[];
  /** When it ends, in milliseconds since 1970. */
  readonly endsAt: number;
  /** SHA-256 of it, as 64 hexadecimal digits. */
  readonly fingerprint: string;
}

/** A new certificate with its private key. */
export interface Issued extends Certificate {
  readonly keyPem: string;
}

/** Who signs. */
export interface Authority extends Certificate {
  readonly keyPem: string;
  /**
   * Makes a certificate. With `hosts` it is a server's; a server calls others with it, too. Without `hosts` it is a
   * client's, and no server can use it. It ends no later than the authority.
   */
  issue(wish: CertificateWish): Promise<Issued>;
  /** Whether the certificate in `pem` was signed by this authority. */
  hasSigned(pem: string): Promise<boolean>;
}

/** What certificate is wanted. */
export interface CertificateWish {
  /** What people see it called. */
  readonly title: string;
  readonly hosts: readonly string[];
  /** Both in milliseconds since 1970. */
  readonly nowMs: number;
  readonly endsAt: number;
}

const SIGNING = { name: "ECDSA", hash: "SHA-256" } as const;
/** The clocks of a network differ: who is behind takes a new certificate, too. */
const EARLIER_MS = 3_600_000;
/** All that a common name may have. */
const MAX_TITLE = 64;

/** Makes an authority that is called `title`. Times are milliseconds since 1970. */
export async function makeAuthority(title: string, nowMs: number, endsAt: number): Promise<Authority> {
  const keys = await makeKeyPair();
  const made = await X509CertificateGenerator.createSelfSigned({
    name: nameOf(title),
    keys,
    notBefore: new Date(nowMs - EARLIER_MS),
    notAfter: new Date(endsAt),
    signingAlgorithm: SIGNING,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return await authorityOf(made, keys.privateKey, await privateKeyPem(keys));
}

/** The authority whose certificate and key these are; `undefined` where the two do not belong together. */
export async function readAuthority(pem: string, keyPem: string): Promise<Authority | undefined> {
  const certificate = certificateIn(pem);
  const key = await readPrivateKey(keyPem);
  if (certificate === undefined || key === undefined) return undefined;
  const authority = await authorityOf(certificate, key, keyPem);
  // What the key signs shows whether it is the one.
  const probe = { title: "probe", hosts: [], nowMs: 0, endsAt: authority.endsAt };
  return await authority.hasSigned((await authority.issue(probe)).pem) ? authority : undefined;
}

/** What the certificate in `pem` says; `undefined` where there is none. */
export async function readCertificate(pem: string): Promise<Certificate | undefined> {
  const certificate = certificateIn(pem);
  return certificate && await described(certificate);
}

async function authorityOf(own: X509Certificate, key: CryptoKey, keyPem: string): Promise<Authority> {
  const ownEnd = own.notAfter.getTime();
  return {
    ...await described(own),
    keyPem,
    issue: async ({ title, hosts, nowMs, endsAt }) => {
      const keys = await makeKeyPair();
      const made = await X509CertificateGenerator.create({
        subject: nameOf(title),
        issuer: own.subjectName,
        publicKey: keys.publicKey,
        signingKey: key,
        signingAlgorithm: SIGNING,
        notBefore: new Date(nowMs - EARLIER_MS),
        notAfter: new Date(Math.min(endsAt, ownEnd)),
        extensions: [
          new BasicConstraintsExtension(false, undefined, true),
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([
            ...hosts.length > 0 ? [ExtendedKeyUsage.serverAuth] : [],
            ExtendedKeyUsage.clientAuth,
          ]),
          ...alternativeNames(hosts),
          await SubjectKeyIdentifierExtension.create(keys.publicKey),
          await AuthorityKeyIdentifierExtension.create(own),
        ],
      });
      return { ...await described(made), keyPem: await privateKeyPem(keys) };
    },
    hasSigned: async (pem) => {
      const certificate = certificateIn(pem);
      return certificate !== undefined && certificate.issuer === own.subject &&
        await certificate.verify({ publicKey: own, signatureOnly: true });
    },
  };
}

function alternativeNames(hosts: readonly string[]): Extension[] {
  if (hosts.length === 0) return [];
  const names = hosts.map((value) => ({ type: isIP(value) !== 0 ? "ip" : "dns", value }) as const);
  return [new SubjectAlternativeNameExtension([...names])];
}

function nameOf(title: string) {
  return [{ CN: [title.slice(0, MAX_TITLE)] }];
}

function certificateIn(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // It is something else, or was cut.
    return undefined;
  }
}

async function described(certificate: X509Certificate): Promise<Certificate> {
  const names = certificate.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
  return {
    pem: `${certificate.toString("pem")}\n`,
    hosts: names.filter(({ type }) => type === "dns" || type === "ip").map(({ value }) => value),
    endsAt: certificate.notAfter.getTime(),
    fingerprint: toHex(new Uint8Array(await certificate.getThumbprint("SHA-256"))),
  };
}
