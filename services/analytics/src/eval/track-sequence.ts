import { Tracker } from "../domain/index.ts";
import type { MotRow } from "./mot-format.ts";
import { byFrame } from "./sequence.ts";

export interface TrackSequenceOptions {
  /** Pictures a second of the sequence as recorded. */
  readonly fps: number;
  /** Picture in pixels. */
  readonly width: number;
  readonly height: number;
}

/**
 * Runs the tracker over a sequence's detections as it runs over a camera's: frame by frame, and what it shows as
 * present in a frame is that frame's result; nothing is filled in afterwards.
 * @param frames numbers of the frames that were analysed, rising, also those without detections
 */
export function trackSequence(
  detections: readonly MotRow[],
  frames: readonly number[],
  { fps, width, height }: TrackSequenceOptions,
): MotRow[] {
  const tracker = new Tracker({ firstTrackId: 1, aspectRatio: width / height });
  const detected = byFrame(detections);
  const scoreOf = scoresOf(detections);
  return frames.flatMap((frame) => {
    const seen = (detected.get(frame) ?? []).map((row) => ({
      objectClass: "person" as const,
      score: scoreOf(row),
      box: { x: row.x / width, y: row.y / height, w: row.w / width, h: row.h / height },
    }));
    const { tracks } = tracker.update(seen, Math.round((frame * 1000) / fps));
    return tracks
      .filter((track) => track.state === "confirmed")
      .map(({ id, box, lastScore }): MotRow => {
        const { x, y, w, h } = box;
        return { frame, id, x: x * width, y: y * height, w: w * width, h: h * height, confidence: lastScore };
      });
  });
}

/** Some detectors score in numbers of their own, or say -1 for "not told": the best is then 1. */
function scoresOf(detections: readonly MotRow[]): (row: MotRow) => number {
  const best = detections.reduce((most, row) => Math.max(most, row.confidence), -Infinity);
  if (best <= 0) return () => 1;
  return ({ confidence }) => (best > 1 ? confidence / best : confidence);
}
