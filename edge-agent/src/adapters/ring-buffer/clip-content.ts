// A clip: whole groups of a range, with what was signed when they were written.
import {
  type ClipManifest,
  MAX_CLIP_MANIFEST_BYTES,
  MAX_UPLOAD_BYTES,
  type RecordingGap,
  RECORDING_GAP_MS,
  type SegmentGroup,
  type SignedText,
} from "@huishi/contracts";
import { createHash, type Hash } from "node:crypto";
import type { PreparedClip, RecordingRange } from "../../application/recording.ts";
import { EdgeError } from "../../domain/faults.ts";
import type { Segment } from "../../domain/recording-segments.ts";
import { readManifest, readSegment, type TrackIdentity } from "./segment-file.ts";

interface Piece {
  readonly file: string;
  readonly from: number;
  readonly group: SegmentGroup;
  readonly index: number;
}

interface Part {
  readonly signed: SignedText;
  readonly codec: ClipManifest["codec"];
  readonly gap: Segment["gap"];
  readonly pieces: Piece[];
}

/** @throws EdgeError RECORDING_NONE, RECORDING_RANGE */
export async function prepareClip(options: {
  readonly range: RecordingRange;
  readonly segments: readonly Segment[];
  readonly fileOf: (segment: Segment) => string;
  readonly identity: TrackIdentity;
  readonly release: () => void;
  readonly signal: AbortSignal;
}): Promise<PreparedClip> {
  const { range, segments, fileOf, identity, signal } = options;
  const gaps: RecordingGap[] = [];
  const whole = { hash: createHash("sha256") };
  const parts: Part[] = [];
  for (const segment of segments) {
    signal.throwIfAborted();
    const before = whole.hash;
    const part = await sound(segment, fileOf(segment), range, whole);
    // A clip is of one codec: what follows a change is asked for by itself.
    if (part && parts[0] && part.codec !== parts[0].codec) {
      whole.hash = before;
      break;
    }
    if (part && part.pieces.length > 0) parts.push(part);
  }
  const first = parts[0];
  if (!first) throw new EdgeError("RECORDING_NONE", "nothing is recorded of this time");
  const pieces = parts.flatMap((part) => part.pieces);
  noteGaps(parts, gaps);
  const { agentId, signer } = identity;
  const fromMs = (pieces[0] as Piece).group.fromMs;
  const toMs = (pieces.at(-1) as Piece).group.toMs;
  const bytes = pieces.reduce((sum, piece) => sum + piece.group.bytes, 0);
  const manifest: ClipManifest = {
    v: 1,
    agentId,
    keyId: signer.keyId,
    cameraId: range.cameraId,
    profile: range.profile,
    codec: first.codec,
    fromMs,
    toMs,
    asked: { fromMs: range.fromMs, toMs: range.toMs },
    gaps,
    segments: parts.map((part) => ({ manifest: part.signed, groups: part.pieces.map(({ index }) => index) })),
    bytes,
    sha256: whole.hash.digest("hex"),
  };
  const signed = signText(identity, JSON.stringify(manifest));
  const head = contentHead(signed);
  const total = head.byteLength + bytes;
  if (head.byteLength > MAX_CLIP_MANIFEST_BYTES || total > MAX_UPLOAD_BYTES)
    throw new EdgeError("RECORDING_RANGE", "the clip is larger than one upload may be");
  return {
    signed,
    fromMs,
    toMs,
    gaps,
    bytes: total,
    chunks: (fromByte) => content(head, pieces, fromByte),
    release: options.release,
  };
}

function signText({ signer }: TrackIdentity, text: string): SignedText {
  return { text, signature: Buffer.from(signer.sign(text)).toString("base64url") };
}

function contentHead(signed: SignedText): Buffer {
  const json = Buffer.from(JSON.stringify(signed));
  const length = Buffer.alloc(4);
  length.writeUInt32BE(json.byteLength);
  return Buffer.concat([length, json]);
}

/** The groups of a segment that lie in the range and are what was written. */
async function sound(
  segment: Segment,
  file: string,
  range: RecordingRange,
  whole: { hash: Hash },
): Promise<Part | null> {
  const read = await readManifest(file);
  if (!read) return null;
  const { manifest, signed } = read;
  const pieces: Piece[] = [];
  let at = 0;
  for (const [index, group] of manifest.groups.entries()) {
    const from = at;
    at += group.bytes;
    // A group's pictures are shown until the next one begins.
    const endMs = manifest.groups[index + 1]?.fromMs ?? group.toMs;
    if (Math.max(endMs, group.toMs) < range.fromMs || group.fromMs > range.toMs) continue;
    const next = await hashedWith(file, from, group, whole.hash);
    if (!next) continue;
    whole.hash = next;
    pieces.push({ file, from, group, index });
  }
  return { signed, codec: manifest.codec, gap: segment.gap, pieces };
}

/** @returns the hash of the whole with this group in it, or null when the group is not what was written */
async function hashedWith(
  file: string,
  from: number,
  group: SegmentGroup,
  whole: Hash,
): Promise<Hash | null> {
  const hash = createHash("sha256");
  const next = whole.copy();
  for await (const chunk of readSegment(file, from, from + group.bytes)) {
    hash.update(chunk);
    next.update(chunk);
  }
  return hash.digest("hex") === group.sha256 ? next : null;
}

function noteGaps(parts: readonly Part[], gaps: RecordingGap[]): void {
  let before: Piece | null = null;
  for (const part of parts) {
    for (const [i, piece] of part.pieces.entries()) {
      const missingMs = before ? piece.group.fromMs - before.group.toMs : 0;
      // Within a segment groups follow one another: one that is not here was damaged, however short it was.
      const isLeftOut = i > 0 && piece.index !== (before?.index ?? 0) + 1;
      if (before && (isLeftOut || missingMs > RECORDING_GAP_MS)) {
        const reason = i === 0 ? (part.gap ?? "damaged") : "damaged";
        gaps.push({ fromMs: before.group.toMs, toMs: piece.group.fromMs, reason });
      }
      before = piece;
    }
  }
}

async function* content(
  head: Buffer,
  pieces: readonly Piece[],
  fromByte: number,
): AsyncGenerator<Uint8Array> {
  if (fromByte < head.byteLength) yield head.subarray(fromByte);
  let at = head.byteLength;
  for (const { file, from, group } of pieces) {
    const skip = Math.max(0, fromByte - at);
    at += group.bytes;
    if (skip < group.bytes) yield* readSegment(file, from + skip, from + group.bytes);
  }
}
