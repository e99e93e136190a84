/** What `tls-init` has done, and what to do with it, for a person. Pure. */

import { TLS_INIT_DEFAULTS } from "../../../config/server_arguments.ts";
import { shellWord } from "../../../config/shell_word.ts";
import type { Style } from "../../../platform/terminal.ts";
import type { InitDone } from "./tls_init.ts";

/** What the text is made with. */
export interface InitTextParts {
  readonly title: string;
  readonly folder: string;
  /** Of the certificate's files. */
  readonly name: string;
  /** Whether it is a server's, or a client's. */
  readonly isServer: boolean;
  /** How the two programs are started here. */
  readonly commands: { readonly server: string; readonly client: string };
  readonly out: Style;
  /** The day of a moment, in milliseconds since 1970. */
  readonly dayOf: (wallMs: number) => string;
}

/** The whole text. */
export function initText(done: InitDone, parts: InitTextParts): string {
  const { title, folder, isServer, out } = parts;
  return `${out.bold(title)} ${out.green(`certificates in ${folder}`)}\n` +
    [...authorityRows(done, parts), ...certificateRows(done, parts)].join("") +
    "\n" +
    (isServer ? serverSteps(done, parts) : clientSteps(done, parts)) +
    renewal(done, parts);
}

function authorityRows({ authority }: InitDone, { dayOf, out }: InitTextParts): string[] {
  const until = `until ${dayOf(authority.endsAt)}`;
  return [
    row(out, "authority", authority.file, authority.isNew ? `new, ${until}` : `as before, ${until}`),
    row(out, "", authority.keyFile, "signs the others: leave it here, give it to nobody"),
  ];
}

function certificateRows({ certificate }: InitDone, { isServer, dayOf, out }: InitTextParts): string[] {
  const { former, hosts, endsAt } = certificate;
  const until = `until ${dayOf(endsAt)}`;
  const what = former === undefined
    ? `new, ${until}`
    : `renewed, ${until}; replaces the one ${`until ${dayOf(former.endsAt)}`}`;
  return [
    row(out, isServer ? "server" : "client", certificate.file, what),
    row(out, "", certificate.keyFile, "its key"),
    ...hosts.length > 0 ? [row(out, "for", hosts.join(", "))] : [],
    row(out, "SHA-256", certificate.fingerprint),
  ];
}

function serverSteps({ authority, certificate }: InitDone, parts: InitTextParts): string {
  const { commands, out, folder, name } = parts;
  const { file, keyFile, hosts } = certificate;
  const keys = Object.entries({ cert: file, key: keyFile, ca: authority.file });
  const section = keys.map(([key, path]) => `${JSON.stringify(key)}: ${JSON.stringify(path)}`).join(", ");
  const host = hosts.find((one) => !one.startsWith("*."))!;
  const more = name === TLS_INIT_DEFAULTS.name
    ? step(
      "For another server, and for a client that has to show who it is:",
      `${commands.server} tls-init${outFlag(folder)} --name other HOST…`,
      `${commands.server} tls-init${outFlag(folder)} --client NAME`,
    )
    : "";
  return step(
    `The server needs ${files(file, keyFile, authority.file)}, and in its config.json:`,
    out.bold(`"tls": { ${section} }`),
  ) +
    step(
      `A client needs ${files(authority.file)}:`,
      out.bold(`${commands.client} --host ${shellWord(host)} --tls --ca ${shellWord(authority.file)}`),
    ) + more;
}

function clientSteps({ authority, certificate }: InitDone, { commands, out }: InitTextParts): string {
  const { file, keyFile } = certificate;
  return step(
    `The client needs ${files(file, keyFile, authority.file)}:`,
    out.bold(
      `${commands.client} --host HOST --tls --ca ${shellWord(authority.file)} --cert ${shellWord(file)} ` +
        `--key ${shellWord(keyFile)}`,
    ),
  );
}

function renewal({ certificate }: InitDone, parts: InitTextParts): string {
  const { commands, folder, name, isServer, dayOf } = parts;
  const own = name === TLS_INIT_DEFAULTS.name ? "" : ` --name ${shellWord(name)}`;
  const which = isServer ? own : ` --client ${shellWord(name)}`;
  const day = dayOf(certificate.endsAt);
  return step(
    isServer
      ? `Renew it before ${day}, copy both files again, and send the server SIGHUP. No connection ends:`
      : `Renew it before ${day}, and copy both files again:`,
    `${commands.server} tls-init${outFlag(folder)}${which}`,
  ).replace(/\n$/, "");
}

function outFlag(folder: string): string {
  return folder === TLS_INIT_DEFAULTS.folder ? "" : ` --out ${shellWord(folder)}`;
}

/** A sentence, and lines to copy. */
function step(sentence: string, ...lines: readonly string[]): string {
  return `${sentence}\n\n${lines.map((line) => `  ${line}\n`).join("")}\n`;
}

function files(...paths: readonly string[]): string {
  const names = paths.map((path) => path.split("/").at(-1)!);
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

function row({ dim }: Style, name: string, text: string, remark?: string): string {
  const padded = remark === undefined ? text : text.padEnd(30);
  return `  ${dim(name.padEnd(12))}${padded}${remark === undefined ? "" : `  ${dim(remark)}`}\n`;
}
