import { type Camera, type GroundPairs, OBJECT_CLASSES, type ObjectClass } from "@huishi/contracts";
import type { GroundPlane } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { GroundPlanes, StoredPerception } from "../../application/rehearsal/ports.ts";
import type { AnalysedSpan, SensorReading, Span, StoredFrame, TrackHistory } from "../../domain/index.ts";
import { groundPlaneOf } from "./plan-store.ts";

/** Rows of one page: about 0.5 MB, read in a few milliseconds. */
const PAGE_ROWS = 2_000;
/** More spans than this in a week are one every minute: the rest is taken for one. */
const MAX_SPANS = 10_000;
const SCALE = 10_000;
const MAX_READINGS = 200_000;

const CLASS_OF_CODE: ReadonlyMap<number, ObjectClass> = new Map(
  Object.entries(OBJECT_CLASSES).map(([name, code]) => [code, name as ObjectClass]),
);

interface DetectionRow {
  readonly captured_ms: number;
  readonly track_id: string;
  readonly class_code: number;
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** Detections, tracks and spans as analytics wrote them. What cameras detected themselves (ids below zero) is left out. */
export class PostgresRehearsalPerception implements StoredPerception, GroundPlanes {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async camera(cameraId: string): Promise<{ cameraNo: number; aspectRatio: number } | null> {
    const { rows } = await this.#pool.query<{ no: number; streams: Camera["streams"] }>(
      "SELECT no, streams FROM camera WHERE id = $1",
      [cameraId],
    );
    const row = rows[0];
    return row ? { cameraNo: row.no, aspectRatio: aspectRatioOf(row.streams) } : null;
  }

  async groundPlane(cameraId: string): Promise<GroundPlane | null> {
    const { rows } = await this.#pool.query<{ pairs: GroundPairs }>(
      "SELECT pairs FROM camera_ground_plane WHERE camera_id = $1",
      [cameraId],
    );
    return groundPlaneOf(rows[0]?.pairs ?? null);
  }

  async spans(cameraNo: number, { fromMs, toMs }: Span): Promise<readonly AnalysedSpan[]> {
    const { rows } = await this.#pool.query<{ from_ms: number; to_ms: number; frames: number }>(
      `SELECT (extract(epoch FROM began_at) * 1000)::float8 AS from_ms, (extract(epoch FROM until_at) * 1000)::float8 AS to_ms,
              frames
       FROM analysis_span WHERE camera_no = $1 AND began_at < $3 AND until_at >= $2
       ORDER BY began_at LIMIT ${MAX_SPANS}`,
      [cameraNo, new Date(fromMs), new Date(toMs)],
    );
    return rows.map((row) => ({
      fromMs: Math.max(Math.round(row.from_ms), fromMs),
      toMs: Math.min(Math.round(row.to_ms), toMs),
      intervalMs: row.frames > 1 ? (row.to_ms - row.from_ms) / (row.frames - 1) : null,
    }));
  }

  async frames(
    cameraNo: number,
    { afterMs, toMs }: { readonly afterMs: number; readonly toMs: number },
  ): Promise<readonly StoredFrame[]> {
    // WITH TIES: a page never ends within a frame.
    const { rows } = await this.#pool.query<DetectionRow>(
      `SELECT (extract(epoch FROM captured_at) * 1000)::float8 AS captured_ms, track_id, class_code, score, x, y, w, h
       FROM detection WHERE camera_no = $1 AND captured_at > $2 AND captured_at < $3 AND track_id >= 0
       ORDER BY captured_at FETCH FIRST ${PAGE_ROWS} ROWS WITH TIES`,
      [cameraNo, new Date(afterMs), new Date(toMs)],
    );
    return framesOf(rows);
  }

  async histories(trackIds: readonly number[]): Promise<ReadonlyMap<number, TrackHistory>> {
    const { rows } = await this.#pool.query<{ id: string; first_ms: number; last_ms: number }>(
      `SELECT id, (extract(epoch FROM first_seen_at) * 1000)::float8 AS first_ms,
              (extract(epoch FROM last_seen_at) * 1000)::float8 AS last_ms
       FROM track WHERE id = ANY ($1::bigint[])`,
      [trackIds],
    );
    return new Map(
      rows.map((row) => [
        Number(row.id),
        { firstSeenMs: Math.round(row.first_ms), lastSeenMs: Math.round(row.last_ms) },
      ]),
    );
  }

  async readings(
    datastreamIds: readonly string[],
    { afterMs, toMs }: { readonly afterMs: number; readonly toMs: number },
  ): Promise<readonly SensorReading[]> {
    const numbers = datastreamIds.filter((id) => /^[0-9]{1,9}$/.test(id));
    const { rows } = await this.#pool.query<{ no: number; value: number; at_ms: number }>(
      `SELECT datastream_no AS no, value, (extract(epoch FROM captured_at) * 1000)::float8 AS at_ms
       FROM observation WHERE datastream_no = ANY ($1::integer[]) AND captured_at > $2 AND captured_at <= $3
       ORDER BY captured_at LIMIT ${MAX_READINGS}`,
      [numbers, new Date(Math.max(0, afterMs)), new Date(toMs)],
    );
    return rows.map(({ no, value, at_ms: atMs }) => ({
      datastreamId: String(no),
      value,
      atMs: Math.round(atMs),
    }));
  }
}

/** Rows in order of time become frames. */
function framesOf(rows: readonly DetectionRow[]): StoredFrame[] {
  const frames: { capturedAtMs: number; sightings: StoredFrame["sightings"][number][] }[] = [];
  for (const row of rows) {
    const capturedAtMs = Math.round(row.captured_ms);
    let frame = frames.at(-1);
    if (frame?.capturedAtMs !== capturedAtMs) frames.push((frame = { capturedAtMs, sightings: [] }));
    frame.sightings.push({
      trackId: Number(row.track_id),
      objectClass: CLASS_OF_CODE.get(row.class_code) ?? "person",
      score: row.score / SCALE,
      box: { x: row.x / SCALE, y: row.y / SCALE, w: row.w / SCALE, h: row.h / SCALE },
    });
  }
  return frames;
}

/** Of the stream that is analysed: the small one where there is one. */
function aspectRatioOf(streams: Camera["streams"]): number {
  const stream = streams.find(({ profile }) => profile === "sub") ?? streams[0];
  return stream && stream.width > 0 && stream.height > 0 ? stream.width / stream.height : 16 / 9;
}
