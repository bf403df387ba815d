/** What the page shows of what, as its address says it. Pure. */
import { type Granularity, OBJECT_CLASSES, type ObjectClass, type TimeRange } from "@huishi/contracts";

export const SPANS = ["6h", "24h", "7d", "30d"] as const;
export type Span = (typeof SPANS)[number];

export interface Choice {
  /** null: the first camera that has zones. */
  readonly cameraId: string | null;
  readonly zoneId: string | null;
  /** A rule that counts at a line. */
  readonly ruleId: string | null;
  readonly objectClass: ObjectClass | null;
  readonly span: Span;
  /** Up to when, epoch milliseconds; null: up to now. */
  readonly untilMs: number | null;
}

const HOUR_MS = 3_600_000;
const SPAN_MS: Readonly<Record<Span, number>> = {
  "6h": 6 * HOUR_MS,
  "24h": 24 * HOUR_MS,
  "7d": 168 * HOUR_MS,
  "30d": 720 * HOUR_MS,
};
const LATEST_MS = 8.64e12;

/** Anything unknown in the address counts as not chosen. */
export function parseChoice(text: string): Choice {
  const query = new URLSearchParams(text);
  const idOf = (name: string): string | null => {
    const value = query.get(name) ?? "";
    return /^[A-Za-z0-9._-]{1,64}$/.test(value) ? value : null;
  };
  const untilMs = Number(query.get("until") ?? Number.NaN);
  const objectClass = query.get("class") ?? "";
  return {
    cameraId: idOf("camera"),
    zoneId: idOf("zone"),
    ruleId: idOf("line"),
    objectClass: Object.hasOwn(OBJECT_CLASSES, objectClass) ? (objectClass as ObjectClass) : null,
    span: SPANS.find((span) => span === query.get("range")) ?? "24h",
    untilMs: Number.isInteger(untilMs) && untilMs > 0 && untilMs <= LATEST_MS ? untilMs : null,
  };
}

export function writeChoice(choice: Choice): string {
  const fields = {
    camera: choice.cameraId,
    zone: choice.zoneId,
    line: choice.ruleId,
    class: choice.objectClass,
    range: choice.span === "24h" ? null : choice.span,
    until: choice.untilMs === null ? null : String(choice.untilMs),
  };
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) if (value !== null) query.set(name, value);
  return query.toString();
}

/** Buckets that a chart of this length has room for. */
export function granularityOf(span: Span): Granularity {
  if (span === "6h") return "minute";
  return span === "30d" ? "day" : "hour";
}

/** The range that is asked for: it ends with the hour that `untilMs` (or now) lies in. */
export function rangeOf({ span, untilMs }: Pick<Choice, "span" | "untilMs">, nowMs: number): TimeRange {
  const toMs = Math.ceil((untilMs ?? nowMs) / HOUR_MS) * HOUR_MS;
  return { fromMs: Math.max(0, toMs - SPAN_MS[span]), toMs };
}

/** `2026-11-24T13:00` of a local time field. */
export function localInputValue(atMs: number): string {
  const at = new Date(atMs - new Date(atMs).getTimezoneOffset() * 60_000);
  return at.toISOString().slice(0, 16);
}
