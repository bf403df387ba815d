import type { BackoffOptions, HuishiError } from "@huishi/kernel";
import type { FaultLog } from "./fault-log.ts";
import { GroupWriter } from "./group-writer.ts";
import type { Meter, RecordStore } from "./ports.ts";
import type { CrossingRow, DetectionRow, OccupancyRow, TrackRow } from "./records.ts";

/** The store being away is a matter of seconds: asked often at first, every two seconds later. */
export const STORE_RETRY: BackoffOptions = { baseDelayMs: 100, maxDelayMs: 2_000 };

const DELAYED = {
  code: "RECORDS_DELAYED",
  message: "the database does not take records; they are kept and tried again: check that PostgreSQL runs",
};

type Table = "detection" | "track" | "line_crossing" | "zone_occupancy";

/** Detections, tracks, crossings and minutes of zones on their way to the database, each in its own bounded queue. */
export class PerceptionWriter {
  readonly #detections: GroupWriter<DetectionRow>;
  readonly #tracks: GroupWriter<TrackRow>;
  readonly #crossings: GroupWriter<CrossingRow>;
  readonly #occupancy: GroupWriter<OccupancyRow>;

  constructor(store: RecordStore, meter: Meter, faults: FaultLog) {
    const writer = <T>(
      table: Table,
      capacity: number,
      write: (rows: readonly T[]) => Promise<void>,
    ): GroupWriter<T> =>
      new GroupWriter<T>({
        capacity,
        maxRows: 1_000,
        maxDelayMs: 500,
        retry: STORE_RETRY,
        write: async (rows) => {
          const startedMs = performance.now();
          await write(rows);
          faults.recovered(DELAYED.code);
          meter.rows(table, rows.length, performance.now() - startedMs);
        },
        onDropped: (count) => meter.dropped(`${table}_buffer_full`, count),
        onRetry: (error) => faults.report(error, DELAYED, { table }),
        onRefused: (error: HuishiError) => {
          meter.dropped(`${table}_refused`, 1);
          faults.report(error, DELAYED, { table });
        },
      });
    // A quarter of a million detections are about 20 minutes of 4 busy cameras, and about 30 MB.
    this.#detections = writer("detection", 250_000, (rows) => store.writeDetections(rows));
    this.#tracks = writer("track", 50_000, (rows) => store.writeTracks(rows));
    this.#crossings = writer("line_crossing", 50_000, (rows) => store.writeCrossings(rows));
    this.#occupancy = writer("zone_occupancy", 50_000, (rows) => store.writeOccupancy(rows));
  }

  write(rows: {
    readonly detections?: readonly DetectionRow[];
    readonly tracks?: readonly TrackRow[];
    readonly crossings?: readonly CrossingRow[];
    readonly occupancy?: readonly OccupancyRow[];
  }): void {
    if (rows.detections) this.#detections.push(rows.detections);
    if (rows.tracks) this.#tracks.push(rows.tracks);
    if (rows.crossings) this.#crossings.push(rows.crossings);
    if (rows.occupancy) this.#occupancy.push(rows.occupancy);
  }

  /** Rows not committed yet, by table. */
  pending(): Record<Table, number> {
    return {
      detection: this.#detections.pending,
      track: this.#tracks.pending,
      line_crossing: this.#crossings.pending,
      zone_occupancy: this.#occupancy.pending,
    };
  }

  async close(deadlineMs: number): Promise<void> {
    await Promise.all(
      [this.#detections, this.#tracks, this.#crossings, this.#occupancy].map((writer) =>
        writer.close(deadlineMs),
      ),
    );
  }
}
