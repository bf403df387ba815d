// What agents send on request beside clips.
import { type Static, Type } from "typebox";
import { EpochMs, Id } from "./common.ts";

const closed = { additionalProperties: false } as const;

export const UPLOAD_KINDS = ["logs", "snapshot"] as const;
export type UploadKind = (typeof UPLOAD_KINDS)[number];
/** Of the agent's text; it is sent packed. */
export const MAX_LOGS_BYTES = 16 * 1024 * 1024;

export const AgentUploadSchema = Type.Object(
  {
    id: Id,
    agentId: Id,
    cameraId: Type.Union([Id, Type.Null()]),
    kind: Type.Enum(UPLOAD_KINDS),
    requestedBy: Type.String(),
    purpose: Type.Union([Type.String(), Type.Null()]),
    state: Type.Enum(["sent", "receiving", "ready", "failed"]),
    /** Of what has come. */
    bytes: Type.Integer({ minimum: 0 }),
    sha256: Type.Union([Type.String(), Type.Null()]),
    /** Why it failed. */
    code: Type.Union([Type.String(), Type.Null()]),
    message: Type.Union([Type.String(), Type.Null()]),
    createdMs: EpochMs,
    finishedMs: Type.Union([EpochMs, Type.Null()]),
  },
  closed,
);
export type AgentUpload = Static<typeof AgentUploadSchema>;

/** The newest lines of the agent's log, at most `maxBytes` of text; default 4 MiB. */
export const LogsRequest = Type.Object(
  { maxBytes: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_LOGS_BYTES })) },
  closed,
);
/** Why somebody wants to see it: stands in the record of looks. */
export const SnapshotRequest = Type.Object(
  { purpose: Type.String({ minLength: 3, maxLength: 200, pattern: "\\S" }) },
  closed,
);

/** The agent's own numbers, by `name{label="value"}` as Prometheus writes them. */
export const AgentMetricsSchema = Type.Object(
  {
    /** Agent clock. */
    atMs: EpochMs,
    numbers: Type.Record(Type.String({ maxLength: 512 }), Type.Number()),
    /** Numbers that there was no room for. */
    leftOut: Type.Integer({ minimum: 0 }),
  },
  closed,
);
export type AgentMetrics = Static<typeof AgentMetricsSchema>;
