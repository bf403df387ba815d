import type { AgentSensor } from "@huishi/contracts";
import { type Clock, sleep } from "@huishi/kernel";
import { EdgeError } from "../domain/faults.ts";
import { ValueRate } from "../domain/sensors/value-rate.ts";
import type { SensorEvent } from "../domain/sensors/sensor-events.ts";
import { planSensors, type SensorPlan } from "../domain/sensors/sensor-plan.ts";
import { type SensorCounters, type SensorFault, SensorState } from "../domain/sensors/sensor-state.ts";
import type { EventRecorder } from "./outbox-relay.ts";
import type { Log } from "./ports.ts";
import {
  MAX_SENSOR_MESSAGE_BYTES,
  type MessageOutcome,
  type SensorInlet,
  type SensorSink,
} from "./sensor-ports.ts";

/**
 * Values a second of one sensor, and of all together: a message counts as many as are mapped of it. What is above is
 * dropped unread (dropNewest) and counted.
 */
const SENSOR_RATE = { perSecond: 1_000, burst: 2_000 };
const AGENT_RATE = { perSecond: 10_000, burst: 10_000 };
const TICK_MS = 1_000;

export interface SensorKeeperOptions {
  readonly recorder: Pick<EventRecorder, "record">;
  readonly clock: Clock;
  readonly log: Log;
  /** Sensors of the agent's own configuration file: they stay whatever the centre says. */
  readonly local?: readonly AgentSensor[];
}

/** What is counted over all sensors since the start. */
export type SensorTotals = SensorCounters & { readonly sensors: number; unknown: number };

interface Watched {
  readonly fingerprint: string;
  readonly state: SensorState;
  readonly rate: ValueRate;
}

/**
 * Watches the site's sensors: takes what they say, tells of it through the outbox. A change of the configuration
 * leaves alone whom it does not touch.
 */
export class SensorKeeper implements SensorSink {
  readonly #options: SensorKeeperOptions;
  readonly #inlets: SensorInlet[] = [];
  readonly #agentRate: ValueRate;
  readonly #retired: SensorCounters[] = [];
  #watched: ReadonlyMap<string, Watched> = new Map();
  #unknown = 0;

  constructor(options: SensorKeeperOptions) {
    this.#options = options;
    this.#agentRate = new ValueRate(AGENT_RATE, options.clock.nowMs());
  }

  /** Before the first `apply`. */
  addInlet(inlet: SensorInlet): void {
    this.#inlets.push(inlet);
  }

  /**
   * Watches these sensors of the centre's, beside the agent's own. All or nothing: when one is wrong, nothing changes.
   *
   * @throws EdgeError SENSOR_CONFIG_INVALID, UNIT_UNKNOWN, UNIT_MISMATCH
   */
  apply(sensors: readonly AgentSensor[]): void {
    const plans = this.#check(sensors);
    const nowMs = this.#options.clock.nowMs();
    const next = new Map<string, Watched>();
    for (const plan of plans) {
      const fingerprint = JSON.stringify(plan.sensor);
      const before = this.#watched.get(plan.sensor.id);
      next.set(
        plan.sensor.id,
        before?.fingerprint === fingerprint ? before : this.#begin(plan, fingerprint, nowMs),
      );
    }
    const before = this.#watched;
    this.#watched = next;
    for (const [id, watched] of before) if (next.get(id) !== watched) this.#retire(watched, nowMs);
    for (const [id, { state }] of next) {
      if (before.get(id)?.state !== state) this.#record([state.inventory(nowMs)]);
    }
    const all = [...next.values()].map(({ state }) => state.plan);
    for (const inlet of this.#inlets)
      inlet.route(all.filter(({ sensor }) => sensor.source.kind === inlet.kind));
    this.#options.log.info({ sensors: next.size }, "sensors are watched");
  }

  /** Checks sensors without changing anything. @throws as `apply` */
  check(sensors: readonly AgentSensor[]): void {
    this.#check(sensors);
  }

  message(sensorId: string, payload: Uint8Array): MessageOutcome {
    const watched = this.#watched.get(sensorId);
    if (!watched) {
      this.#unknown += 1;
      return "SENSOR_NOT_FOUND";
    }
    const { state } = watched;
    const nowMs = this.#options.clock.nowMs();
    // The sensor's own limit first: one that floods takes no more of what all may than one sensor may.
    const values = state.plan.datastreams.length;
    if (!watched.rate.take(nowMs, values) || !this.#agentRate.take(nowMs, values)) {
      this.#record(state.flood(nowMs));
      return "SENSOR_FLOODING";
    }
    if (payload.byteLength > MAX_SENSOR_MESSAGE_BYTES) {
      this.#record(state.refuse("SENSOR_PAYLOAD_TOO_LARGE", nowMs));
      return "SENSOR_PAYLOAD_TOO_LARGE";
    }
    const document = parseJson(payload);
    const refusedBefore = state.counters.refused;
    this.#record(
      document === undefined
        ? state.refuse("SENSOR_PAYLOAD_INVALID", nowMs)
        : state.takeDocument(document, nowMs),
    );
    return state.counters.refused > refusedBefore ? "SENSOR_PAYLOAD_INVALID" : "taken";
  }

