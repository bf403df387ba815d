import { HuishiError, sleep } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { SensorWatch } from "../../application/ports.ts";
import type { SensorReading } from "../../domain/index.ts";

const POLL_MS = 1_000;
/** Datastreams that are read at most; of those beyond nothing is known, so their conditions never hold. */
const MAX_DATASTREAMS = 20_000;

export interface SensorReadingsOptions {
  readonly pool: Pool;
  /** More datastreams are named by rules than are read. */
  readonly onFault: (error: HuishiError) => void;
}

/**
 * The latest values of the datastreams that rules name, read every second from the table that ingest keeps. Costs nothing
 * while no rule names one. When the database is away, readings grow old, and nothing old counts as true.
 */
export class PostgresSensorReadings implements SensorWatch {
  readonly name = "sensor readings";
  readonly #options: SensorReadingsOptions;
  readonly #wanted = new Map<string, readonly string[]>();
  #readings = new Map<string, SensorReading>();

  constructor(options: SensorReadingsOptions) {
    this.#options = options;
  }

  watch(cameraId: string, datastreamIds: readonly string[]): void {
    if (datastreamIds.length === 0) this.#wanted.delete(cameraId);
    else this.#wanted.set(cameraId, datastreamIds);
  }

  latest(datastreamId: string): SensorReading | null {
    return this.#readings.get(datastreamId) ?? null;
  }

  /** Reads until the signal aborts. @throws when the database does not answer: the supervisor starts it again */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.read();
      await sleep(POLL_MS, signal).catch(() => undefined);
    }
  }

  /** Reads once. */
  async read(): Promise<void> {
    const wanted = this.#datastreams();
    if (wanted.length === 0) {
      this.#readings = new Map();
      return;
    }
    const { rows } = await this.#options.pool.query<{ no: number; value: number; at_ms: number }>({
      name: "latest-readings",
      text: `SELECT no, last_value AS value, (extract(epoch FROM last_at) * 1000)::float8 AS at_ms
             FROM datastream WHERE no = ANY ($1::integer[]) AND last_value IS NOT NULL AND last_at IS NOT NULL`,
      values: [wanted],
    });
    this.#readings = new Map(
      rows.map(({ no, value, at_ms }) => [
        String(no),
        { datastreamId: String(no), value, atMs: Math.round(at_ms) },
      ]),
    );
  }

  #datastreams(): number[] {
    const numbers = new Set<number>();
    for (const ids of this.#wanted.values()) {
      for (const id of ids) if (/^[1-9][0-9]{0,8}$/.test(id)) numbers.add(Number(id));
    }
    if (numbers.size > MAX_DATASTREAMS) {
      this.#options.onFault(
        new HuishiError(
          "SENSOR_READINGS_LIMIT",
          `rules name more than ${MAX_DATASTREAMS} sensor values; those beyond never count as true`,
        ),
      );
    }
    return [...numbers].slice(0, MAX_DATASTREAMS);
  }
}
