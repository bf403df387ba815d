import type { MediaBus } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { randomUUID } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { PartHealth } from "../health.ts";
import type { Logger } from "../logger.ts";
import type { Metrics } from "../metrics.ts";
import { InProcessMediaBus } from "./in-process-media-bus.ts";
import { NatsConnection } from "./nats/nats-connection.ts";
import { type NatsCredentials, readCreds } from "./nats/nats-credentials.ts";
import { NatsMediaBus } from "./nats/nats-media-bus.ts";

/** The environment of the media bus, the same for every service. Nothing secret stands in it, only where it is. */
const MediaBusEnvironment = Type.Object({
  /** `nats://host:port` or `tls://host:port`; user and password do not stand in it. Without it the bus ends with the process. */
  HUISHI_NATS_URL: Type.Optional(Type.String({ pattern: "^(nats|tls)://[^/@?#\\s]+/?$" })),
  /** A `.creds` file as `nsc` writes it. */
  HUISHI_NATS_CREDENTIALS_FILE: Type.Optional(Type.String({ minLength: 1 })),
  HUISHI_NATS_USER: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" })),
  HUISHI_NATS_PASSWORD_FILE: Type.Optional(Type.String({ minLength: 1 })),
  /** PEM file of the authority that signed the server's certificate; the system's authorities without it. */
  HUISHI_NATS_CA: Type.Optional(Type.String({ minLength: 1 })),
  /** PEM files of our own certificate and its key, where the server asks for one. Both or none. */
  HUISHI_NATS_CERT: Type.Optional(Type.String({ minLength: 1 })),
  HUISHI_NATS_KEY: Type.Optional(Type.String({ minLength: 1 })),
  /** `allow`: pictures may go without TLS to another machine. */
  HUISHI_NATS_PLAIN: Type.Optional(Type.Literal("allow")),
});
type Environment = Static<typeof MediaBusEnvironment>;
const environment = Compile(MediaBusEnvironment);
const NAMES = Object.keys(MediaBusEnvironment.properties) as (keyof Environment)[];
const DEFAULT_PORT = 4222;
/** A creds file or a certificate is a few kilobytes. */
const MAX_FILE_BYTES = 64 * 1024;

export interface NatsConfig {
  readonly host: string;
  readonly port: number;
  readonly isSecured: boolean;
  readonly credentialsFile?: string;
  readonly user?: string;
  readonly passwordFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
}

/**
 * Reads where the media bus is; null when it stays within the process. Errors: CONFIG_INVALID, which names the variable
 * and never shows its value; NATS_PLAIN_REFUSED.
 */
export function readMediaBusConfig(env: Readonly<Record<string, string | undefined>>): NatsConfig | null {
  const given: unknown = Object.fromEntries(
    NAMES.flatMap((name) => (env[name] ? [[name, env[name]] as const] : [])),
  );
  if (!environment.Check(given))
    throw invalid(environment.Errors(given).map((error) => error.instancePath.slice(1)));
  if (given.HUISHI_NATS_URL === undefined) return null;
  const url = URL.canParse(given.HUISHI_NATS_URL) ? new URL(given.HUISHI_NATS_URL) : null;
  if (!url) throw invalid(["HUISHI_NATS_URL"]);
  const isSecured = url.protocol === "tls:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!isSecured && !isLoopback(host) && given.HUISHI_NATS_PLAIN === undefined) {
    throw new HuishiError(
      "NATS_PLAIN_REFUSED",
      "pictures do not leave this machine without TLS: give tls:// in HUISHI_NATS_URL, or set HUISHI_NATS_PLAIN=allow in a network that is yours alone",
    );
  }
  if ((given.HUISHI_NATS_CERT === undefined) !== (given.HUISHI_NATS_KEY === undefined))
    throw invalid(["HUISHI_NATS_CERT", "HUISHI_NATS_KEY"]);
  if ((given.HUISHI_NATS_USER === undefined) !== (given.HUISHI_NATS_PASSWORD_FILE === undefined))
    throw invalid(["HUISHI_NATS_USER", "HUISHI_NATS_PASSWORD_FILE"]);
  return {
    host,
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    isSecured,
    ...filesOf(given),
  };
}

function filesOf(given: Environment): Omit<NatsConfig, "host" | "port" | "isSecured"> {
  const files = {
    credentialsFile: given.HUISHI_NATS_CREDENTIALS_FILE,
    user: given.HUISHI_NATS_USER,
    passwordFile: given.HUISHI_NATS_PASSWORD_FILE,
    caFile: given.HUISHI_NATS_CA,
    certFile: given.HUISHI_NATS_CERT,
    keyFile: given.HUISHI_NATS_KEY,
  };
  return Object.fromEntries(Object.entries(files).filter(([, value]) => value !== undefined));
}

