/** What the page and the worker that holds the socket say to each other. */
import type { Change, SceneFrame, StreamProfile, Watch } from "@huishi/contracts";
import type { MediaSegment, RemuxDrop } from "./remuxer.ts";

export type ToWorker =
  | { readonly t: "start"; readonly url: string }
  | { readonly t: "watch"; readonly watches: readonly Watch[] }
  /** The network is back, or somebody pressed the key: try at once. */
  | { readonly t: "retryNow" }
  | { readonly t: "stop" };

export type ConnectionPhase = "connecting" | "online" | "lost" | "signedOut";

export interface ConnectionState {
  readonly phase: ConnectionPhase;
  /** Attempts since the last success. */
  readonly attempt: number;
  /** Until the next attempt, when one is planned. */
  readonly retryInMs: number | null;
}

export type FromWorker =
  | { readonly t: "connection"; readonly state: ConnectionState }
  | { readonly t: "clock"; readonly offsetMs: number }
  | { readonly t: "welcome"; readonly resumed: boolean }
  | { readonly t: "changes"; readonly changes: readonly Change[] }
  | { readonly t: "scene"; readonly scene: SceneFrame }
  | {
      readonly t: "watching";
      readonly refused: readonly { readonly cameraId: string; readonly code: string }[];
    }
  | {
      readonly t: "segment";
      readonly cameraId: string;
      readonly profile: StreamProfile;
      readonly segment: MediaSegment;
    }
  | {
      readonly t: "dropped";
      readonly cameraId: string;
      readonly profile: StreamProfile;
      readonly reason: RemuxDrop;
    };

/** One string for one stream of one camera. */
export function streamKey(cameraId: string, profile: StreamProfile): string {
  return `${cameraId}/${profile}`;
}
