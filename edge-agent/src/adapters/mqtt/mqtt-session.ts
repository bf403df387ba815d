import { messageOf } from "@huishi/kernel";
import { type IClientOptions, type MqttClient, connect } from "mqtt";
import { EdgeError, type EdgeFaultCode } from "../../domain/faults.ts";

const CONNECT_TIMEOUT_MS = 10_000;
const KEEPALIVE_S = 15;
/** How long a clean end may take before the connection is cut. */
const END_TIMEOUT_MS = 1_000;
/** What OpenSSL and Node say of a certificate (openssl-verification-options(1), node:tls). */
const CERTIFICATE_FAULTS: Readonly<Record<string, EdgeFaultCode>> = {
  CERT_HAS_EXPIRED: "SERVER_CERT_EXPIRED",
  CERT_NOT_YET_VALID: "SERVER_CERT_EXPIRED",
  ERR_TLS_CERT_ALTNAME_INVALID: "SERVER_CERT_NAME",
  DEPTH_ZERO_SELF_SIGNED_CERT: "SERVER_CERT_UNTRUSTED",
  SELF_SIGNED_CERT_IN_CHAIN: "SERVER_CERT_UNTRUSTED",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "SERVER_CERT_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT: "SERVER_CERT_UNTRUSTED",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "SERVER_CERT_UNTRUSTED",
  CERT_SIGNATURE_FAILURE: "SERVER_CERT_UNTRUSTED",
  CERT_UNTRUSTED: "SERVER_CERT_UNTRUSTED",
  INVALID_CA: "SERVER_CERT_UNTRUSTED",
  CERT_REVOKED: "SERVER_CERT_UNTRUSTED",
};
/** CONNACK return codes of MQTT 3.1.1 §3.2.2.3: identifier rejected, bad account. */
const REFUSED_CODES = new Set([2, 4]);
/** Not authorized: what the centre's own endpoint says to an agent that is revoked, brokers to any that they refuse. */
const NOT_AUTHORIZED = 5;

/**
 * One MQTT 3.1.1 connection from start to end. It does not reconnect by itself: the supervisor owns that, with
 * back-off and jitter. `onOpen` is called once the server accepted us; the promise rejects when the connection
 * ends and resolves when the signal aborts.
 */
export async function runMqttSession(
  url: string,
  options: Pick<IClientOptions, "clientId" | "username" | "password" | "will"> & {
    /** Certificate authority for `mqtts:`, PEM; without it those that Node knows. */
    readonly ca?: string | undefined;
  },
  handlers: {
    onOpen(client: MqttClient): Promise<void>;
    /** The last moment on which something can be sent. */
    beforeEnd?(client: MqttClient): Promise<void>;
  },
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { ca, ...account } = options;
  // Handed on to node:tls, which is where `minVersion` means something.
  const settings: IClientOptions & { readonly minVersion: "TLSv1.2" } = {
    ...account,
    // Only `mqtts:` looks at these: the server's name is checked against its certificate.
    ...(ca === undefined ? {} : { ca }),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
    protocolVersion: 4,
    clean: true,
    keepalive: KEEPALIVE_S,
    connectTimeout: CONNECT_TIMEOUT_MS,
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
  };
  const client = connect(url, settings);
  let onAbort: (() => void) | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      let lastError: Error | null = null;
      client.on("error", (error) => (lastError = error));
      client.on("close", () => reject(connectionFault(url, lastError)));
      client.once("connect", () => {
        handlers.onOpen(client).catch(reject);
      });
      onAbort = () => resolve();
      signal.addEventListener("abort", onAbort, { once: true });
    });
    if (client.connected) await withTimeout(handlers.beforeEnd?.(client));
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
    await end(client);
  }
}

async function end(client: MqttClient): Promise<void> {
  const wasConnected = client.connected;
  await withTimeout(client.endAsync(!wasConnected));
  client.stream.destroy();
}

async function withTimeout(work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, END_TIMEOUT_MS)));
  await Promise.race([work?.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

function connectionFault(url: string, error: Error | null): EdgeError {
  const { host } = new URL(url);
  const code = (error as { code?: unknown } | null)?.code;
  if (code === NOT_AUTHORIZED) {
    return new EdgeError("AGENT_REVOKED", `the MQTT endpoint ${host} does not admit this agent any more`);
  }
  if (typeof code === "number" && REFUSED_CODES.has(code)) {
    return new EdgeError("AGENT_REFUSED", `the MQTT endpoint ${host} refused this agent`);
  }
  const certificateFault = typeof code === "string" ? CERTIFICATE_FAULTS[code] : undefined;
  if (certificateFault) {
    return new EdgeError(certificateFault, `the certificate of ${host} is not accepted (${String(code)})`);
  }
  const why = error ? messageOf(error) || String(code) : "the connection was closed";
  return new EdgeError("SERVER_UNREACHABLE", `no connection to the MQTT endpoint ${host} (${why})`);
}
