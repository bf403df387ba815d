import { type Clock, systemClock } from "@huishi/kernel";
import { type DestinationStream, type Logger as PinoLogger, pino } from "pino";

export type Logger = PinoLogger;
export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";

/** Field names whose values never reach a log, at the top and two levels down. */
const SECRET_FIELDS = [
  "password",
  "secret",
  "token",
  "authorization",
  "cookie",
  "claimCode",
  "databaseUrl",
  "credentials",
];
const REDACTED_PATHS = SECRET_FIELDS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);

/** `scheme://user:password@host` -> `scheme://***@host`, wherever it stands in a text. */
export function redactUrls(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"']*@/gi, "$1***@");
}

/** Plain copy of a value with URL credentials cut out of every text, three levels deep. */
function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactUrls(value);
  if (value === null || typeof value !== "object" || depth === 0) return value;
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth - 1));
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, redactValue(item, depth - 1)]),
  );
}

function redactError(error: Error): Record<string, unknown> {
  // The serialiser's object has a prototype of its own; a spread of it is plain and holds what is to be seen.
  return redactValue({ ...pino.stdSerializers.err(error) }, 4) as Record<string, unknown>;
}

export interface LoggerOptions {
  readonly name: string;
  readonly level?: LogLevel;
  readonly destination?: DestinationStream;
}

/**
 * A structured logger: fields first, then a fixed message, e.g. `log.warn({ cameraId, err }, "camera lost")`.
 * Secrets are redacted by field name, and credentials are cut out of any URL in any text.
 */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    name: options.name,
    level: options.level ?? "info",
    redact: { paths: REDACTED_PATHS, censor: "***" },
    serializers: { err: redactError, error: redactError },
    formatters: { log: (fields: Record<string, unknown>) => redactFields(fields) },
    hooks: {
      logMethod(this: PinoLogger, args: Parameters<PinoLogger["info"]>, method: PinoLogger["info"]) {
        const clean = args.map((arg: unknown) => (typeof arg === "string" ? redactUrls(arg) : arg));
        method.apply(this, clean as Parameters<PinoLogger["info"]>);
      },
    },
  };
  return options.destination ? pino(settings, options.destination) : pino(settings);
}

function redactFields(fields: Record<string, unknown>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    clean[name] = value instanceof Error ? value : redactValue(value, 3);
  }
  return clean;
}

export interface RepeatSummaryOptions {
  /** Length of a period. Default one minute. */
  readonly periodMs?: number;
  /** Keys remembered at most; beyond it the oldest is forgotten. Default 1000. */
  readonly maxKeys?: number;
  readonly clock?: Clock;
}

/**
 * Repeated faults are counted and logged once per period. `note(key)` returns null while the fault is to be
 * kept quiet, else the number of repeats that were swallowed since it was last logged (0 the first time).
 */
export function repeatSummary(options: RepeatSummaryOptions = {}): { note(key: string): number | null } {
  const periodMs = options.periodMs ?? 60_000;
  const maxKeys = options.maxKeys ?? 1000;
  const clock = options.clock ?? systemClock;
  const seen = new Map<string, { loggedAtMs: number; swallowed: number }>();
  return {
    note(key) {
      const nowMs = clock.nowMs();
      const entry = seen.get(key);
      if (entry && nowMs - entry.loggedAtMs < periodMs) {
        entry.swallowed += 1;
        return null;
      }
      seen.delete(key);
      seen.set(key, { loggedAtMs: nowMs, swallowed: 0 });
      if (seen.size > maxKeys) seen.delete(seen.keys().next().value as string);
      return entry?.swallowed ?? 0;
    },
  };
}
