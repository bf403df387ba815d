import type { ObjectClass, RehearsedAlarm } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import type { RuleEvidence, RuleOutcome } from "../rules/outcome.ts";

/** Alarms that are remembered; beyond, they are only counted. */
const MAX_LOGGED_ALARMS = 10_000;
const MAX_TRACKS = 100;

/** An alarm that would have been raised, with the time over which its condition held. */
export interface LoggedAlarm {
  readonly capturedAtMs: number;
  readonly startedAtMs: number;
  readonly clearedAtMs: number | null;
  /** Last moment at which it was said or over. */
  readonly endMs: number;
  readonly occurrences: number;
  readonly objectClass: ObjectClass;
  readonly score: number;
  readonly box: Box;
  readonly trackIds: readonly number[];
}

interface Working {
  first: RuleEvidence;
  clearedAtMs: number | null;
  lastMs: number;
  occurrences: number;
  trackIds: Set<number>;
}

/** Gathers what one rule said into the alarms that would have come of it. */
export class AlarmLog {
  private readonly isMoment: boolean;
  private readonly done: LoggedAlarm[] = [];
  private current: Working | null = null;
  /** All, also those beyond what is remembered. */
  raised = 0;

  /** @param isMoment the rule knows moments only (line crossings): nothing clears its alarms */
  constructor(isMoment: boolean) {
    this.isMoment = isMoment;
  }

  take(outcomes: readonly RuleOutcome[]): void {
    for (const outcome of outcomes) {
      if (outcome.type === "raised") this.begin(outcome);
      else if (outcome.type === "repeated") this.repeat(outcome);
      else if (outcome.type === "cleared" && this.current) {
        this.current.clearedAtMs = outcome.capturedAtMs;
        this.current.lastMs = outcome.capturedAtMs;
      }
    }
  }

  /** @param endMs last moment that was looked at: what was not over lasted until then */
  finish(endMs: number): LoggedAlarm[] {
    this.close(endMs);
    return this.done;
  }

  private begin(evidence: RuleEvidence): void {
    this.close(evidence.capturedAtMs);
    this.raised++;
    this.current = {
      first: evidence,
      clearedAtMs: null,
      lastMs: evidence.capturedAtMs,
      occurrences: 1,
      trackIds: new Set(evidence.trackIds),
    };
  }

  private repeat(evidence: RuleEvidence): void {
    // An engine that only ever repeats has raised before; should it not have, the first word is the alarm.
    if (!this.current) return this.begin(evidence);
    this.current.occurrences++;
    this.current.lastMs = evidence.capturedAtMs;
    this.current.clearedAtMs = null;
    for (const id of evidence.trackIds)
      if (this.current.trackIds.size < MAX_TRACKS) this.current.trackIds.add(id);
  }

  private close(atMs: number): void {
    const { current } = this;
    this.current = null;
    if (!current || this.done.length >= MAX_LOGGED_ALARMS) return;
    const { first, clearedAtMs, lastMs, occurrences, trackIds } = current;
    this.done.push({
      capturedAtMs: first.capturedAtMs,
      startedAtMs: first.startedAtMs,
      clearedAtMs,
      endMs: clearedAtMs ?? (this.isMoment ? lastMs : Math.max(lastMs, atMs)),
      occurrences,
      objectClass: first.objectClass,
      score: first.score,
      box: first.box,
      trackIds: [...trackIds].slice(0, MAX_TRACKS),
    });
  }
}

/** As the contract writes it. */
export function rehearsedAlarm(alarm: LoggedAlarm, compared: RehearsedAlarm["compared"]): RehearsedAlarm {
  return {
    capturedAtMs: alarm.capturedAtMs,
    startedAtMs: alarm.startedAtMs,
    clearedAtMs: alarm.clearedAtMs,
    occurrences: alarm.occurrences,
    objectClass: alarm.objectClass,
    score: fraction(alarm.score),
    box: {
      x: fraction(alarm.box.x),
      y: fraction(alarm.box.y),
      w: fraction(alarm.box.w),
      h: fraction(alarm.box.h),
    },
    trackIds: alarm.trackIds.map(String),
    compared,
  };
}

function fraction(value: number): number {
  return Math.round(Math.min(Math.max(value, 0), 1) * 10_000) / 10_000;
}
