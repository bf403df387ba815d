import type { StreamProfile } from "./common.ts";
import type { Sampling } from "./demand.ts";
import type { AccessUnit } from "./media-framing.ts";
import type { SceneFrame } from "./socket.ts";

/** Which stream of which camera. */
export interface StreamKey {
  readonly cameraId: string;
  readonly profile: StreamProfile;
}

/** What a subscriber is given. Called synchronously: it must copy or queue (bounded), never wait. */
export type AccessUnitListener = (unit: AccessUnit) => void;
export type SceneListener = (scene: SceneFrame) => void;

/** Streams somebody wants right now; told again when more or less of one is wanted. */
export type DemandListener = (key: StreamKey, wanted: boolean) => void;

/**
 * The way of live pictures and live boxes from ingest to whoever watches or analyses. Best effort: nothing on
 * it is durable. Subscribing IS the demand; the first subscriber of a stream starts its source, the last one
 * that leaves ends it. A new subscriber is first given the current group of pictures, so that it has a
 * picture at once.
 */
export interface MediaBus {
  publish(key: StreamKey, unit: AccessUnit): void;
  /** @param sampling how much of the stream the subscriber needs; it may be given more. Default all. */
  subscribe(key: StreamKey, listener: AccessUnitListener, sampling?: Sampling): () => void;
  /** What satisfies every subscriber of the stream. */
  samplingOf(key: StreamKey): Sampling;
  publishScene(scene: SceneFrame): void;
  subscribeScenes(cameraId: string, listener: SceneListener): () => void;
  /** The streams that have a subscriber now. */
  demands(): readonly StreamKey[];
  onDemand(listener: DemandListener): () => void;
}
