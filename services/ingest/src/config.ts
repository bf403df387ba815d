import { HuishiError } from "@huishi/kernel";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import type { EntranceOptions } from "./compose-entrances.ts";

/** The environment of ingest when it runs by itself. */
const IngestEnvironment = Type.Object({
  /** PostgreSQL 15 or newer, with or without TimescaleDB: `postgres://user:password@host:port/database`. */
  HUISHI_DATABASE_URL: Type.String({ pattern: "^postgres(ql)?://" }),
  /** Where the MQTT endpoint listens. Loopback by default; elsewhere it needs TLS. */
  HUISHI_MQTT_HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  /** 0 takes any free port, `off` leaves the endpoint out (then a broker is needed). */
  HUISHI_MQTT_PORT: Type.String({ pattern: "^([0-9]{1,5}|off)$", default: "1883" }),
  /** PEM files of the endpoint's private key and certificate; renewed ones are picked up. Both or none. */
  HUISHI_MQTT_TLS_KEY: Type.Optional(Type.String({ minLength: 1 })),
  HUISHI_MQTT_TLS_CERT: Type.Optional(Type.String({ minLength: 1 })),
  /** `allow` lets the endpoint listen without TLS on an address that others reach. */
  HUISHI_MQTT_PLAIN: Type.Optional(Type.Literal("allow")),
  /** An external broker, `mqtt://host:port` or `mqtts://host:port`; user and password do not stand in it. */
  HUISHI_MQTT_BROKER_URL: Type.Optional(Type.String({ pattern: "^mqtts?://[^/@?#]+/?$" })),
  /** Account of the events connection; that of the media connection has `_media` appended. */
  HUISHI_MQTT_BROKER_USER: Type.Optional(Type.String({ pattern: "^[A-Za-z0-9-]{1,64}$" })),
  HUISHI_MQTT_BROKER_PASSWORD_FILE: Type.Optional(Type.String({ minLength: 1 })),
  /** PEM file of the authority that signed the broker's certificate. */
  HUISHI_MQTT_BROKER_CA: Type.Optional(Type.String({ minLength: 1 })),
  /** MQTT version spoken with the broker: 5, or 4 for 3.1.1. */
  HUISHI_MQTT_VERSION: Type.Optional(Type.Union([Type.Literal("4"), Type.Literal("5")])),
  /** `/livez`, `/readyz` and `/metrics`: keep them on loopback or a private net. 0 takes any free port. */
  HUISHI_HEALTH_HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  HUISHI_HEALTH_PORT: Type.String({ pattern: "^[0-9]{1,5}$", default: "9091" }),
  /** Folder of the clips that agents send; the api reads it. Without it no clip is asked for. */
  HUISHI_CLIPS_DIR: Type.Optional(Type.String({ minLength: 1 })),
  /** Bytes of those clips at most; default 64 GiB. */
  HUISHI_CLIPS_MAX_BYTES: Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
  HUISHI_LOG_LEVEL: Type.Union(
    (["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const).map((level) =>
      Type.Literal(level),
    ),
  ),
});
const environment = Compile(IngestEnvironment);

export interface IngestConfig extends EntranceOptions {
  readonly databaseUrl: string;
  readonly clipsDir?: string;
  readonly clipsMaxBytes?: number;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: Static<typeof IngestEnvironment>["HUISHI_LOG_LEVEL"];
}

/** Reads the configuration. Error: CONFIG_INVALID, which names the variable and never shows its value. */
export function readConfig(env: NodeJS.ProcessEnv): IngestConfig {
  const given = {
    ...Object.fromEntries(OPTIONAL.map((name) => [name, env[name] || undefined])),
    HUISHI_DATABASE_URL: env["HUISHI_DATABASE_URL"] ?? env["DATABASE_URL"],
    HUISHI_MQTT_HOST: env["HUISHI_MQTT_HOST"] ?? "127.0.0.1",
    HUISHI_MQTT_PORT: env["HUISHI_MQTT_PORT"] ?? "1883",
    HUISHI_HEALTH_HOST: env["HUISHI_HEALTH_HOST"] ?? "127.0.0.1",
    HUISHI_HEALTH_PORT: env["HUISHI_HEALTH_PORT"] ?? "9091",
    HUISHI_LOG_LEVEL: env["HUISHI_LOG_LEVEL"] ?? "info",
  };
  if (!environment.Check(given)) {
    throw invalid(environment.Errors(given).map((error) => error.instancePath.slice(1)));
  }
  return {
    databaseUrl: given.HUISHI_DATABASE_URL,
    healthHost: given.HUISHI_HEALTH_HOST,
    healthPort: Number(given.HUISHI_HEALTH_PORT),
    logLevel: given.HUISHI_LOG_LEVEL,
    ...(given.HUISHI_CLIPS_DIR !== undefined && { clipsDir: given.HUISHI_CLIPS_DIR }),
    ...(given.HUISHI_CLIPS_MAX_BYTES !== undefined && {
      clipsMaxBytes: Number(given.HUISHI_CLIPS_MAX_BYTES),
    }),
    ...endpointOf(given),
    ...brokerOf(given),
  };
}

type Environment = Static<typeof IngestEnvironment>;
const OPTIONAL = [
  "HUISHI_MQTT_TLS_KEY",
  "HUISHI_MQTT_TLS_CERT",
  "HUISHI_MQTT_PLAIN",
  "HUISHI_MQTT_BROKER_URL",
  "HUISHI_MQTT_BROKER_USER",
  "HUISHI_MQTT_BROKER_PASSWORD_FILE",
  "HUISHI_MQTT_BROKER_CA",
  "HUISHI_MQTT_VERSION",
  "HUISHI_CLIPS_DIR",
  "HUISHI_CLIPS_MAX_BYTES",
] as const;

function endpointOf(given: Environment): Omit<EntranceOptions, "broker"> {
  const { HUISHI_MQTT_TLS_KEY: keyFile, HUISHI_MQTT_TLS_CERT: certFile } = given;
  if ((keyFile === undefined) !== (certFile === undefined))
    throw invalid(["HUISHI_MQTT_TLS_KEY", "HUISHI_MQTT_TLS_CERT"]);
  const isOff = given.HUISHI_MQTT_PORT === "off";
  if (isOff && given.HUISHI_MQTT_BROKER_URL === undefined)
    throw invalid(["HUISHI_MQTT_PORT", "HUISHI_MQTT_BROKER_URL"]);
  return {
    host: given.HUISHI_MQTT_HOST,
    port: isOff ? null : Number(given.HUISHI_MQTT_PORT),
    allowPlain: given.HUISHI_MQTT_PLAIN === "allow",
    ...(keyFile !== undefined && certFile !== undefined && { tls: { keyFile, certFile } }),
  };
}

function brokerOf(given: Environment): Pick<EntranceOptions, "broker"> {
  const url = given.HUISHI_MQTT_BROKER_URL;
  if (url === undefined) return {};
  if (!URL.canParse(url)) throw invalid(["HUISHI_MQTT_BROKER_URL"]);
  const user = given.HUISHI_MQTT_BROKER_USER;
  const passwordFile = given.HUISHI_MQTT_BROKER_PASSWORD_FILE;
  const caFile = given.HUISHI_MQTT_BROKER_CA;
  return {
    broker: {
      url,
      version: given.HUISHI_MQTT_VERSION === "4" ? 4 : 5,
      ...(user !== undefined && { user }),
      ...(passwordFile !== undefined && { passwordFile }),
      ...(caFile !== undefined && { caFile }),
    },
  };
}

function invalid(names: readonly string[]): HuishiError {
  const unique = [...new Set(names)];
  return new HuishiError("CONFIG_INVALID", `set ${unique.join(", ")} (see services/ingest/src/config.ts)`, {
    details: { names: unique },
  });
}
