import type { Detection, Track } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { DetectionsAsked, PerceptionStore, Placed, TracksAsked } from "../../application/perception.ts";
import { classOf, SCALE } from "./class-codes.ts";
import { detectionQuestion } from "./queries/detection-question.ts";
import { trackQuestion } from "./queries/track-question.ts";

interface DetectionRow {
  readonly micros: string;
  readonly captured_ms: number;
  readonly track_id: string;
  readonly class_code: number;
  readonly score: number;
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

interface TrackRow {
  readonly micros: string;
  readonly id: string;
  readonly camera_id: string | null;
  readonly class_code: number;
  readonly first_seen_ms: number;
  readonly last_seen_ms: number;
  readonly observations: number;
  readonly score: number;
  readonly heading_deg: number | null;
  readonly path: readonly (readonly [number, number, number])[] | null;
  readonly entered_ms?: number;
  readonly left_ms?: number;
  readonly crossed_ms?: number;
  readonly left_to_right?: boolean;
}

export class PostgresPerceptionStore implements PerceptionStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readDetections(asked: DetectionsAsked): Promise<Placed<Detection>[]> {
    const { text, values } = detectionQuestion(asked);
    const found = await this.#pool.query<DetectionRow>(text, [...values]);
    return found.rows.map((row) => ({ micros: row.micros, row: toDetection(row) }));
  }

  async searchTracks(asked: TracksAsked): Promise<Placed<Track>[]> {
    const { text, values } = trackQuestion(asked);
    const found = await this.#pool.query<TrackRow>(text, [...values]);
    return found.rows.map((row) => ({ micros: row.micros, row: toTrack(row) }));
  }
}

function toDetection(row: DetectionRow): Detection {
  return {
    capturedAtMs: row.captured_ms,
    trackId: row.track_id,
    objectClass: classOf(row.class_code),
    score: row.score / SCALE,
    box: { x: row.x / SCALE, y: row.y / SCALE, w: row.w / SCALE, h: row.h / SCALE },
  };
}

function toTrack(row: TrackRow): Track {
  const { entered_ms: enteredAtMs, left_ms: leftAtMs, crossed_ms: crossedAtMs } = row;
  return {
    id: row.id,
    cameraId: row.camera_id,
    objectClass: classOf(row.class_code),
    firstSeenAtMs: row.first_seen_ms,
    lastSeenAtMs: row.last_seen_ms,
    observations: row.observations,
    score: row.score / SCALE,
    headingDeg: row.heading_deg,
    visit: enteredAtMs === undefined || leftAtMs === undefined ? null : { enteredAtMs, leftAtMs },
    crossing:
      crossedAtMs === undefined
        ? null
        : { crossedAtMs, direction: row.left_to_right ? "left_to_right" : "right_to_left" },
    path: row.path && row.path.map(([atMs, x, y]) => [atMs, x / SCALE, y / SCALE]),
  };
}