export interface OpenMediaBus {
  readonly bus: MediaBus;
  /** The connection to the server; nothing for a bus within the process. */
  health(): readonly PartHealth[];
  /** Adds what the bus counts to a service's metrics. */
  show(metrics: Metrics): void;
  close(): Promise<void>;
}

/**
 * The media bus as configured. A server that is not there yet is waited for in the background.
 *
 * @throws HuishiError NATS_FILE_UNREADABLE, NATS_CREDENTIALS_INVALID
 */
export async function openMediaBus(
  config: NatsConfig | null,
  { service, logger }: { readonly service: string; readonly logger: Logger },
): Promise<OpenMediaBus> {
  if (!config) {
    const bus = new InProcessMediaBus({ logger });
    return { bus, health: () => [], show: () => undefined, close: () => Promise.resolve() };
  }
  const { host, port, isSecured } = config;
  const member = randomUUID();
  const connection = new NatsConnection({
    host,
    port,
    tls: isSecured ? await tlsOf(config) : null,
    credentials: await credentialsOf(config),
    name: `huishi-${service}`,
    onRefused: (reason) => logger.warn({ reason }, "the NATS server refuses a subject of the media bus"),
  });
  const bus = new NatsMediaBus({ connection, member, logger });
  const stop = new AbortController();
  const running = bus.run(stop.signal);
  logger.info({ host, port, isSecured, member }, "the media bus goes over NATS");
  return {
    bus,
    health: () => [{ name: "media bus", ok: bus.stats().isConnected }],
    show: (metrics) => showNats(bus, metrics),
    async close() {
      stop.abort(new Error("the service is closing"));
      await running;
    },
  };
}

function showNats(bus: NatsMediaBus, metrics: Metrics): void {
  metrics.counter({
    name: "huishi_media_bus_units_total",
    help: "Access units on the media bus between processes: sent, received, dropped",
    labelNames: ["outcome"],
    collect(counter) {
      const { sentUnits, receivedUnits, droppedUnits } = bus.stats();
      counter.inc({ outcome: "sent" }, sentUnits);
      counter.inc({ outcome: "received" }, receivedUnits);
      counter.inc({ outcome: "dropped" }, droppedUnits);
    },
  });
  metrics.counter({
    name: "huishi_media_bus_malformed_total",
    help: "Messages on the media bus that could not be read",
    collect: (counter) => counter.inc(bus.stats().malformedMessages),
  });
  metrics.gauge({
    name: "huishi_media_bus_members",
    help: "Other processes that want something of the media bus",
    collect: (gauge) => gauge.set(bus.stats().members),
  });
}

async function tlsOf(config: NatsConfig): Promise<{ ca?: string; cert?: string; key?: string }> {
  const { caFile, certFile, keyFile } = config;
  return {
    ...(caFile !== undefined && { ca: await text(caFile, "HUISHI_NATS_CA") }),
    ...(certFile !== undefined && { cert: await text(certFile, "HUISHI_NATS_CERT") }),
    ...(keyFile !== undefined && { key: await text(keyFile, "HUISHI_NATS_KEY") }),
  };
}

async function credentialsOf({ credentialsFile, user, passwordFile }: NatsConfig): Promise<NatsCredentials> {
  if (credentialsFile !== undefined)
    return readCreds(await text(credentialsFile, "HUISHI_NATS_CREDENTIALS_FILE"));
  if (user === undefined || passwordFile === undefined) return { kind: "none" };
  const password = (await text(passwordFile, "HUISHI_NATS_PASSWORD_FILE")).replace(/\r?\n$/, "");
  return { kind: "password", user, password };
}

async function text(file: string, name: string): Promise<string> {
  const bytes = await readFile(file).catch((cause: unknown) => {
    throw new HuishiError("NATS_FILE_UNREADABLE", `the file of ${name} cannot be read`, { cause });
  });
  if (bytes.byteLength > MAX_FILE_BYTES)
    throw new HuishiError("NATS_FILE_UNREADABLE", `the file of ${name} is too large to be one`);
  return bytes.toString("utf8");
}

function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function invalid(names: readonly string[]): HuishiError {
  const unique = [...new Set(names)];
  return new HuishiError(
    "CONFIG_INVALID",
    `correct ${unique.join(", ")} (see packages/platform/src/media/open-media-bus.ts)`,
    { details: { names: unique } },
  );
}
