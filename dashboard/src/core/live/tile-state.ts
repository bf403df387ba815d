/**
 * What a live picture may claim to be. A picture is live only while it is fresh by its capture time; whatever
 * else is known only explains why it is not.
 */
import type { CameraCondition } from "@huishi/contracts";
import type { ConnectionPhase } from "./protocol.ts";

/** Without a frame younger than this a picture is stale (issue: greys out after 3 s). */
const STALE_AFTER_MS = 3_000;
/** From this age on a picture says that it is late. */
const DELAYED_AFTER_MS = 1_200;

export type TileState =
  | "empty"
  | "connecting"
  | "live"
  | "delayed"
  | "stale"
  | "socket_lost"
  | "agent_offline"
  | "camera_offline"
  | "auth_failed"
  | "unreachable"
  | "no_frames"
  | "unsupported"
  | "refused";

export interface TileFacts {
  readonly socket: ConnectionPhase;
  readonly camera: { readonly condition: CameraCondition; readonly agentOnline: boolean } | null;
  /** The frame on the screen, if there ever was one. Times on the server's clock. */
  readonly frame: { readonly capturedAtMs: number; readonly presentedAtMs: number } | null;
  readonly nowMs: number;
  readonly unsupportedCodec: string | null;
  readonly refusedCode: string | null;
}

const CONDITION_STATE: Readonly<Record<Exclude<CameraCondition, "online" | "degraded">, TileState>> = {
  offline: "camera_offline",
  auth_failed: "auth_failed",
  unreachable: "unreachable",
  no_frames: "no_frames",
};

/** Age of the picture: since capture, or since it was put up when the camera's clock runs ahead. */
export function pictureAgeMs(frame: NonNullable<TileFacts["frame"]>, nowMs: number): number {
  return Math.max(nowMs - frame.capturedAtMs, nowMs - frame.presentedAtMs, 0);
}

export function tileState(facts: TileFacts): TileState {
  const { camera, frame } = facts;
  if (!camera) return "empty";
  if (facts.socket === "lost" || facts.socket === "signedOut") return "socket_lost";
  if (facts.refusedCode !== null) return "refused";
  if (facts.unsupportedCodec !== null) return "unsupported";
  const ageMs = frame ? pictureAgeMs(frame, facts.nowMs) : Number.POSITIVE_INFINITY;
  if (ageMs <= STALE_AFTER_MS) return ageMs > DELAYED_AFTER_MS ? "delayed" : "live";
  if (!camera.agentOnline) return "agent_offline";
  // A degraded camera gives pictures: what is wrong with them is told beside the state.
  if (camera.condition !== "online" && camera.condition !== "degraded")
    return CONDITION_STATE[camera.condition];
  return frame ? "stale" : "connecting";
}
