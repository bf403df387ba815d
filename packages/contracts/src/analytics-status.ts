/** What every analytics process says of itself, and the answer of `GET /api/v1/analytics`. */
import { type Static, Type } from "typebox";
import { EpochMs, Id, ObjectClassSchema, StreamProfileSchema } from "./common.ts";
import { SamplingSchema } from "./demand.ts";

/**
 * Where the time of an analysed frame goes, in order. `decode`: from handing an access unit over to having its picture;
 * `queue`: waiting for the detector; `gate`: motion and choice of regions; `detect`: crops and inference; `track`; `rules`:
 * rules and what they mean; `write`: committing a group of rows (not a time a frame: groups hold many).
 */
export const ANALYTICS_STAGES = [
  "decode",
  "queue",
  "gate",
  "detect",
  "track",
  "background",
  "rules",
  "write",
] as const;
export const AnalyticsStageSchema = Type.Enum(ANALYTICS_STAGES);
export type AnalyticsStage = Static<typeof AnalyticsStageSchema>;

/** A process says it anew this often. */
export const ANALYTICS_STATUS_EVERY_MS = 5_000;
/** What is older is of a process that has ended: it is neither shown nor kept. */
export const ANALYTICS_STATUS_KEPT_MS = 60_000;
/** Cameras told of one by one; `cameraCount` counts all. */
export const ANALYTICS_STATUS_MOST_CAMERAS = 1_000;

const Count = Type.Integer({ minimum: 0 });
const Ms = Type.Number({ minimum: 0 });

/** Times of one stage over the last minute or so. */
export const StageTimesSchema = Type.Object(
  { stage: AnalyticsStageSchema, count: Count, meanMs: Ms, p95Ms: Ms },
  { additionalProperties: false },
);
export type StageTimes = Static<typeof StageTimesSchema>;

/** What was lost since the process began, for one reason (snake case: `decoder_behind`, `superseded` ...). */
export const AnalyticsDropSchema = Type.Object(
  { reason: Type.String({ pattern: "^[a-z][a-z0-9_]{0,63}$" }), count: Count },
  { additionalProperties: false },
);
export type AnalyticsDrop = Static<typeof AnalyticsDropSchema>;

/** A rule that cannot do (all of) what it says. */
export const RuleFaultSchema = Type.Object(
  {
    /** Its detector's model never reports the classes in `unknown`. */
    code: Type.Literal("RULE_CLASS_UNKNOWN_TO_MODEL"),
    ruleId: Id,
    unknown: Type.Array(ObjectClassSchema),
    /** None of its classes is known: it can never raise anything. */
    isDeaf: Type.Boolean(),
  },
  { additionalProperties: false },
);
export type RuleFault = Static<typeof RuleFaultSchema>;

export const AnalysedCameraSchema = Type.Object(
  {
    cameraId: Id,
    profile: StreamProfileSchema,
    /** What its rules need of the stream. */
    sampling: SamplingSchema,
    /** False while its process or decoder is being started. */
    isRunning: Type.Boolean(),
    /** Capture time of the last analysed frame; null before the first. */
    lastCapturedAtMs: Type.Union([EpochMs, Type.Null()]),
    framesAnalysed: Count,
    samplesDropped: Count,
    /** Inferences a frame, mean since the start. */
    inferencesPerFrame: Type.Number({ minimum: 0 }),
    /** Mean milliseconds a frame in each stage that it went through, since the start. */
    stageMs: Type.Array(
      Type.Object({ stage: AnalyticsStageSchema, meanMs: Ms }, { additionalProperties: false }),
    ),
    ruleFaults: Type.Optional(Type.Array(RuleFaultSchema)),
  },
  { additionalProperties: false },
);
export type AnalysedCamera = Static<typeof AnalysedCameraSchema>;

export const AnalyticsProcessSchema = Type.Object(
  {
    /** Of this start of the process: another start has another one. */
    instanceId: Type.String({ minLength: 1, maxLength: 128 }),
    host: Type.String({ maxLength: 255 }),
    pid: Count,
    startedAtMs: EpochMs,
    /** When it said this. */
    updatedAtMs: EpochMs,
    cameraCount: Count,
    framesAnalysed: Count,
    /** Over the time since it said so before. */
    framesPerSecond: Type.Number({ minimum: 0 }),
    drops: Type.Array(AnalyticsDropSchema),
    stages: Type.Array(StageTimesSchema),
    /** Of the process that holds rules and writing, 99th percentile over the last interval. */
    eventLoopDelayP99Ms: Ms,
    /** Forked children that run now. */
    inferenceProcesses: Count,
    /** Decoders that run now. */
    decoders: Count,
    /** Resident memory of the process, its inference children and their decoders, shared pages counted in each; null where the system does not tell. */
    residentBytes: Type.Union([Count, Type.Null()]),
    /** Processor time of the same, in cores, over the last interval; null where the system does not tell. */
    coresUsed: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
    cameras: Type.Array(AnalysedCameraSchema, { maxItems: ANALYTICS_STATUS_MOST_CAMERAS }),
  },
  { additionalProperties: false },
);
export type AnalyticsProcess = Static<typeof AnalyticsProcessSchema>;

export const AnalyticsStatusSchema = Type.Object(
  { processes: Type.Array(AnalyticsProcessSchema) },
  { additionalProperties: false },
);
export type AnalyticsStatus = Static<typeof AnalyticsStatusSchema>;
