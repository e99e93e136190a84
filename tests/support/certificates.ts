/** Certificates for tests, made with the program `openssl` in a folder that is removed afterwards. */

import type { TlsIdentity } from "../../platform/tls/tls_identity.ts";

/** Whoever signs, and has signed nothing yet. */
export interface TestCa {
  /** Its certificate, in PEM. */
  readonly ca: string;
  /** Makes a certificate of it, for `localhost` and this machine. */
  sign(
    options?: { readonly name?: string; readonly isExpired?: boolean; readonly names?: string },
  ): Promise<TlsIdentity>;
}

/** A folder with the CAs of one test. */
export class Certificates implements AsyncDisposable {
  readonly folder: string = Deno.makeTempDirSync({ prefix: "thrum-tls-" });
  #made = 0;

  /** Makes a CA. */
  async makeCa(name = "Test CA"): Promise<TestCa> {
    const own = this.#next("ca");
    await this.#openssl("req", "-x509", ...NEW_KEY, "-keyout", `${own}.key`, "-out", `${own}.pem`, "-days", "30", ...[
      "-subj",
      `/CN=${name}`,
    ]);
    const ca = await Deno.readTextFile(`${own}.pem`);
    return {
      ca,
      sign: async ({ name = "server", isExpired = false, names = "DNS:localhost,IP:127.0.0.1,IP:::1" } = {}) => {
        const leaf = this.#next("leaf");
        await Deno.writeTextFile(`${leaf}.ext`, `subjectAltName=${names}\n`);
        await this.#openssl("req", ...NEW_KEY, "-keyout", `${leaf}.key`, "-out", `${leaf}.csr`, "-subj", `/CN=${name}`);
        await this.#openssl("x509", "-req", "-in", `${leaf}.csr`, "-CA", `${own}.pem`, "-CAkey", `${own}.key`, ...[
          ...["-CAserial", `${leaf}.srl`, "-CAcreateserial", "-out", `${leaf}.pem`, "-extfile", `${leaf}.ext`],
          ...["-days", isExpired ? "-1" : "20"],
        ]);
        const [cert, key] = await Promise.all([`${leaf}.pem`, `${leaf}.key`].map((file) => Deno.readTextFile(file)));
        return { cert: cert!, key: key!, ca };
      },
    };
  }

  /** Makes a certificate that has signed itself, with these options of `openssl req`. In DER. */
  async selfSigned(...options: string[]): Promise<Uint8Array> {
    const own = this.#next("self");
    const out = ["-keyout", `${own}.key`, "-out", `${own}.der`, "-outform", "DER", "-days", "3", "-subj", "/CN=self"];
    await this.#openssl("req", "-x509", "-nodes", ...options, ...out);
    return await Deno.readFile(`${own}.der`);
  }

  /** What openssl says is the fingerprint of `cert`. */
  async fingerprint(cert: string): Promise<string> {
    const file = await this.file("shown.pem", cert);
    return (await this.#openssl("x509", "-in", file, "-noout", "-fingerprint", "-sha256")).trim().split("=")[1]!;
  }

  /** Writes `text` into a file of the folder, and gives its name. */
  async file(name: string, text: string): Promise<string> {
    const path = `${this.folder}/${name}`;
    await Deno.writeTextFile(path, text, { mode: 0o600 });
    return path;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.folder, { recursive: true });
  }

  #next(kind: string): string {
    return `${this.folder}/${kind}${++this.#made}`;
  }

  async #openssl(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("openssl", { args }).output();
    if (!success) throw new Error(`openssl ${args[0]}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  }
}

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"] as const;
