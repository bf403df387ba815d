import type { FrameAlarms } from "./alarms.ts";
import type { AlarmStore, Meter, RecordStore } from "./ports.ts";

/** A lease that another worker has taken. */
export interface Takeover {
  readonly cameraId: string;
  readonly cameraNo: number;
  readonly takenAtMs: number;
}

export interface LeaseFence {
  /** Of these cameras those that another worker holds, and since when, by the database's clock. */
  takeovers(of: {
    readonly cameraIds?: readonly string[];
    readonly cameraNos?: readonly number[];
  }): Promise<readonly Takeover[]>;
}

/** Capture time is the agent's clock, a takeover the database's: what they may differ by. */
const CLOCK_SLACK_MS = 2_000;

/**
 * Refuses what was captured after another worker took the camera: a process whose clock lied about its lease writes
 * nothing twice. What it saw BEFORE that is still its own, however late the database takes it: only it has seen that.
 * One small query a batch. The check stands before the write, not in it: a row that exists now was captured before any
 * later takeover. A batch that is given again is the same batch (`ExactlyOnce` knows it by its first row), so the
 * verdict on it is kept.
 */
class Fence {
  readonly #fence: LeaseFence;
  readonly #meter: Pick<Meter, "dropped">;
  readonly #verdicts = new WeakMap<object, readonly unknown[]>();

  constructor(fence: LeaseFence, meter: Pick<Meter, "dropped">) {
    this.#fence = fence;
    this.#meter = meter;
  }

  async pass<T extends object>(
    rows: readonly T[],
    by: { readonly timeMs: (row: T) => number } & (
      { readonly cameraNo: (row: T) => number } | { readonly cameraId: (row: T) => string }
    ),
  ): Promise<readonly T[]> {
    const first = rows[0];
    if (!first) return rows;
    const known = this.#verdicts.get(first);
    if (known) return known as readonly T[];
    const takeovers =
      "cameraNo" in by
        ? await this.#fence.takeovers({ cameraNos: [...new Set(rows.map(by.cameraNo))] })
        : await this.#fence.takeovers({ cameraIds: [...new Set(rows.map(by.cameraId))] });
    const since = new Map<number | string, number>();
    for (const { cameraId, cameraNo, takenAtMs } of takeovers)
      since.set(cameraId, takenAtMs).set(cameraNo, takenAtMs);
    const keyOf = "cameraNo" in by ? by.cameraNo : by.cameraId;
    const passed =
      takeovers.length === 0
        ? rows
        : rows.filter((row) => by.timeMs(row) <= (since.get(keyOf(row)) ?? Infinity) + CLOCK_SLACK_MS);
    if (passed.length < rows.length) this.#meter.dropped("fenced_out", rows.length - passed.length);
    this.#verdicts.set(first, passed);
    return passed;
  }
}

/** `AlarmStore` that refuses the alarms of cameras that have become another worker's. */
export function fencedAlarms(
  store: AlarmStore,
  fence: LeaseFence,
  meter: Pick<Meter, "dropped">,
): AlarmStore {
  const gate = new Fence(fence, meter);
  return {
    async commit(batch: readonly FrameAlarms[]) {
      const passed = await gate.pass(batch, {
        cameraId: ({ cameraId }) => cameraId,
        timeMs: ({ capturedAtMs }) => capturedAtMs,
      });
      return passed.length === 0 ? [] : store.commit(passed);
    },
    addSnapshot: (alarmId, jpeg) => store.addSnapshot(alarmId, jpeg),
  };
}

/** `RecordStore` that refuses the rows of cameras that have become another worker's. */
export function fencedRecords(
  store: RecordStore,
  fence: LeaseFence,
  meter: Pick<Meter, "dropped">,
): RecordStore {
  const gate = new Fence(fence, meter);
  const cameraNo = (row: { readonly cameraNo: number }): number => row.cameraNo;
  return {
    async writeDetections(rows) {
      const passed = await gate.pass(rows, { cameraNo, timeMs: ({ capturedAtMs }) => capturedAtMs });
      if (passed.length > 0) await store.writeDetections(passed);
    },
    async writeTracks(rows) {
      // A track's id is of its worker alone: a late word on one can double nothing, and ends it properly.
      await store.writeTracks(rows);
    },
    async writeCrossings(rows) {
      const passed = await gate.pass(rows, { cameraNo, timeMs: ({ crossedAtMs }) => crossedAtMs });
      if (passed.length > 0) await store.writeCrossings(passed);
    },
    async writeOccupancy(rows) {
      // Seconds that two workers saw add to what was watched as they add to what was in it: means stay right.
      await store.writeOccupancy(rows);
    },
  };
}
