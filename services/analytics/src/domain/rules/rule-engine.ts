import type { Rule, Zone } from "@huishi/contracts";
import type { GroundPlane } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import type { RuleMachine } from "./machine.ts";
import type { RuleOutcome } from "./outcome.ts";
import { machineFor, type RuleHindrance } from "./rule-machines.ts";
import type { PictureFacts, SceneFacts } from "./scene-facts.ts";
import { type LocalClock, intlClock, isArmed } from "./schedule.ts";
import { holdingReading, type SensorReadings } from "./sensor-readings.ts";

/** A step of the clock back by less is a late frame, by more a clock that was set. */
const LATE_FRAME_MS = 5_000;
/** Without pictures for longer, nobody knows what happened: durations begin anew. */
const GAP_MS = 15_000;
const USUAL_ASPECT_RATIO = 16 / 9;

interface RunningRule {
  readonly rule: Rule;
  readonly machine: RuleMachine;
  /** Rule, zone and ground as they were read, to tell whether they changed. */
  readonly fingerprint: string;
  armed: boolean;
}

/** What rules look at beside the tracks. */
export interface Surroundings {
  /** How the camera's picture lies on the ground. */
  readonly groundPlane?: GroundPlane | null;
  /** Without it no sensor condition ever holds. */
  readonly sensors?: SensorReadings;
}

/** A rule that does nothing, and why. */
export interface HinderedRule {
  readonly ruleId: string;
  readonly hindrance: RuleHindrance;
}

/**
 * The rules of one camera, applied to its tracks on capture time. A late frame changes nothing; a clock that jumps
 * ends no alarm and raises none.
 */
export class RuleEngine {
  private readonly localClock: LocalClock;
  private readonly sensors: SensorReadings | null;
  private running: RunningRule[] = [];
  private hindered: HinderedRule[] = [];
  private clockMs: number | null = null;
  private scheduleMinute: number | null = null;

  constructor(
    rules: readonly Rule[],
    zones: readonly Zone[],
    localClock: LocalClock = intlClock(),
    { groundPlane = null, sensors }: Surroundings = {},
  ) {
    this.localClock = localClock;
    this.sensors = sensors ?? null;
    this.replace(rules, zones, groundPlane);
  }

  /** Enabled rules that cannot do anything as they are. */
  get idle(): readonly HinderedRule[] {
    return this.hindered;
  }

  /** Takes a new rule set. Rules that did not change, nor their zone, keep their state; the others begin anew. */
  replace(rules: readonly Rule[], zones: readonly Zone[], groundPlane: GroundPlane | null = null): void {
    const before = new Map(this.running.map((one) => [one.rule.id, one]));
    this.running = [];
    this.hindered = [];
    for (const rule of rules) {
      const zone = zones.find((one) => one.id === rule.zoneId);
      if (!rule.enabled || zone === undefined) continue;
      const fingerprint = JSON.stringify([rule, zone.kind, zone.points, groundPlane]);
      const kept = before.get(rule.id);
      const machine = kept?.fingerprint === fingerprint ? kept.machine : machineFor(rule, zone, groundPlane);
      if (typeof machine === "string") this.hindered.push({ ruleId: rule.id, hindrance: machine });
      else if (kept?.machine === machine) this.running.push(kept);
      else this.running.push({ rule, machine, fingerprint, armed: rule.schedule === null });
    }
    this.scheduleMinute = null;
  }

  /** @param tracks all living tracks of the camera; call it for every analysed frame, also without tracks */
  update(tracks: readonly Track[], capturedAtMs: number, picture: PictureFacts = {}): RuleOutcome[] {
    if (this.running.length === 0) return [];
    const elapsedMs = this.clockMs === null ? 0 : capturedAtMs - this.clockMs;
    if (this.clockMs !== null && elapsedMs <= 0 && elapsedMs > -LATE_FRAME_MS) return [];
    this.clockMs = capturedAtMs;
    if (elapsedMs < 0 || elapsedMs > GAP_MS)
      for (const { machine } of this.running) machine.rebase(capturedAtMs);
    const outcomes = this.applySchedules(capturedAtMs);
    const facts: SceneFacts = {
      aspectRatio: picture.aspectRatio ?? USUAL_ASPECT_RATIO,
      staticRegions: picture.staticRegions ?? null,
      mayRaise: true,
    };
    for (const { armed, rule, machine } of this.running) {
      if (!armed) continue;
      if (!rule.sensor) outcomes.push(...machine.update(tracks, capturedAtMs, facts));
      else outcomes.push(...this.updateWithSensor({ rule, machine }, tracks, facts));
    }
    return outcomes;
  }

  /** The outcomes of a rule whose sensor must hold as well; each alarm carries the reading that decided. */
  private updateWithSensor(
    { rule, machine }: Pick<RunningRule, "rule" | "machine">,
    tracks: readonly Track[],
    facts: SceneFacts,
  ): RuleOutcome[] {
    const capturedAtMs = this.clockMs ?? 0;
    const sensor =
      rule.sensor && this.sensors ? holdingReading(rule.sensor, this.sensors, capturedAtMs) : null;
    const outcomes = machine.update(tracks, capturedAtMs, { ...facts, mayRaise: sensor !== null });
    if (sensor === null) return outcomes;
    return outcomes.map((outcome) =>
      outcome.type === "raised" || outcome.type === "repeated" ? { ...outcome, sensor } : outcome,
    );
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