  readings(sensorId: string, raws: readonly number[]): void {
    const state = this.#watched.get(sensorId)?.state;
    if (state) this.#record(state.takeReadings(raws, this.#options.clock.nowMs()));
  }

  fault(sensorId: string, fault: SensorFault): void {
    const state = this.#watched.get(sensorId)?.state;
    if (state) this.#record(state.refuse(fault, this.#options.clock.nowMs()));
  }

  /** A message for nobody. */
  noteUnknown(): void {
    this.#unknown += 1;
  }

  get totals(): SensorTotals {
    const counters = [...this.#retired, ...[...this.#watched.values()].map(({ state }) => state.counters)];
    return { ...sumOf(counters), sensors: this.#watched.size, unknown: this.#unknown };
  }

  /** Condition of each sensor that is watched; null while it has said nothing. */
  get conditions(): { id: string; condition: string | null; code: string | null }[] {
    return [...this.#watched].map(([id, { state }]) => ({
      id,
      condition: state.condition?.condition ?? null,
      code: state.condition?.code ?? null,
    }));
  }

  /** Lets time pass for every sensor until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.tick();
      await sleep(TICK_MS, signal).catch(() => undefined);
    }
  }

  tick(): void {
    const nowMs = this.#options.clock.nowMs();
    for (const { state } of this.#watched.values()) this.#record(state.tick(nowMs));
  }

  #check(sensors: readonly AgentSensor[]): SensorPlan[] {
    const plans = planSensors([...(this.#options.local ?? []), ...sensors]);
    const kinds = new Set(this.#inlets.map(({ kind }) => kind));
    const deaf = plans.find(({ sensor }) => !kinds.has(sensor.source.kind));
    if (deaf) {
      const { id, source } = deaf.sensor;
      throw new EdgeError(
        "SENSOR_CONFIG_INVALID",
        `sensor ${id}: this agent has no ${source.kind} listener (sensorListeners in its own configuration)`,
        { details: { sensorId: id } },
      );
    }
    return plans;
  }

  #begin(plan: SensorPlan, fingerprint: string, nowMs: number): Watched {
    return { fingerprint, state: new SensorState(plan, nowMs), rate: new ValueRate(SENSOR_RATE, nowMs) };
  }

  #retire({ state }: Watched, nowMs: number): void {
    const now = this.#watched.get(state.plan.sensor.id)?.state.plan;
    const staying = new Set(now?.datastreams.flatMap(({ thresholds }) => thresholds.map(({ id }) => id)));
    this.#record(state.retire(nowMs, (thresholdId) => staying.has(thresholdId)));
    this.#retired.splice(0, Infinity, sumOf([...this.#retired, state.counters]));
  }

  #record(events: readonly SensorEvent[]): void {
    for (const event of events) {
      if (event.type === "sensor_health") {
        const { sensorId, condition, code } = event;
        this.#options.log.info({ sensorId, condition, code }, "sensor condition");
      }
      if (event.type === "sensor_alarm") {
        const { sensorId, thresholdId, active, value, unit } = event;
        this.#options.log.warn({ sensorId, thresholdId, active, value, unit }, "sensor alarm");
      }
      this.#options.recorder.record(event);
    }
  }
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString("utf8"));
  } catch {
    return undefined;
  }
}

function sumOf(all: readonly SensorCounters[]): SensorCounters {
  const sum: SensorCounters = {
    messages: 0,
    refused: 0,
    timesReplaced: 0,
    flooded: 0,
    observations: 0,
    duplicates: 0,
    outOfRange: 0,
    withinDeadband: 0,
  };
  for (const counters of all) {
    for (const name of Object.keys(sum) as (keyof SensorCounters)[]) sum[name] += counters[name];
  }
  return sum;
}
