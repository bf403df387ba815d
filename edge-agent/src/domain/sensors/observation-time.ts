/** Between seconds and milliseconds since the epoch: as seconds the year 5138, as milliseconds 1973. */
const FIRST_AS_MS = 1e11;
/** Clocks of the field differ by so much without being wrong. */
const MAX_AHEAD_MS = 60_000;
/** Loggers keep values while they cannot send; older than the outbox keeps anything is a wrong clock. */
const MAX_AGE_MS = 31 * 86_400_000;
/** ISO 8601; RFC 3339 with the offset left out, which then is UTC. */
const ISO = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(?:Z|z|([+-]\d{2}):?(\d{2}))?$/;

/** @returns milliseconds since the epoch of what a sensor calls its time; null when it is none */
export function parseObservationTime(value: unknown): number | null {
  if (typeof value === "number") return fromNumber(value);
  if (typeof value !== "string" || value.length > 40) return null;
  const text = value.trim();
  if (/^[0-9]{1,14}(\.[0-9]{1,9})?$/.test(text)) return fromNumber(Number(text));
  const iso = ISO.exec(text);
  if (!iso) return null;
  const [, date, time, hours, minutes] = iso;
  const ms = Date.parse(`${date}T${time}${hours === undefined ? "Z" : `${hours}:${minutes}`}`);
  return Number.isNaN(ms) ? null : ms;
}

function fromNumber(value: number): number | null {
  if (!Number.isFinite(value) || value <= 0) return null;
  return Math.round(value < FIRST_AS_MS ? value * 1_000 : value);
}

/** The time that a value is stored with, and whether it is the sensor's own. */
export interface ObservationTime {
  readonly atMs: number;
  readonly origin: "sensor" | "arrival" | "replaced";
}

/** A time in the future or absurdly old is replaced by when the value came. */
export function observationTime(given: unknown, arrivedAtMs: number): ObservationTime {
  if (given === undefined) return { atMs: arrivedAtMs, origin: "arrival" };
  const atMs = parseObservationTime(given);
  if (atMs === null || atMs > arrivedAtMs + MAX_AHEAD_MS || atMs < arrivedAtMs - MAX_AGE_MS) {
    return { atMs: arrivedAtMs, origin: "replaced" };
  }
  return { atMs, origin: "sensor" };
}
