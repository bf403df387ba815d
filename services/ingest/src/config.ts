import { HuishiError } from "@huishi/kernel";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";

/** The environment of ingest when it runs by itself. */
const IngestEnvironment = Type.Object({
  /** PostgreSQL 15 or newer, with or without TimescaleDB: `postgres://user:password@host:port/database`. */
  HUISHI_DATABASE_URL: Type.String({ pattern: "^postgres(ql)?://" }),
  /** Where the MQTT endpoint listens. Loopback by default: MQTT here has no TLS yet. */
  HUISHI_MQTT_HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  /** 0 takes any free port. */
  HUISHI_MQTT_PORT: Type.String({ pattern: "^[0-9]{1,5}$", default: "1883" }),
  /** `/livez`, `/readyz` and `/metrics`: keep them on loopback or a private net. 0 takes any free port. */
  HUISHI_HEALTH_HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  HUISHI_HEALTH_PORT: Type.String({ pattern: "^[0-9]{1,5}$", default: "9091" }),
  HUISHI_LOG_LEVEL: Type.Union(
    (["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const).map((level) =>
      Type.Literal(level),
    ),
  ),
});
const environment = Compile(IngestEnvironment);

export interface IngestConfig {
  readonly databaseUrl: string;
  readonly host: string;
  readonly port: number;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: Static<typeof IngestEnvironment>["HUISHI_LOG_LEVEL"];
}

/** Reads the configuration. Error: CONFIG_INVALID, which names the variable and never shows its value. */
export function readConfig(env: NodeJS.ProcessEnv): IngestConfig {
  const given = {
    HUISHI_DATABASE_URL: env["HUISHI_DATABASE_URL"] ?? env["DATABASE_URL"],
    HUISHI_MQTT_HOST: env["HUISHI_MQTT_HOST"] ?? "127.0.0.1",
    HUISHI_MQTT_PORT: env["HUISHI_MQTT_PORT"] ?? "1883",
    HUISHI_HEALTH_HOST: env["HUISHI_HEALTH_HOST"] ?? "127.0.0.1",
    HUISHI_HEALTH_PORT: env["HUISHI_HEALTH_PORT"] ?? "9091",
    HUISHI_LOG_LEVEL: env["HUISHI_LOG_LEVEL"] ?? "info",
  };
  if (!environment.Check(given)) {
    const names = [...new Set(environment.Errors(given).map((error) => error.instancePath.slice(1)))];
    throw new HuishiError("CONFIG_INVALID", `set ${names.join(", ")} (see services/ingest/src/config.ts)`, {
      details: { names },
    });
  }
  return {
    databaseUrl: given.HUISHI_DATABASE_URL,
    host: given.HUISHI_MQTT_HOST,
    port: Number(given.HUISHI_MQTT_PORT),
    healthHost: given.HUISHI_HEALTH_HOST,
    healthPort: Number(given.HUISHI_HEALTH_PORT),
    logLevel: given.HUISHI_LOG_LEVEL,
  };
}
