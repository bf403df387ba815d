import type { ObjectClass } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import type { SensorReading } from "./sensor-readings.ts";

/** What a rule says about one frame, in the frame's capture time. */
interface RuleEvent {
  readonly ruleId: string;
  readonly capturedAtMs: number;
}

export interface RuleEvidence extends RuleEvent {
  /**
   * The deciding tracks; the first one is the subject that `objectClass`, `box` and `score` describe;
   * for `count_over` the box is around all of them.
   */
  readonly trackIds: readonly number[];
  readonly objectClass: ObjectClass;
  readonly box: Box;
  readonly score: number;
  /** When the condition began to hold. */
  readonly startedAtMs: number;
  /** Of `abandoned_object` and `object_removed`: the region; it has no track, and `objectClass` says nothing then. */
  readonly regionId?: number;
  /** What the rule's sensor said, when the rule has one. */
  readonly sensor?: SensorReading;
}

/** A new alarm. */
export interface RaisedOutcome extends RuleEvidence {
  readonly type: "raised";
}

/** One more occurrence on the rule's open alarm. `occurrence` counts from 2. */
export interface RepeatedOutcome extends RuleEvidence {
  readonly type: "repeated";
  readonly occurrence: number;
}

/**
 * The condition is over (line crossings are moments and never cleared). A new one within `dedupeMs` is an
 * occurrence, a later one is a new alarm.
 */
interface ClearedOutcome extends RuleEvent {
  readonly type: "cleared";
  readonly occurrences: number;
}

/** A track crossed a counting line; every crossing is reported. */
export interface CrossedOutcome extends RuleEvent {
  readonly type: "crossed";
  readonly trackId: number;
  readonly objectClass: ObjectClass;
  readonly direction: "left_to_right" | "right_to_left";
}

export type RuleOutcome = RaisedOutcome | RepeatedOutcome | ClearedOutcome | CrossedOutcome;
