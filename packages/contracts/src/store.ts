import { type Static, Type } from "typebox";
import { DisplayName, EpochMs, Id } from "./common.ts";

const RowId = Type.String({ pattern: "^[0-9]{1,19}$" });
const Dataset = Type.String({ pattern: "^[a-z][a-z0-9_]{0,62}$" });
const Reason = Type.String({ minLength: 1, maxLength: 500 });

/** `kept` waits for somebody; `requested` waits for ingest; `replayed` was taken; `refused` failed again; `dismissed` by a person. */
export const DEAD_LETTER_STATES = ["kept", "requested", "replayed", "refused", "dismissed"] as const;
export const DeadLetterStateSchema = Type.Enum(DEAD_LETTER_STATES);
export type DeadLetterState = Static<typeof DeadLetterStateSchema>;

/** What an agent sent and the centre could not take. */
export const DeadLetterSchema = Type.Object(
  {
    id: RowId,
    agentId: Type.String(),
    topic: Type.String(),
    /** The boot of the one event that was refused; null: the whole message was. */
    boot: Type.Union([Type.String(), Type.Null()]),
    code: Type.String(),
    reason: Type.String(),
    receivedAtMs: EpochMs,
    /** The message, base64. */
    payload: Type.String(),
    /** True: not all of it was kept, so it cannot be given again. */
    truncated: Type.Boolean(),
    state: DeadLetterStateSchema,
    stateBy: Type.Union([Type.String(), Type.Null()]),
    stateAtMs: Type.Union([EpochMs, Type.Null()]),
    /** What became of its last replay. */
    outcome: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
);
export type DeadLetter = Static<typeof DeadLetterSchema>;
export const DeadLetterQuery = Type.Object(
  {
    state: Type.Optional(DeadLetterStateSchema),
    before: Type.Optional(RowId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  },
  { additionalProperties: false },
);
export const DeadLetterPage = Type.Object(
  { deadLetters: Type.Array(DeadLetterSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { additionalProperties: false },
);

const retention = {
  /** Nothing younger goes. */
  minDays: Type.Integer({ minimum: 0, maximum: 36_500 }),
  /** Everything older goes, unless a legal hold covers it. At least 10: rollups look back that far. */
  maxDays: Type.Integer({ minimum: 1, maximum: 36_500 }),
  /** Why: the law, contract or decision behind the figures. */
  basis: Type.String({ minLength: 1, maxLength: 500 }),
};

/** How long a dataset is kept. */
export const RetentionPolicySchema = Type.Object(
  {
    dataset: Dataset,
    ...retention,
    updatedBy: Type.String(),
    updatedAtMs: EpochMs,
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type RetentionPolicy = Static<typeof RetentionPolicySchema>;
export const RetentionPolicyUpdate = Type.Object(
  { ...retention, version: Type.Integer({ minimum: 1 }) },
  { additionalProperties: false },
);
export const RetentionPolicyList = Type.Object(
  { policies: Type.Array(RetentionPolicySchema) },
  { additionalProperties: false },
);
export const DatasetParams = Type.Object({ dataset: Dataset }, { additionalProperties: false });

const hold = {
  /** null: every dataset. */
  dataset: Type.Union([Dataset, Type.Null()]),
  /** null: every camera. */
  cameraId: Type.Union([Id, Type.Null()]),
  fromMs: EpochMs,
  toMs: EpochMs,
  reason: Reason,
};

/** Rows of that time stay, whatever a policy says, until the hold is released. */
export const LegalHoldSchema = Type.Object(
  {
    id: RowId,
    ...hold,
    placedBy: Type.String(),
    placedAtMs: EpochMs,
    releasedBy: Type.Union([Type.String(), Type.Null()]),
    releasedAtMs: Type.Union([EpochMs, Type.Null()]),
    releaseReason: Type.Union([Type.String(), Type.Null()]),
  },
  { additionalProperties: false },
);
export type LegalHold = Static<typeof LegalHoldSchema>;
export const LegalHoldCreate = Type.Object(hold, { additionalProperties: false });
export const LegalHoldRelease = Type.Object({ reason: Reason }, { additionalProperties: false });
export const LegalHoldQuery = Type.Object(
  {
    /** Released ones too. */
    released: Type.Optional(Type.Boolean({ default: false })),
    before: Type.Optional(RowId),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  },
  { additionalProperties: false },
);
export const LegalHoldPage = Type.Object(
  { legalHolds: Type.Array(LegalHoldSchema), next: Type.Union([Type.String(), Type.Null()]) },
  { additionalProperties: false },
);

/** How the store was made and how much lies in it. */
export const StoreSchema = Type.Object(
  {
    mode: Type.Enum(["tsl", "apache", "plain"]),
    databaseBytes: Type.Integer({ minimum: 0 }),
    series: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          chunkIntervalMs: Type.Integer({ minimum: 1 }),
          chunks: Type.Integer({ minimum: 0 }),
          compressedChunks: Type.Integer({ minimum: 0 }),
          bytes: Type.Integer({ minimum: 0 }),
          /** The planner's estimate; null before the first ANALYZE. */
          rowsEstimate: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
          /** Bounds of the chunks that hold rows. */
          oldestMs: Type.Union([EpochMs, Type.Null()]),
          newestMs: Type.Union([EpochMs, Type.Null()]),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type Store = Static<typeof StoreSchema>;

/** A part of the city: a district, a street, a unit of the grid. */
export const AreaSchema = Type.Object(
  {
    id: Id,
    name: DisplayName,
    /** The area that it lies in. */
    parentId: Type.Union([Id, Type.Null()]),
    version: Type.Integer({ minimum: 1 }),
  },
  { additionalProperties: false },
);
export type Area = Static<typeof AreaSchema>;
export const AreaQuery = Type.Object(
  {
    after: Type.Optional(Id),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 5_000, default: 1_000 })),
  },
  { additionalProperties: false },
);
export const AreaPage = Type.Object(
  { areas: Type.Array(AreaSchema), next: Type.Union([Id, Type.Null()]) },
  { additionalProperties: false },
);
/** Without `version` the area is made; with it, changed. */
export const AreaPut = Type.Object(
  {
    name: DisplayName,
    parentId: Type.Union([Id, Type.Null()]),
    version: Type.Optional(Type.Integer({ minimum: 1 })),
  },
  { additionalProperties: false },
);
