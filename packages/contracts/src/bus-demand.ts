import { type Static, Type } from "typebox";
import { Id, StreamProfileSchema } from "./common.ts";
import { SamplingSchema } from "./demand.ts";

/** How long what a process wants of the media bus holds without being told again; told at a third of it. */
export const BUS_DEMAND_LEASE_MS = 9_000;
/** Streams in one message: some 100 KB, well below what a NATS server takes (1 MiB). */
export const MAX_BUS_DEMAND_STREAMS = 1_000;

/**
 * What one process wants of a media bus that crosses processes: its whole list, in parts. It holds until the next
 * list is complete or the lease ends; an empty list ends it at once.
 */
export const BusDemandSchema = Type.Object(
  {
    v: Type.Literal(1),
    /** Of one start of one process. */
    member: Type.String({ pattern: "^[a-z0-9-]{1,64}$" }),
    part: Type.Integer({ minimum: 0, maximum: 999 }),
    parts: Type.Integer({ minimum: 1, maximum: 1_000 }),
    streams: Type.Array(
      Type.Object(
        { cameraId: Id, profile: StreamProfileSchema, sampling: SamplingSchema },
        { additionalProperties: false },
      ),
      { maxItems: MAX_BUS_DEMAND_STREAMS },
    ),
  },
  { additionalProperties: false },
);
export type BusDemand = Static<typeof BusDemandSchema>;
