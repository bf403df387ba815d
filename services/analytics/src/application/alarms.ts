/** What the rules said about one frame, with everything an alarm row copies: the rule may be gone tomorrow. */
import type { Alarm, AlarmSensorReading, Rule, Zone } from "@huishi/contracts";
import { type Box, footPoint, type GeoPosition, type GroundPlane } from "@huishi/kernel";
import type { RaisedOutcome, RepeatedOutcome, RuleOutcome, Track } from "../domain/index.ts";

type EvidenceBox = Alarm["boxes"][number];

/** What one rule said in one frame. */
export interface RuleAlarm {
  readonly rule: Rule;
  readonly zone: Zone;
  /** Null: it is about a thing that no class is known of. */
  readonly objectClass: string | null;
  readonly startedAtMs: number;
  /** How often the rule said it in this frame, 1 and up (two people may cross a line at once). */
  readonly occurrences: number;
  readonly boxes: readonly EvidenceBox[];
  /** Where the subject stands; absent where the camera has no ground plane. */
  readonly position?: GeoPosition;
  /** What the rule's sensor condition went by. */
  readonly sensorReading?: AlarmSensorReading;
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

/** What people set up for the camera. */
interface FramePlan {
  readonly rules: readonly Rule[];
  readonly zones: readonly Zone[];
  readonly groundPlane?: GroundPlane | null;
}

/** Gathers the outcomes of one frame into alarms, one for each rule; null when none raises or repeats one. */
export function frameAlarms(
  frame: FrameFacts,
  outcomes: readonly RuleOutcome[],
  plan: FramePlan,
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
    if (rule && zone) alarms.push(ruleAlarm(frame, said, { rule, zone, groundPlane: plan.groundPlane }));
  }
  return alarms.length === 0 ? null : { cameraId: frame.cameraId, capturedAtMs: frame.capturedAtMs, alarms };
}

type Said = RaisedOutcome | RepeatedOutcome;

function ruleAlarm(
  frame: FrameFacts,
  said: readonly Said[],
  { rule, zone, groundPlane }: { rule: Rule; zone: Zone; groundPlane: FramePlan["groundPlane"] },
): RuleAlarm {
  const first = said[0] as Said;
  const deciding = new Set(said.flatMap((outcome) => outcome.trackIds));
  const position = groundPlane?.toPosition(footPoint(subjectBox(frame, first)));
  const isOfTrack = first.regionId === undefined;
  return {
    rule,
    zone,
    objectClass: isOfTrack ? first.objectClass : null,
    startedAtMs: first.startedAtMs,
    occurrences: said.length,
    boxes: [...said.flatMap((one) => regionBox(rule, one)), ...evidenceBoxes(frame.tracks, deciding)],
    ...(position && { position }),
    ...sensorReadingOf(rule, first),
    sourceEvent: `rule/${rule.id}/${isOfTrack ? (first.trackIds[0] ?? 0) : `region-${first.regionId}`}/${first.startedAtMs}`,
    isNew: said.some((outcome) => outcome.type === "raised"),
  };
}

/** An outcome's own box may be around many: the subject's is that of its first track. */
function subjectBox({ tracks }: FrameFacts, outcome: Said): Box {
  return tracks.find(({ id }) => id === outcome.trackIds[0])?.box ?? outcome.box;
}

/** What was put there or taken away has no track: its box is shown under the rule's kind. */
function regionBox(rule: Rule, { regionId, box, score }: Said): EvidenceBox[] {
  if (regionId === undefined) return [];
  return [
    { trackId: null, objectClass: rule.kind, score: rounded(score), box: roundedBox(box), deciding: true },
  ];
}

function sensorReadingOf({ sensor: condition }: Rule, { sensor }: Said): Pick<RuleAlarm, "sensorReading"> {
  if (!condition || !sensor) return {};
  const { datastreamId, value, atMs } = sensor;
  return {
    sensorReading: { datastreamId, comparison: condition.comparison, value, limit: condition.value, atMs },
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
      box: roundedBox(track.box),
      deciding: deciding.has(track.id),
    }))
    .sort((a, b) => Number(b.deciding) - Number(a.deciding));
}

/** Four decimals are a tenth of a pixel in a 1080p picture: the rest only costs bytes on the wire. */
export function rounded(fraction: number): number {
  return Math.round(Math.min(Math.max(fraction, 0), 1) * 10_000) / 10_000;
}

export function roundedBox({ x, y, w, h }: Box): Box {
  return { x: rounded(x), y: rounded(y), w: rounded(w), h: rounded(h) };
}
