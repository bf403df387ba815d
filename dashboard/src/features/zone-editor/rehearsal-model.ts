/** A rehearsal as the panel shows it. Pure. */
import type {
  Rehearsal,
  RehearsalResult,
  RehearsalSource,
  RehearsalSubject,
  RehearsedAlarm,
  Zone,
} from "@huishi/contracts";
import type { RuleForm } from "./rule-form-model.ts";

export const SPANS = {
  hour: 3_600_000,
  day: 86_400_000,
  days: 3 * 86_400_000,
  week: 7 * 86_400_000,
} as const;
export type Over = keyof typeof SPANS | "clip";
export const OVERS: readonly Over[] = ["hour", "day", "days", "week", "clip"];

/** Below this, a number a day is a guess. */
const DAY_FROM_MS = 6 * 3_600_000;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** A chart has room for about this many labels. */
const MOST_TICKS = 5;
const STEPS = [
  1_000,
  5_000,
  15_000,
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  DAY_MS,
  2 * DAY_MS,
];

export function subjectOf(zone: Zone, form: RuleForm): RehearsalSubject {
  return { zone: { kind: zone.kind, points: [...zone.points] }, rule: { ...form } };
}

/** Does the rule raise otherwise than before? Names and urgency change nothing; nor whether it is armed. */
export function isSameRule(a: RuleForm, b: RuleForm): boolean {
  const essence = ({
    name: _name,
    priority: _priority,
    enabled: _enabled,
    alarmClass: _class,
    ...rest
  }: RuleForm) => JSON.stringify(Object.entries(rest).sort(([x], [y]) => x.localeCompare(y)));
  return essence(a) === essence(b);
}

export function sourceOf(over: keyof typeof SPANS, nowMs: number): RehearsalSource {
  return { kind: "tracks", fromMs: Math.round(nowMs - SPANS[over]), toMs: Math.round(nowMs) };
}

/** Alarms a day; null where too little was looked at to tell. */
export function raisedPerDay({ raised, coveredMs }: RehearsalResult): number | null {
  return coveredMs < DAY_FROM_MS ? null : (raised * DAY_MS) / coveredMs;
}

/** Was the camera looked at nearly all the time? */
export function isWatchedThroughout({ coveredMs, fromMs, toMs }: RehearsalResult): boolean {
  return coveredMs >= 0.98 * (toMs - fromMs);
}

/** Why nothing would have been raised. */
export function whyNone(result: RehearsalResult): "noneUnseen" | "noneEmpty" | "noneFit" {
  if (result.frames === 0) return "noneUnseen";
  return result.tracks === 0 ? "noneEmpty" : "noneFit";
}

/** Lanes of the chart: one of all alarms, or those of each comparison. */
export function lanesOf(rehearsal: Pick<Rehearsal, "baseline">): readonly RehearsedAlarm["compared"][] {
  return rehearsal.baseline === null ? ["added"] : ["both", "added", "removed"];
}

/** How many alarms the result counts but does not list. */
export function unlisted({ raised, removed, alarms }: RehearsalResult): number {
  return Math.max(0, raised + (removed ?? 0) - alarms.length);
}

export interface Tick {
  /** 0..1 of the range. */
  readonly at: number;
  readonly ms: number;
}

/** Round times within the range. @param offsetMs what local time is ahead of UTC */
export function ticksOf(range: { readonly fromMs: number; readonly toMs: number }, offsetMs: number): Tick[] {
  const lengthMs = range.toMs - range.fromMs;
  const step =
    STEPS.find((each) => lengthMs / each <= MOST_TICKS) ?? DAY_MS * Math.ceil(lengthMs / DAY_MS / MOST_TICKS);
  const ticks: Tick[] = [];
  for (let ms = Math.ceil((range.fromMs + offsetMs) / step) * step - offsetMs; ms <= range.toMs; ms += step)
    ticks.push({ ms, at: (ms - range.fromMs) / lengthMs });
  return ticks;
}

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Begin and length of a stretch as shares of the range. */
export function shareOf(stretch: Range, range: Range): { readonly at: number; readonly length: number } {
  const share = (ms: number): number =>
    Math.min(1, Math.max(0, (ms - range.fromMs) / Math.max(1, range.toMs - range.fromMs)));
  const at = share(stretch.fromMs);
  return { at, length: Math.max(0, share(stretch.toMs) - at) };
}

/** Begin, length and decision of an alarm as shares of the range. */
export function spanOf(
  alarm: RehearsedAlarm,
  range: Range,
): { readonly at: number; readonly length: number; readonly decided: number } {
  const { startedAtMs, capturedAtMs, clearedAtMs } = alarm;
  const decided = shareOf({ fromMs: capturedAtMs, toMs: capturedAtMs }, range).at;
  return { ...shareOf({ fromMs: startedAtMs, toMs: clearedAtMs ?? capturedAtMs }, range), decided };
}

/** 61000 -> "1:01"; of a clip. */
export function clipTime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
