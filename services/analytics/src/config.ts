import { HuishiError } from "@huishi/kernel";
import { type NatsConfig, readMediaBusConfig } from "@huishi/platform";
import { availableParallelism, hostname } from "node:os";
import { type Static, Type } from "typebox";
import { Compile } from "typebox/compile";
import { type DetectorChoice, detectorChoice } from "./application/detection/detector-choice.ts";

/** The environment of analytics when it runs by itself, beside that of the media bus. */
const AnalyticsEnvironment = Type.Object({
  /** PostgreSQL 15 or newer, with or without TimescaleDB: `postgres://user:password@host:port/database`. */
  HUISHI_DATABASE_URL: Type.String({ pattern: "^postgres(ql)?://" }),
  /** What people call this process; several may have the same. */
  HUISHI_WORKER_NAME: Type.String({ pattern: "^[A-Za-z0-9._-]{1,64}$" }),
  /** Its share of the cameras, relative to the other processes. Default: its inference processes. */
  HUISHI_WORKER_CAPACITY: Type.Optional(
    Type.String({ pattern: "^(?!0+(\\.0*)?$)[0-9]{1,4}(\\.[0-9]{1,2})?$" }),
  ),
  /** Inference children at most, one thread each. Default: one a core. */
  HUISHI_INFERENCE_PROCESSES: Type.String({ pattern: "^[1-9][0-9]{0,2}$" }),
  /** Frames analysed a second for each camera, at most. */
  HUISHI_SAMPLE_FPS: Type.String({ pattern: "^([1-9]|[12][0-9]|30)(\\.[0-9])?$", default: "5" }),
  /** `/livez`, `/readyz` and `/metrics`: keep them on loopback or a private net. 0 takes any free port. */
  HUISHI_HEALTH_HOST: Type.String({ minLength: 1, default: "127.0.0.1" }),
  HUISHI_HEALTH_PORT: Type.String({ pattern: "^[0-9]{1,5}$", default: "9092" }),
  HUISHI_LOG_LEVEL: Type.Union(
    (["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const).map((level) =>
      Type.Literal(level),
    ),
  ),
});
const environment = Compile(AnalyticsEnvironment);

export interface AnalyticsConfig {
  readonly databaseUrl: string;
  readonly mediaBus: NatsConfig;
  readonly worker: { readonly name: string; readonly capacity?: number };
  readonly inferenceProcesses: number;
  readonly sampleFps: number;
  /** `HUISHI_DETECTOR`, `HUISHI_MODEL`, `HUISHI_MODELS_DIR`, `HUISHI_EXECUTION_PROVIDERS`. */
  readonly detector: DetectorChoice;
  readonly healthHost: string;
  readonly healthPort: number;
  readonly logLevel: Static<typeof AnalyticsEnvironment>["HUISHI_LOG_LEVEL"];
}

/**
 * Reads the configuration. Errors: CONFIG_INVALID, which names the variable and never shows its value;
 * MEDIA_BUS_IN_PROCESS_ONLY without the address of a NATS server; NATS_PLAIN_REFUSED; DETECTOR_CONFIG_INVALID.
 */
export function readConfig(env: NodeJS.ProcessEnv): AnalyticsConfig {
  const given = {
    ...optional(env, "HUISHI_WORKER_CAPACITY"),
    HUISHI_DATABASE_URL: env["HUISHI_DATABASE_URL"] ?? env["DATABASE_URL"],
    HUISHI_WORKER_NAME: env["HUISHI_WORKER_NAME"] || hostname().slice(0, 64),
    HUISHI_INFERENCE_PROCESSES: env["HUISHI_INFERENCE_PROCESSES"] || String(availableParallelism()),
    HUISHI_SAMPLE_FPS: env["HUISHI_SAMPLE_FPS"] || "5",
    HUISHI_HEALTH_HOST: env["HUISHI_HEALTH_HOST"] || "127.0.0.1",
    HUISHI_HEALTH_PORT: env["HUISHI_HEALTH_PORT"] || "9092",
    HUISHI_LOG_LEVEL: env["HUISHI_LOG_LEVEL"] || "info",
  };
  if (!environment.Check(given)) {
    throw invalid(environment.Errors(given).map((error) => error.instancePath.slice(1)));
  }
  const mediaBus = readMediaBusConfig(env);
  if (!mediaBus) {
    throw new HuishiError(
      "MEDIA_BUS_IN_PROCESS_ONLY",
      "analytics by itself gets its pictures from ingest over NATS: set HUISHI_NATS_URL for both, or start all in one process (npm start)",
    );
  }
  return {
    databaseUrl: given.HUISHI_DATABASE_URL,
    mediaBus,
    worker: {
      name: given.HUISHI_WORKER_NAME,
      ...(given.HUISHI_WORKER_CAPACITY !== undefined && { capacity: Number(given.HUISHI_WORKER_CAPACITY) }),
    },
    inferenceProcesses: Number(given.HUISHI_INFERENCE_PROCESSES),
    sampleFps: Number(given.HUISHI_SAMPLE_FPS),
    detector: detectorChoice(env),
    healthHost: given.HUISHI_HEALTH_HOST,
    healthPort: Number(given.HUISHI_HEALTH_PORT),
    logLevel: given.HUISHI_LOG_LEVEL,
  };
}

function optional<Name extends string>(env: NodeJS.ProcessEnv, name: Name): Partial<Record<Name, string>> {
  const value = env[name];
  return value ? ({ [name]: value } as Record<Name, string>) : {};
}

function invalid(names: readonly string[]): HuishiError {
  const unique = [...new Set(names)];
  return new HuishiError(
    "CONFIG_INVALID",
    `set ${unique.join(", ")} (see services/analytics/src/config.ts)`,
    {
      details: { names: unique },
    },
  );
}
