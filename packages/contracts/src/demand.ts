import { type Static, Type } from "typebox";
import { EpochMs, StreamProfileSchema } from "./common.ts";

/** How long a demand holds without renewal; consumers renew at a third of it. */
export const DEMAND_LEASE_MS = 30_000;
/** How long a source goes on after its last demand ended, so that a flick between tiles costs no reconnect. */
export const DEMAND_LINGER_MS = 5_000;

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
        { profile: StreamProfileSchema, leaseMs: Type.Integer({ minimum: 0, maximum: 600_000 }) },
        { additionalProperties: false },
      ),
      { maxItems: 2 },
    ),
  },
  { additionalProperties: false },
);
export type MediaDemand = Static<typeof MediaDemandSchema>;
