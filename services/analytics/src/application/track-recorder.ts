import { footPoint } from "@huishi/kernel";
import type { Track } from "../domain/index.ts";
import { classCode, type PathPoint, scaled, type TrackRow } from "./records.ts";

export const MAX_PATH_POINTS = 64;
/** A living track's row is written this often, so that a crash costs a minute at most. */
const WRITE_EVERY_MS = 60_000;

interface Recording {
  track: Track;
  path: PathPoint[];
  /** Every how many observations a point is kept; doubles when the path is full. */
  stride: number;
  sinceLastPoint: number;
  writtenAtMs: number;
}

/** Keeps the path of every living track of one camera, thinned to 64 points, and says which rows are due. */
export class TrackRecorder {
  readonly #cameraNo: number;
  readonly #recordings = new Map<number, Recording>();

  constructor(cameraNo: number) {
    this.#cameraNo = cameraNo;
  }

  /** Takes one frame. Returns the rows of ended tracks and of those not written for a minute. */
  update(tracks: readonly Track[], ended: readonly Track[], capturedAtMs: number): TrackRow[] {
    const due: TrackRow[] = [];
    for (const track of tracks) {
      const recording = this.#record(track, capturedAtMs);
      if (capturedAtMs - recording.writtenAtMs < WRITE_EVERY_MS) continue;
      recording.writtenAtMs = capturedAtMs;
      due.push(this.#row(recording, false));
    }
    for (const track of ended) {
      const recording = this.#recordings.get(track.id);
      if (!recording) continue;
      this.#recordings.delete(track.id);
      due.push(this.#row({ ...recording, track }, true));
    }
    return due;
  }

  /** Ends every living track: rows as they stand. */
  finish(): TrackRow[] {
    const rows = [...this.#recordings.values()].map((recording) => this.#row(recording, true));
    this.#recordings.clear();
    return rows;
  }

  #record(track: Track, capturedAtMs: number): Recording {
    let recording = this.#recordings.get(track.id);
    if (!recording) {
      recording = { track, path: [], stride: 1, sinceLastPoint: 0, writtenAtMs: capturedAtMs };
      this.#recordings.set(track.id, recording);
    }
    recording.track = track;
    if (!track.observed) return recording;
    if (recording.sinceLastPoint % recording.stride === 0) addPoint(recording, capturedAtMs);
    recording.sinceLastPoint += 1;
    return recording;
  }

  #row({ track, path }: Recording, ended: boolean): TrackRow {
    return {
      id: track.id,
      cameraNo: this.#cameraNo,
      classCode: classCode(track.objectClass),
      firstSeenMs: track.firstSeenMs,
      lastSeenMs: track.lastSeenMs,
      observations: track.observations,
      score: scaled(track.scoreMean),
      path: [...path],
      ended,
    };
  }
}

function addPoint(recording: Recording, capturedAtMs: number): void {
  if (recording.path.length >= MAX_PATH_POINTS) {
    recording.path = recording.path.filter((_, index) => index % 2 === 0);
    recording.stride *= 2;
    recording.sinceLastPoint = 0;
  }
  const foot = footPoint(recording.track.box);
  recording.path.push([capturedAtMs - recording.track.firstSeenMs, scaled(foot.x), scaled(foot.y)]);
}
