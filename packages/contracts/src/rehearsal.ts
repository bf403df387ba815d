import { type Static, Type } from "typebox";
import { BoxSchema, EpochMs, Fraction, Id, ObjectClassSchema, PointSchema } from "./common.ts";
import { TrackId } from "./paging.ts";
import { ruleSettings, ZoneKindSchema } from "./rules.ts";

/**
 * A rehearsal runs a rule over what was perceived before, or over an uploaded clip, and tells what it would have raised.
 * It raises nothing, tells nobody and writes no alarm.
 */

/** Longest range of stored tracks. */
export const MAX_REHEARSAL_MS = 7 * 86_400_000;
/** Alarms of one result at most; more are counted, not listed. */
export const MAX_REHEARSAL_ALARMS = 500;
/** Of an uploaded clip. */
export const MAX_REHEARSAL_CLIP_BYTES = 256 * 1024 * 1024;
/** Longest clip. */
export const MAX_REHEARSAL_CLIP_MS = 3_600_000;
/** A clip is sent in chunks of this length; only its last one is shorter. */
export const REHEARSAL_CHUNK_BYTES = 1024 * 1024;
/** A clip is deleted this long after its upload began. */
export const REHEARSAL_CLIP_KEPT_MS = 86_400_000;
/** A rehearsal is deleted this long after it was asked for. */
export const REHEARSAL_KEPT_MS = 7 * 86_400_000;

/** Announces a clip: its chunks are then sent in any order (`PUT /rehearsals/clips/{id}/chunks/{no}`). */
export const RehearsalClipCreateBody = Type.Object(
  { cameraId: Id, bytes: Type.Integer({ minimum: 1, maximum: MAX_REHEARSAL_CLIP_BYTES }) },
  { additionalProperties: false },
);
export type RehearsalClipCreateBody = Static<typeof RehearsalClipCreateBody>;

export const RehearsalClipSchema = Type.Object(
  {
    id: Id,
    cameraId: Id,
    bytes: Type.Integer({ minimum: 1 }),
    /** Length of each chunk but the last. */
    chunkBytes: Type.Integer({ minimum: 1 }),
    /** How many there are: numbers 0 up to this. */
    chunks: Type.Integer({ minimum: 1 }),
    /** How many came. */
    received: Type.Integer({ minimum: 0 }),
    complete: Type.Boolean(),
    expiresAtMs: EpochMs,
  },
  { additionalProperties: false },
);
export type RehearsalClip = Static<typeof RehearsalClipSchema>;

/** What is rehearsed: a zone as it is drawn and a rule as it is set, both need not be saved. */
export const RehearsalSubjectSchema = Type.Object(
  {
    zone: Type.Object(
      { kind: ZoneKindSchema, points: Type.Array(PointSchema, { minItems: 2, maxItems: 32 }) },
      { additionalProperties: false },
    ),
    rule: Type.Object(ruleSettings, { additionalProperties: false }),
  },
  { additionalProperties: false },
);
export type RehearsalSubject = Static<typeof RehearsalSubjectSchema>;

/** Stored tracks of the camera, or a clip that was uploaded for it (`POST /rehearsals/clips`). */
export const RehearsalSourceSchema = Type.Union([
  Type.Object(
    { kind: Type.Literal("tracks"), fromMs: EpochMs, toMs: EpochMs },
    { additionalProperties: false },
  ),
  Type.Object({ kind: Type.Literal("clip"), clipId: Id }, { additionalProperties: false }),
]);
export type RehearsalSource = Static<typeof RehearsalSourceSchema>;

export const RehearsalCreateBody = Type.Object(
  {
    cameraId: Id,
    subject: RehearsalSubjectSchema,
    /** What it is compared with: the rule as it stands, to see what a changed threshold changes. */
    baseline: Type.Optional(RehearsalSubjectSchema),
    source: RehearsalSourceSchema,
  },
  { additionalProperties: false },
);
export type RehearsalCreateBody = Static<typeof RehearsalCreateBody>;

/** An alarm that would have been raised. */
export const RehearsedAlarmSchema = Type.Object(
  {
    /** Of the clip: milliseconds since its begin, as an epoch. */
    capturedAtMs: EpochMs,
    startedAtMs: EpochMs,
    /** When the condition was over; null: it held to the end, or a moment (line crossings). */
    clearedAtMs: Type.Union([EpochMs, Type.Null()]),
    occurrences: Type.Integer({ minimum: 1 }),
    objectClass: ObjectClassSchema,
    score: Fraction,
    box: BoxSchema,
    trackIds: Type.Array(TrackId, { maxItems: 100 }),
    /** Against the baseline: raised by both, only by the subject, only by the baseline. */
    compared: Type.Enum(["both", "added", "removed"]),
  },
  { additionalProperties: false },
);
export type RehearsedAlarm = Static<typeof RehearsedAlarmSchema>;

export const REHEARSAL_STATES = ["waiting", "running", "done", "failed", "cancelled"] as const;
export type RehearsalState = (typeof REHEARSAL_STATES)[number];

export const RehearsalSchema = Type.Object(
  {
    id: Id,
    cameraId: Id,
    state: Type.Enum(REHEARSAL_STATES),
    /** 0..1. */
    progress: Fraction,
    createdAtMs: EpochMs,
    subject: RehearsalSubjectSchema,
    baseline: Type.Union([RehearsalSubjectSchema, Type.Null()]),
    source: RehearsalSourceSchema,
    /** When `failed`: what was wrong and what to do. */
    error: Type.Union([
      Type.Object({ code: Type.String(), message: Type.String() }, { additionalProperties: false }),
      Type.Null(),
    ]),
    result: Type.Union([
      Type.Object(
        {
          /** What was looked at: frames, tracks, and for how long pictures were (time without any is left out). */
          frames: Type.Integer({ minimum: 0 }),
          tracks: Type.Integer({ minimum: 0 }),
          coveredMs: Type.Integer({ minimum: 0 }),
          raised: Type.Integer({ minimum: 0 }),
          /** null without a baseline. */
          baselineRaised: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
          /** Against the baseline: only the subject raised, only the baseline raised; null without one. */
          added: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
          removed: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
          /** First and past the last moment that was rehearsed; of a clip: since its begin. */
          fromMs: EpochMs,
          toMs: EpochMs,
          /** When pictures were looked at, in order; short gaps are left out. */
          looked: Type.Array(
            Type.Object({ fromMs: EpochMs, toMs: EpochMs }, { additionalProperties: false }),
            { maxItems: 500 },
          ),
          /** In order of time, at most MAX_REHEARSAL_ALARMS. */
          alarms: Type.Array(RehearsedAlarmSchema, { maxItems: MAX_REHEARSAL_ALARMS }),
        },
        { additionalProperties: false },
      ),
      Type.Null(),
    ]),
  },
  { additionalProperties: false },
);
export type Rehearsal = Static<typeof RehearsalSchema>;

export const RehearsalList = Type.Object(
  { rehearsals: Type.Array(RehearsalSchema, { maxItems: 50 }) },
  { additionalProperties: false },
);
export type RehearsalResult = NonNullable<Rehearsal["result"]>;
