import { readFile } from "node:fs/promises";
import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { HuishiError, messageOf } from "@huishi/kernel";

export interface BrokerAddress {
  /** `mqtt://host[:port]` or `mqtts://host[:port]`, without user or password. */
  readonly url: string;
  /** PEM file of the authority that signed the broker's certificate. Default: the public ones. */
  readonly caFile?: string;
}

/** Opens a socket; the connection's own deadline ends the attempt. Errors: BROKER_FILE_UNREADABLE. */
export async function openSocket({ url, caFile }: BrokerAddress): Promise<Socket> {
  const { protocol, hostname, port } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (protocol === "mqtt:")
    return connectTcp({ host, port: Number(port || 1883), noDelay: true, keepAlive: true });
  return connectTls({
    host,
    port: Number(port || 8883),
    minVersion: "TLSv1.2",
    // An address is no server name (RFC 6066 §3); the certificate is checked against it all the same.
    ...(isIP(host) === 0 && { servername: host }),
    ...(caFile !== undefined && { ca: await readBrokerFile(caFile) }),
  }).setNoDelay(true);
}

/** Read at each connection: a renewed password or authority is picked up. Error: BROKER_FILE_UNREADABLE. */
export async function readBrokerFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new HuishiError("BROKER_FILE_UNREADABLE", `${file} cannot be read: ${messageOf(cause)}`, {
      cause,
      details: { file },
    });
  }
}
