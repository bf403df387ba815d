import { type Static, Type } from "typebox";
import { EpochMs, StreamProfileSchema } from "./common.ts";

/** How long a demand holds without renewal; consumers renew at a third of it. */
export const DEMAND_LEASE_MS = 30_000;
/** How long a source goes on after its last demand ended, so that a flick between tiles costs no reconnect. */
export const DEMAND_LINGER_MS = 5_000;

/**
 * Which pictures of a stream are wanted. `keyframes`: keyframes alone. `fps`: about that many a second, for analysis:
 * keyframes alone where they come often enough, else everything that a decoder needs to give them.
 */
export const SamplingSchema = Type.Union([
  Type.Object({ kind: Type.Literal("all") }, { additionalProperties: false }),
  Type.Object({ kind: Type.Literal("keyframes") }, { additionalProperties: false }),
  Type.Object(
    { kind: Type.Literal("fps"), fps: Type.Number({ exclusiveMinimum: 0, maximum: 60 }) },
    { additionalProperties: false },
  ),
]);
export type Sampling = Static<typeof SamplingSchema>;

/** The sampling that satisfies both. */
export function strongerSampling(a: Sampling, b: Sampling): Sampling {
  if (a.kind === "all" || b.kind === "all") return { kind: "all" };
  if (a.kind === "keyframes") return b;
  if (b.kind === "keyframes") return a;
  return a.fps >= b.fps ? a : b;
}

/**
 * Retained command from the centre: which streams of a camera are wanted, until when. An empty list, an
 * expired lease or a cleared retained message all mean: send nothing.
 */
export const MediaDemandSchema = Type.Object(
  {
    v: Type.Literal(1),
    issuedAtMs: EpochMs,
    streams: Type.Array(
      Type.Object(
        {
          profile: StreamProfileSchema,
          leaseMs: Type.Integer({ minimum: 0, maximum: 600_000 }),
          /** Default `all`. */
          sampling: Type.Optional(SamplingSchema),
        },
        { additionalProperties: false },
      ),
      { maxItems: 2 },
    ),
  },
  { additionalProperties: false },
);
export type MediaDemand = Static<typeof MediaDemandSchema>;
