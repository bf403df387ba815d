import { readFile, stat } from "node:fs/promises";
import { createSecureContext } from "node:tls";
import { HuishiError, messageOf } from "@huishi/kernel";

const RENEWAL_CHECK_MS = 10_000;

/** Paths of PEM files: the private key, and the certificate with its chain. */
export interface TlsFilePaths {
  readonly keyFile: string;
  readonly certFile: string;
}

interface PemPair {
  readonly key: Buffer;
  readonly cert: Buffer;
}

/**
 * Key and certificate from files, read again when they were renewed on disk. A renewal that cannot be used is
 * reported and the old pair stays in use.
 */
export class TlsFiles {
  readonly #paths: TlsFilePaths;
  readonly #onFault: (fault: unknown) => void;
  readonly #listeners = new Set<(pair: PemPair) => void>();
  readonly #timer: NodeJS.Timeout;
  #current: PemPair;
  #seen: string;

  private constructor(
    paths: TlsFilePaths,
    first: { pair: PemPair; seen: string },
    onFault: (fault: unknown) => void,
    checkMs: number,
  ) {
    this.#paths = paths;
    this.#current = first.pair;
    this.#seen = first.seen;
    this.#onFault = onFault;
    this.#timer = setInterval(() => void this.check(), checkMs);
    this.#timer.unref();
  }

  /** Errors: MQTT_TLS_UNREADABLE, MQTT_TLS_INVALID (no PEM, or the key is another certificate's). */
  static async open(
    paths: TlsFilePaths,
    onFault: (fault: unknown) => void,
    checkMs = RENEWAL_CHECK_MS,
  ): Promise<TlsFiles> {
    const seen = await fingerprint(paths);
    return new TlsFiles(paths, { pair: await readPair(paths), seen }, onFault, checkMs);
  }

  get current(): PemPair {
    return this.#current;
  }

  onRenewed(listener: (pair: PemPair) => void): void {
    this.#listeners.add(listener);
  }

  /** Looks whether the files are others now. */
  async check(): Promise<void> {
    try {
      const seen = await fingerprint(this.#paths);
      if (seen === this.#seen) return;
      this.#current = await readPair(this.#paths);
      this.#seen = seen;
      for (const listener of this.#listeners) listener(this.#current);
    } catch (fault) {
      this.#onFault(fault);
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

async function fingerprint({ keyFile, certFile }: TlsFilePaths): Promise<string> {
  const parts = [keyFile, certFile].map(async (file) => {
    // Follows links: renewal tools swap those.
    const { ino, mtimeMs, size } = await stat(file).catch((thrown: unknown) => unreadable(file, thrown));
    return `${ino} ${mtimeMs} ${size}`;
  });
  return (await Promise.all(parts)).join(" ");
}

async function readPair({ keyFile, certFile }: TlsFilePaths): Promise<PemPair> {
  const read = (file: string): Promise<Buffer> =>
    readFile(file).catch((thrown: unknown) => unreadable(file, thrown));
  const [key, cert] = await Promise.all([read(keyFile), read(certFile)]);
  try {
    createSecureContext({ key, cert });
  } catch (cause) {
    throw new HuishiError(
      "MQTT_TLS_INVALID",
      `${keyFile} and ${certFile} are not a private key and its certificate in PEM: ${messageOf(cause)}`,
      { cause, details: { keyFile, certFile } },
    );
  }
  return { key, cert };
}

function unreadable(file: string, cause: unknown): never {
  throw new HuishiError("MQTT_TLS_UNREADABLE", `${file} cannot be read: ${messageOf(cause)}`, {
    cause,
    details: { file },
  });
}
