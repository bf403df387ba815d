import type { Rule, Zone } from "@huishi/contracts";
import type { Track } from "../tracker/track.ts";
import { CountMachine } from "./count-machine.ts";
import { LineMachine } from "./line-machine.ts";
import type { RuleMachine } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import { type LocalClock, intlClock, isArmed } from "./schedule.ts";
import { StayMachine } from "./stay-machine.ts";

/** A step of the clock back by less is a late frame, by more a clock that was set. */
const LATE_FRAME_MS = 5_000;
/** Without pictures for longer, nobody knows what happened: durations begin anew. */
const GAP_MS = 15_000;

interface RunningRule {
  readonly rule: Rule;
  readonly machine: RuleMachine;
  /** Rule and zone as they were read, to tell whether they changed. */
  readonly fingerprint: string;
  armed: boolean;
}

/**
 * The rules of one camera, applied to its tracks on capture time. A late frame changes nothing; a clock that jumps
 * ends no alarm and raises none.
 */
export class RuleEngine {
  private readonly localClock: LocalClock;
  private running: RunningRule[] = [];
  private clockMs: number | null = null;
  private scheduleMinute: number | null = null;

  constructor(rules: readonly Rule[], zones: readonly Zone[], localClock: LocalClock = intlClock()) {
    this.localClock = localClock;
    this.replace(rules, zones);
  }

  /** Takes a new rule set. Rules that did not change, nor their zone, keep their state; the others begin anew. */
  replace(rules: readonly Rule[], zones: readonly Zone[]): void {
    const before = new Map(this.running.map((one) => [one.rule.id, one]));
    this.running = rules.flatMap((rule) => {
      const zone = zones.find((one) => one.id === rule.zoneId);
      if (!rule.enabled || zone === undefined) return [];
      const fingerprint = JSON.stringify([rule, zone.kind, zone.points]);
      const kept = before.get(rule.id);
      if (kept?.fingerprint === fingerprint) return [kept];
      const machine = machineFor(rule, zone);
      return machine === null ? [] : [{ rule, machine, fingerprint, armed: rule.schedule === null }];
    });
    this.scheduleMinute = null;
  }

  /** @param tracks all living tracks of the camera; call it for every analysed frame, also without tracks */
  update(tracks: readonly Track[], capturedAtMs: number): RuleOutcome[] {
    if (this.running.length === 0) return [];
    const elapsedMs = this.clockMs === null ? 0 : capturedAtMs - this.clockMs;
    if (this.clockMs !== null && elapsedMs <= 0 && elapsedMs > -LATE_FRAME_MS) return [];
    this.clockMs = capturedAtMs;
    if (elapsedMs < 0 || elapsedMs > GAP_MS)
      for (const { machine } of this.running) machine.rebase(capturedAtMs);
    const outcomes = this.applySchedules(capturedAtMs);
    for (const { armed, machine } of this.running)
      if (armed) outcomes.push(...machine.update(tracks, capturedAtMs));
    return outcomes;
  }

  private applySchedules(capturedAtMs: number): RuleOutcome[] {
    const minute = Math.floor(capturedAtMs / 60_000);
    if (minute === this.scheduleMinute) return [];
    this.scheduleMinute = minute;
    const outcomes: RuleOutcome[] = [];
    for (const one of this.running) {
      const { schedule } = one.rule;
      if (schedule === null) continue;
      const armed = isArmed(schedule, this.localClock(capturedAtMs, schedule.timeZone));
      if (one.armed && !armed) outcomes.push(...one.machine.disarm(capturedAtMs));
      one.armed = armed;
    }
    return outcomes;
  }
}

/** Null where rule and zone do not belong together: a line where a polygon is needed, or the other way round. */
function machineFor(rule: Rule, zone: Zone): RuleMachine | null {
  const wanted = rule.kind === "line_crossing" ? "line" : "polygon";
  if (zone.kind !== wanted || zone.points.length < (wanted === "line" ? 2 : 3)) return null;
  if (rule.kind === "line_crossing") return new LineMachine(rule, zone.points);
  return rule.kind === "count_over"
    ? new CountMachine(rule, zone.points)
    : new StayMachine(rule, zone.points);
}
