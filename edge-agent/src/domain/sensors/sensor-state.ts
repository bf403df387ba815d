import { valueAt } from "./json-pointer.ts";
import { rawNumber } from "./raw-value.ts";
import { observationTime } from "./observation-time.ts";
import { DatastreamState, type StreamCounters } from "./datastream-state.ts";
import type { SensorEvent } from "./sensor-events.ts";
import type { SensorPlan } from "./sensor-plan.ts";

/** Good messages in a row that end a message fault. */
const GOOD_IN_A_ROW = 3;
/** A flood is over when nothing was dropped for so long. */
const FLOOD_OVER_MS = 10_000;

/** Why a sensor gives nothing that can be used. */
export type SensorFault =
  | "SENSOR_PAYLOAD_INVALID"
  | "SENSOR_PAYLOAD_TOO_LARGE"
  | "SENSOR_UNREACHABLE"
  | "SENSOR_MODBUS_EXCEPTION"
  | "SENSOR_MODBUS_PROTOCOL";
type ConditionCode = SensorFault | "SENSOR_OUT_OF_RANGE" | "SENSOR_SILENT" | "SENSOR_FLOODING";

interface Condition {
  readonly condition: "online" | "offline" | "fault";
  readonly code?: ConditionCode;
}

export interface SensorCounters extends StreamCounters {
  messages: number;
  refused: number;
  /** Times of observation that were replaced by when the value came. */
  timesReplaced: number;
  flooded: number;
}

const emptyCounters = (): SensorCounters => ({
  messages: 0,
  refused: 0,
  timesReplaced: 0,
  flooded: 0,
  observations: 0,
  duplicates: 0,
  outOfRange: 0,
  withinDeadband: 0,
});

/**
 * What is known of one sensor, and what there is to tell: observations, condition, alarms. Pure: messages and times
 * come in, events come out.
 */
export class SensorState {
  readonly plan: SensorPlan;
  readonly counters = emptyCounters();
  readonly #streams: readonly DatastreamState[];
  #fault: SensorFault | null = null;
  #goodInARow = 0;
  #floodUntilMs = -Infinity;
  #hasSpoken = false;
  #told: Condition | null = null;

  constructor(plan: SensorPlan, startedAtMs: number) {
    this.plan = plan;
    this.#streams = plan.datastreams.map(
      (stream) => new DatastreamState(plan.sensor.id, stream, startedAtMs, this.counters),
    );
  }

  get condition(): Condition | null {
    return this.#told;
  }

  /** A JSON message, parsed. */
  takeDocument(document: unknown, arrivedAtMs: number): SensorEvent[] {
    const { datastreams, timePointer } = this.plan;
    const raws = datastreams.map(({ pointer }) => rawNumber(valueAt(document, pointer)));
    const given = timePointer === null ? undefined : (valueAt(document, timePointer) ?? null);
    const { atMs, origin } = observationTime(given, arrivedAtMs);
    if (origin === "replaced") this.counters.timesReplaced += 1;
    return this.#take(raws, { atMs, arrivedAtMs, hasOwnTime: origin === "sensor" });
  }

  /** What was read just now, in the order of the datastreams. */
  takeReadings(raws: readonly number[], atMs: number): SensorEvent[] {
    return this.#take(raws.map(rawNumber), { atMs, arrivedAtMs: atMs, hasOwnTime: false });
  }

  /** The sensor could not be read, or its message not be used. */
  refuse(fault: SensorFault, nowMs: number): SensorEvent[] {
    this.counters.refused += 1;
    this.#fault = fault;
    this.#goodInARow = 0;
    return this.#tellCondition(nowMs);
  }

  /** A message was dropped unread, because there are too many. */
  flood(nowMs: number): SensorEvent[] {
    this.counters.flooded += 1;
    this.#floodUntilMs = nowMs + FLOOD_OVER_MS;
    return this.#tellCondition(nowMs);
  }

  /** Time has passed. */
  tick(nowMs: number): SensorEvent[] {
    return [...this.#streams.flatMap((stream) => stream.tick(nowMs)), ...this.#tellCondition(nowMs)];
  }

  /** It is watched no longer, or differently: ends the alarms of thresholds that do not stay. */
  retire(nowMs: number, stays: (thresholdId: string) => boolean = () => false): SensorEvent[] {
    return this.#streams.flatMap((stream) => stream.retire(nowMs, stays));
  }

  /** Its device record. */
  inventory(nowMs: number): SensorEvent {
    const { id, name, manufacturer, model, serial, cameraId } = this.plan.sensor;
    return {
      type: "sensor_inventory",
      sensorId: id,
      name,
      ...(manufacturer === undefined ? {} : { manufacturer }),
      ...(model === undefined ? {} : { model }),
      ...(serial === undefined ? {} : { serial }),
      ...(cameraId === undefined ? {} : { watchedBy: cameraId }),
      datastreams: this.plan.datastreams.map(({ observedProperty, unit, expectedIntervalMs }) => ({
        observedProperty,
        unit,
        ...(expectedIntervalMs === null ? {} : { expectedIntervalMs }),
      })),
      capturedAtMs: nowMs,
    };
  }

  #take(
    raws: readonly (number | null | "unusable")[],
    moment: { atMs: number; arrivedAtMs: number; hasOwnTime: boolean },
  ): SensorEvent[] {
    this.counters.messages += 1;
    const isUsable = raws.some((raw) => typeof raw === "number") && !raws.includes("unusable");
    const events = this.#streams.flatMap((stream, i) => {
      const raw = raws[i];
      return typeof raw === "number" ? stream.take({ raw, ...moment }) : [];
    });
    if (!isUsable) return [...events, ...this.refuse("SENSOR_PAYLOAD_INVALID", moment.arrivedAtMs)];
    this.#hasSpoken = true;
    this.#goodInARow += 1;
    // A device that answers again is back at once; messages must be good for a while.
    if (this.#fault !== null && (isOffline(this.#fault) || this.#goodInARow >= GOOD_IN_A_ROW))
      this.#fault = null;
    return [...events, ...this.#tellCondition(moment.arrivedAtMs)];
  }

  #tellCondition(nowMs: number): SensorEvent[] {
    const now = this.#judge(nowMs);
    if (now === null || (now.condition === this.#told?.condition && now.code === this.#told.code)) return [];
    this.#told = now;
    return [{ type: "sensor_health", sensorId: this.plan.sensor.id, ...now, capturedAtMs: nowMs }];
  }

  /** Worst first; null while nothing is known. */
  #judge(nowMs: number): Condition | null {
    if (this.#fault !== null && isOffline(this.#fault)) return { condition: "offline", code: this.#fault };
    const expected = this.#streams.filter(({ isExpected }) => isExpected);
    const silent = expected.filter((stream) => stream.isSilent(nowMs)).length;
    if (silent > 0 && silent === this.#streams.length) return { condition: "offline", code: "SENSOR_SILENT" };
    if (this.#fault !== null) return { condition: "fault", code: this.#fault };
    if (nowMs < this.#floodUntilMs) return { condition: "fault", code: "SENSOR_FLOODING" };
    if (this.#streams.some(({ isOutOfRange }) => isOutOfRange)) {
      return { condition: "fault", code: "SENSOR_OUT_OF_RANGE" };
    }
    if (silent > 0) return { condition: "fault", code: "SENSOR_SILENT" };
    return this.#hasSpoken ? { condition: "online" } : null;
  }
}

const isOffline = (fault: SensorFault): boolean => fault === "SENSOR_UNREACHABLE";
