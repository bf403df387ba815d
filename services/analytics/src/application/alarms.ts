/** What the rules said about one frame, with everything an alarm row copies: the rule may be gone tomorrow. */
import type { Alarm, Rule, Zone } from "@huishi/contracts";
import type { RaisedOutcome, RepeatedOutcome, RuleOutcome, Track } from "../domain/index.ts";

type EvidenceBox = Alarm["boxes"][number];

/** What one rule said in one frame. */
export interface RuleAlarm {
  readonly rule: Rule;
  readonly zone: Zone;
  readonly objectClass: string;
  readonly startedAtMs: number;
  /** How often the rule said it in this frame, 1 and up (two people may cross a line at once). */
  readonly occurrences: number;
  readonly boxes: readonly EvidenceBox[];
  /** The same for the same occurrence however often it is written; unique in the database. */
  readonly sourceEvent: string;
  /** The rule engine believes this to be a new alarm; false: one more occurrence of an open one. */
  readonly isNew: boolean;
}

export interface FrameAlarms {
  readonly cameraId: string;
  readonly capturedAtMs: number;
  /** At most one for each rule. */
  readonly alarms: readonly RuleAlarm[];
}

/** What became of one `RuleAlarm`. */
export interface AlarmReceipt {
  /** Decimal text. */
  readonly alarmId: string;
  readonly ruleId: string;
  readonly cameraId: string;
  readonly capturedAtMs: number;
  /** A new row; false: an occurrence was counted on an open alarm. */
  readonly opened: boolean;
}

interface FrameFacts {
  readonly cameraId: string;
  readonly capturedAtMs: number;
  /** Everything seen in the deciding frame. */
  readonly tracks: readonly Track[];
}

/** Gathers the outcomes of one frame into alarms, one for each rule; null when none raises or repeats one. */
export function frameAlarms(
  frame: FrameFacts,
  outcomes: readonly RuleOutcome[],
  plan: { readonly rules: readonly Rule[]; readonly zones: readonly Zone[] },
): FrameAlarms | null {
  const byRule = new Map<string, (RaisedOutcome | RepeatedOutcome)[]>();
  for (const outcome of outcomes) {
    if (outcome.type !== "raised" && outcome.type !== "repeated") continue;
    const said = byRule.get(outcome.ruleId);
    if (said) said.push(outcome);
    else byRule.set(outcome.ruleId, [outcome]);
  }
  const alarms: RuleAlarm[] = [];
  for (const [ruleId, said] of byRule) {
    const rule = plan.rules.find((candidate) => candidate.id === ruleId);
    const zone = plan.zones.find((candidate) => candidate.id === rule?.zoneId);
    if (rule && zone) alarms.push(ruleAlarm(frame, said, rule, zone));
  }
  return alarms.length === 0 ? null : { cameraId: frame.cameraId, capturedAtMs: frame.capturedAtMs, alarms };
}

function ruleAlarm(
  frame: FrameFacts,
  said: readonly (RaisedOutcome | RepeatedOutcome)[],
  rule: Rule,
  zone: Zone,
): RuleAlarm {
  const first = said[0] as RaisedOutcome | RepeatedOutcome;
  const deciding = new Set(said.flatMap((outcome) => outcome.trackIds));
  return {
    rule,
    zone,
    objectClass: first.objectClass,
    startedAtMs: first.startedAtMs,
    occurrences: said.length,
    boxes: evidenceBoxes(frame.tracks, deciding),
    sourceEvent: `rule/${rule.id}/${first.trackIds[0] ?? 0}/${first.startedAtMs}`,
    isNew: said.some((outcome) => outcome.type === "raised"),
  };
}

/** Deciding objects first: they are what a viewer must see. */
function evidenceBoxes(tracks: readonly Track[], deciding: ReadonlySet<number>): EvidenceBox[] {
  return tracks
    .filter((track) => track.state === "confirmed" || deciding.has(track.id))
    .map((track) => ({
      trackId: String(track.id),
      objectClass: track.objectClass,
      score: rounded(track.lastScore),
      box: {
        x: rounded(track.box.x),
        y: rounded(track.box.y),
        w: rounded(track.box.w),
        h: rounded(track.box.h),
      },
      deciding: deciding.has(track.id),
    }))
    .sort((a, b) => Number(b.deciding) - Number(a.deciding));
}

/** Four decimals are a tenth of a pixel in a 1080p picture: the rest only costs bytes on the wire. */
export function rounded(fraction: number): number {
  return Math.round(Math.min(Math.max(fraction, 0), 1) * 10_000) / 10_000;
}
