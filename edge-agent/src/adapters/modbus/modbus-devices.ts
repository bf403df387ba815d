import { type Clock, sleep, supervise } from "@huishi/kernel";
import type { Log } from "../../application/ports.ts";
import type { ResolveHost, SensorInlet, SensorSink } from "../../application/sensor-ports.ts";
import type { SensorPlan } from "../../domain/sensors/sensor-plan.ts";
import { MODBUS_TIMINGS, ModbusHost, type ModbusTimings } from "./modbus-host.ts";

const RETRY = { baseDelayMs: 1_000, maxDelayMs: 60_000, healthyAfterMs: 30_000 };
const DEFAULT_PORT = 502;

export interface ModbusDevicesOptions {
  readonly sink: SensorSink;
  readonly clock: Clock;
  readonly log: Log;
  readonly timings?: ModbusTimings;
  /** Default: the system's. */
  readonly resolveHost?: ResolveHost;
}

interface RunningHost {
  readonly plans: readonly SensorPlan[];
  readonly stop: AbortController;
  readonly done: Promise<void>;
}

/** All Modbus TCP devices of the site: sensors at one address share a connection, addresses know nothing of each other. */
export class ModbusDevices implements SensorInlet {
  readonly kind = "modbus_tcp";
  readonly #options: ModbusDevicesOptions;
  readonly #hosts = new Map<string, RunningHost>();
  #wanted: ReadonlyMap<string, readonly SensorPlan[]> = new Map();
  #isRunning = false;

  constructor(options: ModbusDevicesOptions) {
    this.#options = options;
  }

  route(plans: readonly SensorPlan[]): void {
    const wanted = new Map<string, SensorPlan[]>();
    for (const plan of plans) {
      const address = addressOf(plan);
      wanted.set(address, [...(wanted.get(address) ?? []), plan]);
    }
    this.#wanted = wanted;
    if (this.#isRunning) this.#settle();
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#isRunning = true;
    this.#settle();
    await untilAborted(signal);
    this.#isRunning = false;
    const running = [...this.#hosts.values()];
    this.#hosts.clear();
    for (const { stop } of running) stop.abort(new Error("the agent stops"));
    await Promise.all(running.map(({ done }) => done));
  }

  #settle(): void {
    for (const [address, host] of this.#hosts) {
      if (isSame(host.plans, this.#wanted.get(address) ?? [])) continue;
      host.stop.abort(new Error("the sensors at this address have changed"));
      this.#hosts.delete(address);
    }
    for (const [address, plans] of this.#wanted) {
      if (!this.#hosts.has(address)) this.#hosts.set(address, this.#start(plans));
    }
  }

  #start(plans: readonly SensorPlan[]): RunningHost {
    const stop = new AbortController();
    const source = plans[0]?.sensor.source;
    if (source?.kind !== "modbus_tcp") throw new RangeError("no Modbus sensor");
    const { host, port = DEFAULT_PORT } = source;
    const { log, timings = MODBUS_TIMINGS } = this.#options;
    const polling = new ModbusHost({ ...this.#options, host, port, plans, timings });
    const done = supervise({ name: `${host}:${port}`, run: (signal) => polling.run(signal) }, stop.signal, {
      ...RETRY,
      onFailure: ({ error }) => log.error({ host, port, err: error }, "polling of a Modbus device failed"),
    });
    return { plans, stop, done };
  }
}

const isSame = (a: readonly SensorPlan[], b: readonly SensorPlan[]): boolean =>
  a.length === b.length && a.every((plan, i) => plan === b[i]);

function addressOf({ sensor: { source } }: SensorPlan): string {
  return source.kind === "modbus_tcp" ? `${source.host.toLowerCase()}:${source.port ?? DEFAULT_PORT}` : "";
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) await sleep(3_600_000, signal).catch(() => undefined);
}
