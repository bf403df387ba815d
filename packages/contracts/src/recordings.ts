import { type Static, Type } from "typebox";
import { EpochMs, Id, StreamProfileSchema } from "./common.ts";

/**
 * Recordings at the edge and clips of them.
 *
 * A picture is kept as one record, big endian, in the agent's segments and in a clip's content alike:
 *
 * | offset | size | field |
 * |---|---|---|
 * | 0 | 1 | type: 2 picture, 3 manifest (segments only) |
 * | 1 | 1 | flags: bit 0 keyframe |
 * | 2 | 2 | reserved, 0 |
 * | 4 | 4 | length of the payload |
 * | 8 | 8 | capture time by the agent's clock, milliseconds since the epoch (float64) |
 * | 16 | 8 | presentation time of the camera, milliseconds (float64) |
 * | 24 | 4 | CRC-32 of the 24 bytes before and the payload |
 * | 28 | - | payload: the camera's own access unit, Annex-B |
 *
 * Pictures that begin with a keyframe form a group of at least a second. A segment's manifest holds the SHA-256 of
 * each group's records and the SHA-256 of the manifest before it, and is signed when the segment ends: a clip consists
 * of whole groups, so what was signed at capture can be checked in it.
 *
 * The content of a clip's upload: length of the JSON that follows (uint32), a SignedText whose text is a ClipManifest
 * (JSON), then the picture records.
 */
export const RECORD_HEADER_BYTES = 28;
/** Largest picture that is recorded. */
export const MAX_RECORD_BYTES = 16 * 1024 * 1024;
export const MAX_CLIP_MANIFEST_BYTES = 8 * 1024 * 1024;
/** Longest range of one clip. */
export const MAX_CLIP_MS = 15 * 60_000;
/** Recorded pictures further apart than this have a gap between them. */
export const RECORDING_GAP_MS = 1_500;

const closed = { additionalProperties: false } as const;
const Sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Count = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const CodecSchema = Type.Union([Type.Literal("h264"), Type.Literal("h265")]);

/** `unasked`: nobody wanted a recording then. */
export const RECORDING_GAP_REASONS = ["camera", "agent_down", "disk", "damaged", "unasked"] as const;
export type RecordingGapReason = (typeof RECORDING_GAP_REASONS)[number];

export const RecordingGapSchema = Type.Object(
  { fromMs: EpochMs, toMs: EpochMs, reason: Type.Enum(RECORDING_GAP_REASONS) },
  closed,
);
export type RecordingGap = Static<typeof RecordingGapSchema>;

/** A text as it was signed: Ed25519 over its UTF-8 bytes, base64url. */
export const SignedTextSchema = Type.Object(
  {
    text: Type.String({ maxLength: MAX_CLIP_MANIFEST_BYTES }),
    signature: Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" }),
  },
  closed,
);
export type SignedText = Static<typeof SignedTextSchema>;

export const SegmentManifestSchema = Type.Object(
  {
    v: Type.Literal(1),
    agentId: Id,
    /** First 16 hex digits of the SHA-256 of the signing key. */
    keyId: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    cameraId: Id,
    profile: StreamProfileSchema,
    codec: CodecSchema,
    /** Rises by one a segment of this stream. */
    sequence: Count,
    /** SHA-256 of the text of the manifest before; null for the first one. */
    previous: Type.Union([Sha256, Type.Null()]),
    fromMs: EpochMs,
    toMs: EpochMs,
    /** The agent was cut off while it wrote, and closed it at its next start. */
    torn: Type.Boolean(),
    groups: Type.Array(
      Type.Object({ fromMs: EpochMs, toMs: EpochMs, pictures: Count, bytes: Count, sha256: Sha256 }, closed),
      { maxItems: 10_000 },
    ),
  },
  closed,
);
export type SegmentManifest = Static<typeof SegmentManifestSchema>;
export type SegmentGroup = SegmentManifest["groups"][number];

export const ClipManifestSchema = Type.Object(
  {
    v: Type.Literal(1),
    agentId: Id,
    keyId: Type.String({ pattern: "^[0-9a-f]{16}$" }),
    cameraId: Id,
    profile: StreamProfileSchema,
    codec: CodecSchema,
    /** Of the first and the last picture; the range is cut at groups, outward. */
    fromMs: EpochMs,
    toMs: EpochMs,
    asked: Type.Object({ fromMs: EpochMs, toMs: EpochMs }, closed),
    gaps: Type.Array(RecordingGapSchema, { maxItems: 10_000 }),
    /** Each segment's own signed manifest, and which of its groups are in the clip, in the order of the pictures. */
    segments: Type.Array(
      Type.Object(
        { manifest: SignedTextSchema, groups: Type.Array(Count, { minItems: 1, maxItems: 10_000 }) },
        closed,
      ),
      { minItems: 1, maxItems: 10_000 },
    ),
    /** Of the picture records together. */
    bytes: Count,
    sha256: Sha256,
  },
  closed,
);
export type ClipManifest = Static<typeof ClipManifestSchema>;

/** What the `recordings` command gives. */
export const RecordingListSchema = Type.Object(
  {
    cameraId: Id,
    profile: StreamProfileSchema,
    stretches: Type.Array(Type.Object({ fromMs: EpochMs, toMs: EpochMs, bytes: Count }, closed), {
      maxItems: 400,
    }),
    gaps: Type.Array(RecordingGapSchema, { maxItems: 400 }),
    /** There is more behind the last stretch than one answer holds. */
    more: Type.Boolean(),
  },
  closed,
);
export type RecordingList = Static<typeof RecordingListSchema>;

export const CLIP_STATES = ["wanted", "sent", "receiving", "ready", "failed"] as const;
export type ClipState = (typeof CLIP_STATES)[number];
export const CLIP_SIGNATURES = ["valid", "invalid", "unknown key"] as const;

export const ClipSchema = Type.Object(
  {
    id: Id,
    cameraId: Id,
    profile: StreamProfileSchema,
    fromMs: EpochMs,
    toMs: EpochMs,
    purpose: Type.String(),
    requestedBy: Type.String(),
    state: Type.Enum(CLIP_STATES),
    /** Received so far. */
    bytes: Count,
    sha256: Type.Union([Sha256, Type.Null()]),
    signature: Type.Union([Type.Enum(CLIP_SIGNATURES), Type.Null()]),
    /** What is wrong with it: a stable code, and where. */
    code: Type.Union([Type.String(), Type.Null()]),
    message: Type.Union([Type.String(), Type.Null()]),
    createdMs: EpochMs,
    finishedMs: Type.Union([EpochMs, Type.Null()]),
  },
  closed,
);
export type Clip = Static<typeof ClipSchema>;
export const ClipList = Type.Object({ clips: Type.Array(ClipSchema) }, closed);

export const ClipRequest = Type.Object(
  {
    fromMs: EpochMs,
    toMs: EpochMs,
    profile: StreamProfileSchema,
    /** Why somebody wants to see it: stands in the record of looks. */
    purpose: Type.String({ minLength: 3, maxLength: 200, pattern: "\\S" }),
  },
  closed,
);
export type ClipRequest = Static<typeof ClipRequest>;
export const RecordingsQuery = Type.Object(
  { fromMs: EpochMs, toMs: EpochMs, profile: Type.Optional(StreamProfileSchema) },
  closed,
);
export const ClipMediaQuery = Type.Object(
  { format: Type.Optional(Type.Union([Type.Literal("mp4"), Type.Literal("raw")])) },
  closed,
);
