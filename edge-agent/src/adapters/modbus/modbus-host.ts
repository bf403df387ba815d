import { backoffDelayMs, type Clock, sleep } from "@huishi/kernel";
import type { Log } from "../../application/ports.ts";
import type { ResolveHost, SensorSink } from "../../application/sensor-ports.ts";
import { edgeFaultCode } from "../../domain/faults.ts";
import {
  planBlocks,
  readRegister,
  type Register,
  type RegisterBlock,
} from "../../domain/sensors/registers.ts";
import { DEFAULT_POLL_MS, type SensorPlan } from "../../domain/sensors/sensor-plan.ts";
import { ModbusConnection } from "./modbus-connection.ts";

const RETRY = { baseDelayMs: 1_000, maxDelayMs: 60_000 };
/** Unanswered requests in a row, whichever the units, after which the connection itself is in doubt. */
const MAX_SILENT_READS = 3;

export interface ModbusTimings {
  readonly connectTimeoutMs: number;
  readonly readTimeoutMs: number;
}
export const MODBUS_TIMINGS: ModbusTimings = { connectTimeoutMs: 3_000, readTimeoutMs: 2_000 };

export interface ModbusHostOptions {
  readonly host: string;
  readonly port: number;
  readonly plans: readonly SensorPlan[];
  readonly sink: SensorSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings: ModbusTimings;
  readonly resolveHost?: ResolveHost;
}

interface Polled {
  readonly sensorId: string;
  readonly unitId: number;
  readonly pollMs: number;
  readonly registers: readonly Register[];
  readonly blocks: readonly RegisterBlock[];
  dueAtMs: number;
  failures: number;
}

/**
 * Reads the sensors at one address over one connection, each in its own rhythm. A unit that does not answer is asked
 * ever more seldom, so that it holds up the others little.
 */
export class ModbusHost {
  readonly #options: ModbusHostOptions;
  readonly #polled: readonly Polled[];
  #connection: ModbusConnection | null = null;
  #silentReads = 0;
  #failedConnects = 0;

  constructor(options: ModbusHostOptions) {
    this.#options = options;
    this.#polled = options.plans.map((plan) => polledOf(plan, options.clock.nowMs()));
  }

  /** Runs until the signal aborts; faults go to the sensors that they befall. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        const next = this.#polled.reduce((a, b) => (b.dueAtMs < a.dueAtMs ? b : a));
        const waitMs = next.dueAtMs - this.#options.clock.nowMs();
        if (waitMs > 0) await sleep(Math.min(waitMs, next.pollMs), signal);
        else await this.#poll(next, signal);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      this.#connection?.close();
    }
  }

  async #poll(polled: Polled, signal: AbortSignal): Promise<void> {
    const { sink, clock, timings } = this.#options;
    const connection = await this.#connect(signal);
    if (!connection) return;
    const stop = (): void => connection.close();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const raws: number[] = [];
      for (const block of polled.blocks) {
        const data = await connection.read({ unitId: polled.unitId, ...block }, timings.readTimeoutMs);
        for (const i of block.members) raws[i] = readRegister(data, block, polled.registers[i] as Register);
      }
      this.#silentReads = 0;
      polled.failures = 0;
      sink.readings(polled.sensorId, raws);
    } catch (error) {
      signal.throwIfAborted();
      this.#failed(polled, connection, error);
    } finally {
      signal.removeEventListener("abort", stop);
      this.#schedule(polled, clock.nowMs());
    }
  }

  /** The rhythm is kept; what was missed is not made up for. */
  #schedule(polled: Polled, nowMs: number): void {
    const backedOffMs = Math.min(polled.pollMs * 2 ** Math.min(polled.failures, 10), RETRY.maxDelayMs);
    const intervalMs = Math.max(polled.pollMs, backedOffMs);
    polled.dueAtMs = Math.max(polled.dueAtMs + intervalMs, nowMs + Math.min(intervalMs, 10));
    if (polled.failures > 0) polled.dueAtMs = nowMs + intervalMs;
  }

  #failed(polled: Polled, connection: ModbusConnection, error: unknown): void {
    const { sink, log, host, port } = this.#options;
    const code = edgeFaultCode(error);
    const fault =
      code === "SENSOR_MODBUS_EXCEPTION" || code === "SENSOR_MODBUS_PROTOCOL" ? code : "SENSOR_UNREACHABLE";
    if (polled.failures === 0)
      log.warn({ sensorId: polled.sensorId, host, port, err: error }, "a Modbus read failed");
    polled.failures += fault === "SENSOR_MODBUS_EXCEPTION" ? 0 : 1;
    this.#silentReads = fault === "SENSOR_UNREACHABLE" ? this.#silentReads + 1 : 0;
    sink.fault(polled.sensorId, fault);
    if (this.#silentReads >= MAX_SILENT_READS) {
      this.#silentReads = 0;
      connection.close();
      this.#connection = null;
    }
  }

  /** The open connection, or a new one; null after a failure and its pause. */
  async #connect(signal: AbortSignal): Promise<ModbusConnection | null> {
    if (this.#connection?.isOpen) return this.#connection;
    const { host, port, timings, sink, log, resolveHost } = this.#options;
    try {
      // Each time anew: a name may stand for another address by now.
      const address = (await resolveHost?.(host, signal)) ?? host;
      this.#connection = await ModbusConnection.open(
        { host: address, port, timeoutMs: timings.connectTimeoutMs },
        signal,
      );
      this.#failedConnects = 0;
      return this.#connection;
    } catch (error) {
      signal.throwIfAborted();
      if (this.#failedConnects === 0)
        log.warn({ host, port, err: error }, "a Modbus device cannot be reached");
      for (const { sensorId } of this.#polled) sink.fault(sensorId, "SENSOR_UNREACHABLE");
      await sleep(backoffDelayMs(this.#failedConnects++, RETRY, Math.random), signal);
      return null;
    }
  }
}

function polledOf({ sensor, datastreams }: SensorPlan, nowMs: number): Polled {
  if (sensor.source.kind !== "modbus_tcp") throw new RangeError("no Modbus sensor");
  const registers = datastreams.map(({ register }) => register as Register);
  return {
    sensorId: sensor.id,
    unitId: sensor.source.unitId ?? 1,
    pollMs: sensor.source.pollMs ?? DEFAULT_POLL_MS,
    registers,
    blocks: planBlocks(registers),
    dueAtMs: nowMs,
    failures: 0,
  };
}
