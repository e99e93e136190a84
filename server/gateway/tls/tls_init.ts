/**
 * `thrum-server tls-init`: an authority for a network of one's own in a folder, and certificates that it signs. A
 * second run renews with the same authority. What is in the folder and was not made so stays as it is. `init_text.ts`
 * has the words for people.
 */

import { FileError, fileReason, readTextFile, replacePrivateFile } from "../../../platform/files/text_file.ts";
import {
  type Authority,
  type Certificate,
  makeAuthority,
  readAuthority,
  readCertificate,
} from "../../../platform/tls/authority.ts";
import { withOwnHosts } from "./certificate_hosts.ts";

/** What is asked for. */
export interface InitAsked {
  readonly folder: string;
  /** The name of the certificate's files. */
  readonly name: string;
  /** Whose certificate it is: a server's has hosts. A client's has none. */
  readonly for: "server" | "client";
  /** Hosts of a server, as certificates have them; none for those of the certificate that is renewed. */
  readonly hosts: readonly string[];
}

/** A certificate in the folder. */
export interface KeptCertificate extends Pick<Certificate, "hosts" | "endsAt" | "fingerprint"> {
  readonly file: string;
  readonly keyFile: string;
}

/** What was done. */
export interface InitDone {
  readonly authority: KeptCertificate & { readonly isNew: boolean };
  readonly certificate: KeptCertificate & {
    /** The one that was there before, which is gone. */
    readonly former?: Pick<Certificate, "hosts" | "endsAt">;
  };
}

/** It cannot be done. The message is one sentence that says what to do instead. */
export class InitError extends Error {
  /** Its class, by name. */
  override name = "InitError";
}

const DAY_MS = 86_400_000;
const AUTHORITY_MS = 3_650 * DAY_MS;
/** Some programs take no certificate of a server that is valid for more than 825 days. */
const CERTIFICATE_MS = 397 * DAY_MS;

/**
 * Makes what is missing in the folder, and renews the certificate. `nowMs` is milliseconds since 1970, `tag` a few
 * random letters: browsers mix up two authorities of one name.
 * @throws {InitError} when something in the folder is not what it should be; then nothing was written.
 * @throws {FileError} when the folder cannot be read or written.
 */
export async function tlsInit(asked: InitAsked, nowMs: number, tag: string): Promise<InitDone> {
  const { folder, name } = asked;
  const [caFile, caKeyFile] = filesOf(folder, "ca");
  const [file, keyFile] = filesOf(folder, name);
  const found = await findAuthority(caFile, caKeyFile);
  const former = await findFormer(file, keyFile, found);
  const hosts = hostsOf(asked, former);
  if (found !== undefined && found.endsAt <= nowMs) {
    throw new InitError(
      `The authority in ${JSON.stringify(caFile)} has ended: make a new one in another folder, with --out`,
    );
  }
  const authority = found ?? await makeAuthority(`thrum local CA ${tag}`, nowMs, nowMs + AUTHORITY_MS);
  const title = asked.for === "client" ? name : hosts[0]!;
  const issued = await authority.issue({ title, hosts, nowMs, endsAt: nowMs + CERTIFICATE_MS });
  if (found === undefined) {
    // The key first: an authority without its key is of no use, and looks like one.
    await replacePrivateFile(caKeyFile, authority.keyPem);
    await replacePrivateFile(caFile, authority.pem);
  }
  await replacePrivateFile(keyFile, issued.keyPem);
  await replacePrivateFile(file, issued.pem);
  return {
    authority: { ...kept(authority, caFile, caKeyFile), isNew: found === undefined },
    certificate: { ...kept(issued, file, keyFile), ...(former === undefined ? {} : { former }) },
  };
}

/** The files of a certificate and of its key. */
export function filesOf(folder: string, name: string): readonly [string, string] {
  return [`${folder}/${name}.pem`, `${folder}/${name}-key.pem`];
}

async function findAuthority(file: string, keyFile: string): Promise<Authority | undefined> {
  const [pem, keyPem] = [await readOrFail(file), await readOrFail(keyFile)];
  if (pem === undefined && keyPem === undefined) return undefined;
  if (pem === undefined || keyPem === undefined) {
    const [here, missing] = pem === undefined ? [keyFile, file] : [file, keyFile];
    throw new InitError(
      `${JSON.stringify(here)} is here and ${JSON.stringify(missing)} is not: bring it back, or make a new authority ` +
        "in another folder, with --out",
    );
  }
  const authority = await readAuthority(pem, keyPem);
  if (authority !== undefined) return authority;
  throw new InitError(
    `${JSON.stringify(file)} and ${
      JSON.stringify(keyFile)
    } are no authority that tls-init made: choose another folder, ` +
      "with --out",
  );
}

/** The certificate that is to be renewed, if there is one. */
async function findFormer(
  file: string,
  keyFile: string,
  authority: Authority | undefined,
): Promise<Certificate | undefined> {
  const [pem, keyPem] = [await readOrFail(file), await readOrFail(keyFile)];
  if (pem === undefined && keyPem === undefined) return undefined;
  const former = pem === undefined ? undefined : await readCertificate(pem);
  if (pem !== undefined && await authority?.hasSigned(pem)) return former;
  throw new InitError(
    `${
      JSON.stringify(pem === undefined ? keyFile : file)
    } is not of the authority in this folder, and would be lost: ` +
      "move it away, or choose another --name",
  );
}

/** The hosts of the new certificate; none for a client's. */
function hostsOf({ for: whose, hosts, name, folder }: InitAsked, former: Certificate | undefined): readonly string[] {
  const [file] = filesOf(folder, name);
  const isClients = former?.hosts.length === 0;
  if (former !== undefined && isClients !== (whose === "client")) {
    throw new InitError(
      `${JSON.stringify(file)} is the certificate of a ${isClients ? "client" : "server"}: choose another name`,
    );
  }
  if (whose === "client") return [];
  const wanted = withOwnHosts(hosts);
  const lost = former?.hosts.filter((host) => !wanted.includes(host)) ?? [];
  // Somebody may mean another server, and would take the first one's name away.
  if (hosts.length > 0 && lost.length > 0) {
    throw new InitError(
      `${JSON.stringify(file)} is for ${
        lost.join(", ")
      }, too: name all of its hosts, give another server files of its ` +
        "own with --name, or move the file and its key away",
    );
  }
  if (hosts.length > 0) return wanted;
  if (former !== undefined) return former.hosts;
  throw new InitError(
    "tls-init needs the names and addresses by which others reach the server: thrum-server tls-init HOST…",
  );
}

function kept({ hosts, endsAt, fingerprint }: Certificate, file: string, keyFile: string): KeptCertificate {
  return { hosts, endsAt, fingerprint, file, keyFile };
}

async function readOrFail(file: string): Promise<string | undefined> {
  try {
    return await readTextFile(file);
  } catch (error) {
    throw new FileError(`Cannot read ${JSON.stringify(file)}: ${fileReason((error as Error).cause ?? error)}`, {
      cause: error,
    });
  }
}
