import { HuishiError, messageOf } from "@huishi/kernel";
import { createHash, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createSecureContext } from "node:tls";

/** PEM files. */
export interface TlsFilePaths {
  readonly keyFile: string;
  readonly certFile: string;
  /** The authority that signed the certificate, where agents cannot know it otherwise. */
  readonly caFile?: string;
  /** Host (and port) under which agents and people reach us; it must stand in the certificate. */
  readonly host?: string;
}

export interface ReadTls {
  readonly server: { readonly key: Buffer; readonly cert: Buffer };
  /** Null where the port is not known before we listen. */
  readonly origin: string | null;
  readonly caPem: string | undefined;
  readonly pin: { readonly host: string; readonly fingerprint: string } | undefined;
}

/** @throws HuishiError HTTP_TLS_UNREADABLE, HTTP_TLS_INVALID */
export async function readTls(
  { keyFile, certFile, caFile, host }: TlsFilePaths,
  listen: { readonly host: string; readonly port: number },
): Promise<ReadTls> {
  const [key, cert, ca] = await Promise.all([
    readPem(keyFile),
    readPem(certFile),
    caFile === undefined ? undefined : readPem(caFile),
  ]);
  const place = host ?? (listen.port === 0 ? undefined : `${listen.host}:${listen.port}`);
  try {
    createSecureContext({ key, cert });
    const authority = ca && new X509Certificate(ca);
    const fingerprint = authority && createHash("sha256").update(authority.raw).digest("hex");
    return {
      server: { key, cert },
      origin: host === undefined ? null : `https://${host}`,
      caPem: authority?.toString(),
      pin: fingerprint === undefined || place === undefined ? undefined : { host: place, fingerprint },
    };
  } catch (cause) {
    throw new HuishiError("HTTP_TLS_INVALID", `The TLS files cannot be used: ${messageOf(cause)}`, { cause });
  }
}

async function readPem(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new HuishiError("HTTP_TLS_UNREADABLE", `${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}
