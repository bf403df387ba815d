// What is known of segments without opening them: their names, the stretches and gaps that they make, what goes first.
import {
  RECORDING_GAP_MS,
  RECORDING_GAP_REASONS,
  type RecordingGap,
  type RecordingGapReason,
  type RecordingPolicy,
  type RecordingState,
  type VideoCodec,
} from "@huishi/contracts";

/** A closed segment of one stream. Its name holds all of this, so that the folder is the index. */
export interface Segment {
  readonly sequence: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** Of the file. */
  readonly bytes: number;
  /** Why there is a gap before it; null when it follows on the one before. */
  readonly gap: RecordingGapReason | null;
}

const CLOSED = /^(\d{10})-(\d{1,16})-(\d{1,16})-(\d{1,16})-([a-z_]+)\.seg$/;
const OPEN = /^(\d{10})-([a-z_]+)-(h264|h265)\.open$/;
const reasonOf = (text: string): RecordingGapReason | null =>
  RECORDING_GAP_REASONS.find((known) => known === text) ?? null;

export function segmentName({ sequence, fromMs, toMs, bytes, gap }: Segment): string {
  return `${String(sequence).padStart(10, "0")}-${fromMs}-${toMs}-${bytes}-${gap ?? "none"}.seg`;
}

export function parseSegmentName(name: string): Segment | null {
  const [, sequence, fromMs, toMs, bytes, gap = ""] = CLOSED.exec(name) ?? [];
  if (sequence === undefined) return null;
  return {
    sequence: Number(sequence),
    fromMs: Number(fromMs),
    toMs: Number(toMs),
    bytes: Number(bytes),
    gap: reasonOf(gap),
  };
}

/** What a segment that is being written says in its name. */
export interface OpenSegment extends Pick<Segment, "sequence" | "gap"> {
  readonly codec: VideoCodec;
}

export const openName = ({ sequence, gap, codec }: OpenSegment): string =>
  `${String(sequence).padStart(10, "0")}-${gap ?? "none"}-${codec}.open`;

export function parseOpenName(name: string): OpenSegment | null {
  const [, sequence, gap = "", codec] = OPEN.exec(name) ?? [];
  if (sequence === undefined) return null;
  return { sequence: Number(sequence), gap: reasonOf(gap), codec: codec === "h265" ? "h265" : "h264" };
}

export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
  readonly bytes: number;
}

/** What is recorded of a range, and what is missing between its first and its last picture. In order of sequence. */
export function stretchesOf(
  segments: readonly Segment[],
  range: { readonly fromMs: number; readonly toMs: number },
): { stretches: Stretch[]; gaps: RecordingGap[] } {
  const stretches: Stretch[] = [];
  const gaps: RecordingGap[] = [];
  for (const segment of segments) {
    if (segment.toMs < range.fromMs || segment.fromMs > range.toMs) continue;
    const last = stretches.at(-1);
    const missingMs = last ? segment.fromMs - last.toMs : 0;
    if (last && missingMs <= RECORDING_GAP_MS) {
      const toMs = Math.max(last.toMs, segment.toMs);
      stretches[stretches.length - 1] = { ...last, toMs, bytes: last.bytes + segment.bytes };
      continue;
    }
    if (last) {
      // Without a word of its own, what lay between was removed or cannot be read.
      gaps.push({ fromMs: last.toMs, toMs: segment.fromMs, reason: segment.gap ?? "damaged" });
    }
    stretches.push({ fromMs: segment.fromMs, toMs: segment.toMs, bytes: segment.bytes });
  }
  return { stretches, gaps };
}

const RATE_WINDOW_MS = 3_600_000;

/** @param room bytes that the disk still has for recordings, beside what they hold */
export function recordingState(
  segments: Iterable<Segment>,
  policy: RecordingPolicy,
  now: { readonly nowMs: number; readonly room: number },
): RecordingState {
  let bytes = 0;
  let oldestMs = Infinity;
  let recentBytes = 0;
  let recentFromMs = Infinity;
  let recentToMs = 0;
  for (const segment of segments) {
    bytes += segment.bytes;
    oldestMs = Math.min(oldestMs, segment.fromMs);
    if (segment.toMs < now.nowMs - RATE_WINDOW_MS) continue;
    recentBytes += segment.bytes;
    recentFromMs = Math.min(recentFromMs, segment.fromMs);
    recentToMs = Math.max(recentToMs, segment.toMs);
  }
  const state = { bytes, maxBytes: policy.maxBytes, ...(bytes > 0 ? { oldestMs } : {}) };
  const spanMs = recentToMs - recentFromMs;
  if (recentBytes === 0 || spanMs <= 0) return state;
  const capacity = Math.min(policy.maxBytes, bytes + now.room);
  const heldMs = Math.round((capacity / recentBytes) * spanMs);
  const expectedMs = Math.min(heldMs, policy.maxAgeMs ?? Infinity);
  return { ...state, expectedMs, shortfallMs: Math.max(0, (policy.minAgeMs ?? 0) - expectedMs) };
}
