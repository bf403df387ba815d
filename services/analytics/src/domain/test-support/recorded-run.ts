import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import type { StoredFrame, TrackHistory } from "../index.ts";
import type { InspectedRegion } from "../regions.ts";
import type { Track } from "../tracker/track.ts";
import { Tracker } from "../tracker/tracker.ts";

interface LiveFrame {
  readonly capturedAtMs: number;
  readonly tracks: readonly Track[];
}

/** What the live tracker said, and what the store keeps of it. */
export interface RecordedRun {
  readonly live: readonly LiveFrame[];
  readonly stored: readonly StoredFrame[];
  readonly histories: ReadonlyMap<number, TrackHistory>;
}

export interface InputFrame {
  readonly capturedAtMs: number;
  readonly detections: readonly Detection[];
  readonly inspected?: readonly InspectedRegion[];
}

/** Runs the tracker and keeps what the recorder keeps: believed tracks that a frame saw, in ten-thousandths. */
export function recordRun(frames: readonly InputFrame[], aspectRatio = 16 / 9): RecordedRun {
  const tracker = new Tracker({ firstTrackId: 1, aspectRatio });
  const histories = new Map<number, TrackHistory>();
  const live: LiveFrame[] = [];
  const stored: StoredFrame[] = [];
  for (const { capturedAtMs, detections, inspected } of frames) {
    const { tracks, ended } = tracker.update(detections, capturedAtMs, inspected);
    const believed = tracks.filter((track) => track.state !== "tentative");
    live.push({ capturedAtMs, tracks: believed });
    for (const { id, firstSeenMs, lastSeenMs } of [...believed, ...ended])
      histories.set(id, { firstSeenMs, lastSeenMs });
    const sightings = believed
      .filter((track) => track.observed)
      .map((track) => ({
        trackId: track.id,
        objectClass: track.objectClass,
        score: rounded(track.lastScore),
        box: roundedBox(track.box),
      }));
    if (sightings.length > 0) stored.push({ capturedAtMs, sightings });
  }
  return { live, stored, histories };
}

function roundedBox({ x, y, w, h }: Box): Box {
  return { x: rounded(x), y: rounded(y), w: rounded(w), h: rounded(h) };
}

function rounded(fraction: number): number {
  return Math.round(Math.min(Math.max(fraction, 0), 1) * 10_000) / 10_000;
}
