// The agent's log as a person reads it: one line a record.
import { redactUrls } from "@huishi/platform";

const LEVELS = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, fatal: 60 } as const;
export type LogLevelName = keyof typeof LEVELS;
export const isLogLevel = (name: string): name is LogLevelName => Object.hasOwn(LEVELS, name);

const SILENT_FIELDS = new Set(["level", "time", "msg", "name", "pid", "hostname", "v"]);
const MAX_FIELD = 300;

export interface WantedLines {
  readonly level: LogLevelName;
  readonly cameraId: string | undefined;
}

type LogRecord = Readonly<Record<string, unknown>>;

/** null when it is no record of the log or is not wanted. */
export function readLogLine(line: string, wanted: WantedLines): LogRecord | null {
  let record: unknown;
  try {
    record = JSON.parse(line);
  } catch {
    return null;
  }
  if (record === null || typeof record !== "object" || Array.isArray(record)) return null;
  const { level, cameraId } = record as { level?: unknown; cameraId?: unknown };
  if (typeof level !== "number" || level < LEVELS[wanted.level]) return null;
  if (wanted.cameraId !== undefined && cameraId !== wanted.cameraId) return null;
  return record as LogRecord;
}

/** `2026-11-24 11:02:33.120 WARN  message  field=value ...`, in the machine's own time. */
export function formatLogRecord(record: LogRecord): string {
  const { level, time, msg } = record;
  const name = Object.entries(LEVELS).findLast(([, number]) => Number(level) >= number)?.[0] ?? "info";
  const fields = Object.entries(record)
    .filter(([key]) => !SILENT_FIELDS.has(key))
    .map(([key, value]) => `${key}=${fieldText(value)}`);
  return [
    localTime(Number(time)),
    name.toUpperCase().padEnd(5),
    redactUrls(typeof msg === "string" ? msg : ""),
    ...fields,
  ].join(" ");
}

/** Of an error its message alone: where it was thrown stands in the file. */
function fieldText(value: unknown): string {
  const isError = value !== null && typeof value === "object" && "message" in value;
  const shown: unknown = isError ? value.message : value;
  const text = typeof shown === "string" ? shown : (JSON.stringify(shown) ?? "");
  return text.length > MAX_FIELD ? `${text.slice(0, MAX_FIELD)}…` : text;
}

function localTime(ms: number): string {
  if (!Number.isFinite(ms)) return "-";
  const at = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return Number.isNaN(at.getTime()) ? "-" : at.toISOString().replace("T", " ").replace("Z", "");
}
