import { type CopyColumn, copyRows, type Pool } from "@huishi/platform";
import type { RecordStore } from "../../application/ports.ts";
import type { CrossingRow, DetectionRow, TrackRow } from "../../application/records.ts";
import { ExactlyOnce } from "./exactly-once.ts";

const DETECTION_COLUMNS: readonly CopyColumn[] = [
  { name: "captured_at", type: "timestamptz" },
  { name: "camera_no", type: "int4" },
  { name: "track_id", type: "int8" },
  { name: "class_code", type: "int2" },
  { name: "score", type: "int2" },
  { name: "x", type: "int2" },
  { name: "y", type: "int2" },
  { name: "w", type: "int2" },
  { name: "h", type: "int2" },
];

const CROSSING_COLUMNS: readonly CopyColumn[] = [
  { name: "crossed_at", type: "timestamptz" },
  { name: "rule_id", type: "text" },
  { name: "camera_no", type: "int4" },
  { name: "track_id", type: "int8" },
  { name: "class_code", type: "int2" },
  { name: "left_to_right", type: "bool" },
];

/** A track is written again while it lives: the row that has seen it longest stays. */
const UPSERT_TRACKS = `
  INSERT INTO track (id, camera_no, class_code, first_seen_at, last_seen_at, observations, score, path)
  SELECT id, camera_no, class_code, first_seen_at, last_seen_at, observations, score, path
  FROM jsonb_to_recordset($1::jsonb) AS row (id bigint, camera_no integer, class_code smallint,
    first_seen_at timestamptz, last_seen_at timestamptz, observations integer, score smallint, path jsonb)
  ON CONFLICT (id) DO UPDATE SET class_code = EXCLUDED.class_code, last_seen_at = EXCLUDED.last_seen_at,
    observations = EXCLUDED.observations, score = EXCLUDED.score, path = EXCLUDED.path
  WHERE track.observations <= EXCLUDED.observations`;

/** Detections and crossings by binary COPY, tracks by upsert. */
export class PostgresRecordStore implements RecordStore {
  readonly #once: ExactlyOnce;

  constructor(pool: Pool) {
    this.#once = new ExactlyOnce(pool);
  }

  async writeDetections(rows: readonly DetectionRow[]): Promise<void> {
    await this.#copy("detection", DETECTION_COLUMNS, rows, (row) => [
      row.capturedAtMs,
      row.cameraNo,
      row.trackId,
      row.classCode,
      row.score,
      row.x,
      row.y,
      row.w,
      row.h,
    ]);
  }

  async writeCrossings(rows: readonly CrossingRow[]): Promise<void> {
    await this.#copy("line_crossing", CROSSING_COLUMNS, rows, (row) => [
      row.crossedAtMs,
      row.ruleId,
      row.cameraNo,
      row.trackId,
      row.classCode,
      row.leftToRight,
    ]);
  }

  async writeTracks(rows: readonly TrackRow[]): Promise<void> {
    // One statement must not touch a row twice: the last word on each track.
    const latest = new Map(rows.map((row) => [row.id, row]));
    const records = [...latest.values()].map((row) => ({
      id: row.id,
      camera_no: row.cameraNo,
      class_code: row.classCode,
      first_seen_at: new Date(row.firstSeenMs),
      last_seen_at: new Date(row.lastSeenMs),
      observations: row.observations,
      score: row.score,
      path: row.path,
    }));
    await this.#once.run(rows[0] ?? rows, (client) => client.query(UPSERT_TRACKS, [JSON.stringify(records)]));
  }

  async #copy<T extends object>(
    table: string,
    columns: readonly CopyColumn[],
    rows: readonly T[],
    values: (row: T) => readonly unknown[],
  ): Promise<void> {
    await this.#once.run(rows[0] ?? rows, (client) => copyRows(client, table, columns, rows.map(values)));
  }
}
