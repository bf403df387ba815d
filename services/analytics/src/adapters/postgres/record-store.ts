import {
  addOccupancy,
  type CopyColumn,
  copyRows,
  DETECTION_COLUMNS,
  LINE_CROSSING_COLUMNS,
  lateMarkStatement,
  type Pool,
  type SeriesName,
  writeTracks,
} from "@huishi/platform";
import type { RecordStore } from "../../application/ports.ts";
import type { CrossingRow, DetectionRow, OccupancyRow, TrackRow } from "../../application/records.ts";
import { ExactlyOnce } from "./exactly-once.ts";

/** Detections and crossings by binary COPY, tracks and minutes of zones by upsert. */
export class PostgresRecordStore implements RecordStore {
  readonly #once: ExactlyOnce;

  constructor(pool: Pool) {
    this.#once = new ExactlyOnce(pool);
  }

  async writeDetections(rows: readonly DetectionRow[]): Promise<void> {
    const target = {
      series: "detection" as const,
      columns: DETECTION_COLUMNS,
      timeMs: (row: DetectionRow) => row.capturedAtMs,
    };
    await this.#copy(target, rows, (row) => [
      row.capturedAtMs,
      row.trackId,
      row.cameraNo,
      row.classCode,
      row.score,
      row.x,
      row.y,
      row.w,
      row.h,
    ]);
  }

  async writeCrossings(rows: readonly CrossingRow[]): Promise<void> {
    const target = {
      series: "line_crossing" as const,
      columns: LINE_CROSSING_COLUMNS,
      timeMs: (row: CrossingRow) => row.crossedAtMs,
    };
    await this.#copy(target, rows, (row) => [
      row.crossedAtMs,
      row.trackId,
      row.cameraNo,
      row.classCode,
      row.leftToRight,
      row.ruleId,
    ]);
  }

  async writeTracks(rows: readonly TrackRow[]): Promise<void> {
    await this.#once.run(rows[0] ?? rows, (client) => writeTracks(client, rows));
  }

  async writeOccupancy(rows: readonly OccupancyRow[]): Promise<void> {
    await this.#once.run(rows[0] ?? rows, (client) => addOccupancy(client, rows));
  }

  async #copy<T extends object>(
    target: { series: SeriesName; columns: readonly CopyColumn[]; timeMs: (row: T) => number },
    rows: readonly T[],
    values: (row: T) => readonly unknown[],
  ): Promise<void> {
    await this.#once.run(rows[0] ?? rows, async (client) => {
      const behind = lateMarkStatement(target.series, rows.map(target.timeMs));
      await copyRows(client, { table: target.series, columns: target.columns, behind }, rows.map(values));
    });
  }
}
