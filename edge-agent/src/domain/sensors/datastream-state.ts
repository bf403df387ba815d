import type { SensorEvent } from "./sensor-events.ts";
import type { DatastreamPlan } from "./sensor-plan.ts";
import { Threshold, type ThresholdChange } from "./threshold.ts";

/** Values in range, in a row, that end a range fault: a value that flaps would otherwise flood. */
const GOOD_IN_A_ROW = 3;
/** Expected intervals without a value that make a datastream silent. */
const SILENT_INTERVALS = 3;
/** Unchanged values are told again after this time, when no interval is expected. */
const DEFAULT_REPEAT_MS = 5 * 60_000;
/** Late values in a row, each later than the one before, that mean that the sensor's clock was set back. */
const LATE_IN_A_ROW = 3;
/** Times and values remembered to know a repeat by. */
const REMEMBERED = 16;

export interface Sample {
  readonly raw: number;
  readonly atMs: number;
  readonly arrivedAtMs: number;
  /** The time is the sensor's own: then the same time and value again is the same observation. */
  readonly hasOwnTime: boolean;
}

export interface StreamCounters {
  observations: number;
  duplicates: number;
  outOfRange: number;
  withinDeadband: number;
}

/** One datastream of one sensor: range, repeats, deadband, silence, limits. Pure: time comes in. */
export class DatastreamState {
  readonly plan: DatastreamPlan;
  readonly #sensorId: string;
  readonly #thresholds: readonly Threshold[];
  readonly #seen: string[] = [];
  readonly #counters: StreamCounters;
  #goodInARow = GOOD_IN_A_ROW;
  #arrivedAtMs: number;
  /** By the sensor's own clock; when values came does not compare with it. */
  #newestAtMs = -Infinity;
  #lateRun: readonly number[] = [];
  #told: { readonly value: number; readonly atMs: number } | null = null;

  constructor(sensorId: string, plan: DatastreamPlan, startedAtMs: number, counters: StreamCounters) {
    this.#sensorId = sensorId;
    this.plan = plan;
    this.#arrivedAtMs = startedAtMs;
    this.#counters = counters;
    this.#thresholds = plan.thresholds.map((definition) => new Threshold(definition));
  }

  get isOutOfRange(): boolean {
    return this.#goodInARow < GOOD_IN_A_ROW;
  }

  isSilent(nowMs: number): boolean {
    const { expectedIntervalMs } = this.plan;
    return expectedIntervalMs !== null && nowMs - this.#arrivedAtMs > SILENT_INTERVALS * expectedIntervalMs;
  }

  /** Whether a value is expected at all by some time. */
  get isExpected(): boolean {
    return this.plan.expectedIntervalMs !== null;
  }

  take(sample: Sample): SensorEvent[] {
    const { atMs, arrivedAtMs } = sample;
    this.#arrivedAtMs = arrivedAtMs;
    const value = this.plan.convert(sample.raw);
    if (!(value >= this.plan.min && value <= this.plan.max) || !Number.isFinite(value)) {
      this.#goodInARow = 0;
      this.#counters.outOfRange += 1;
      return [];
    }
    this.#goodInARow = Math.min(GOOD_IN_A_ROW, this.#goodInARow + 1);
    if (sample.hasOwnTime && this.#isRepeat(atMs, value)) {
      this.#counters.duplicates += 1;
      return [];
    }
    const isNewest = !sample.hasOwnTime || this.#isNewest(atMs);
    // What a logger sends late is stored; what holds now is decided by what is newest.
    const alarms = isNewest ? this.#judge(value, atMs, arrivedAtMs) : [];
    if (!isNewest) return [this.#observation(value, atMs)];
    if (alarms.length === 0 && this.#isWithinDeadband(value, atMs)) {
      this.#counters.withinDeadband += 1;
      return [];
    }
    this.#told = { value, atMs };
    return [this.#observation(value, atMs), ...alarms];
  }

  tick(nowMs: number): SensorEvent[] {
    if (this.isSilent(nowMs)) {
      for (const threshold of this.#thresholds) threshold.forget();
      return [];
    }
    return this.#thresholds.flatMap((threshold) => this.#alarm(threshold, threshold.tick(nowMs)));
  }

  /** Ends alarms that nobody will watch any more, except of the thresholds that stay. */
  retire(nowMs: number, stays: (thresholdId: string) => boolean): SensorEvent[] {
    return this.#thresholds
      .filter(({ active, definition }) => active && !stays(definition.id))
      .flatMap((threshold) =>
        this.#alarm(threshold, { active: false, atMs: nowMs, value: threshold.lastValue }),
      );
  }

  #judge(value: number, atMs: number, arrivedAtMs: number): SensorEvent[] {
    return this.#thresholds.flatMap((threshold) =>
      this.#alarm(threshold, threshold.take(value, atMs, arrivedAtMs)),
    );
  }

  /** A clock that was set back must not silence the limits until it has caught up. */
  #isNewest(atMs: number): boolean {
    const isLate = atMs < this.#newestAtMs;
    const isAfterLast = atMs > (this.#lateRun.at(-1) ?? -Infinity);
    this.#lateRun = !isLate ? [] : isAfterLast ? [...this.#lateRun, atMs] : [atMs];
    if (isLate && this.#lateRun.length < LATE_IN_A_ROW) return false;
    this.#newestAtMs = atMs;
    this.#lateRun = [];
    return true;
  }

  #isRepeat(atMs: number, value: number): boolean {
    const key = `${atMs} ${value}`;
    if (this.#seen.includes(key)) return true;
    this.#seen.push(key);
    if (this.#seen.length > REMEMBERED) this.#seen.shift();
    return false;
  }

  #isWithinDeadband(value: number, atMs: number): boolean {
    const { deadband, expectedIntervalMs } = this.plan;
    if (deadband === 0 || this.#told === null) return false;
    const isRepeatDue = atMs - this.#told.atMs >= (expectedIntervalMs ?? DEFAULT_REPEAT_MS);
    return !isRepeatDue && Math.abs(value - this.#told.value) < deadband;
  }

  #observation(value: number, atMs: number): SensorEvent {
    this.#counters.observations += 1;
    const { observedProperty, unit } = this.plan;
    const sensorId = this.#sensorId;
    return { type: "observation", sensorId, observedProperty, unit, value, capturedAtMs: atMs };
  }

  #alarm({ definition }: Threshold, change: ThresholdChange | null): SensorEvent[] {
    if (!change) return [];
    const { id, observedProperty, alarmClass, priority, limit } = definition;
    return [
      {
        type: "sensor_alarm",
        sensorId: this.#sensorId,
        thresholdId: id,
        observedProperty,
        alarmClass,
        priority,
        limit,
        active: change.active,
        value: change.value,
        unit: this.plan.unit,
        capturedAtMs: Math.round(change.atMs),
      },
    ];
  }
}
