import type { VideoCodec } from "@huishi/contracts";
import type { LumaPicture } from "@huishi/media";

/** One keyframe with its parameter sets, Annex-B. */
export interface Keyframe {
  readonly cameraId: string;
  readonly codec: VideoCodec;
  readonly annexB: Uint8Array;
}

/** What a camera usually shows, as it was some time. */
export interface StoredView {
  /** Time of day, see domain/kept-views.ts. */
  readonly slot: number;
  readonly savedAtMs: number;
  readonly bytes: Uint8Array;
}

/** Keeps views over restarts: one a slot and camera. */
export interface ViewStore {
  load(cameraId: string): Promise<readonly StoredView[]>;
  save(cameraId: string, view: StoredView): Promise<void>;
  forget(cameraId: string): Promise<void>;
}

/** Makes small grey pictures of keyframes. */
export interface PictureDecoder {
  /** Null when the keyframe gives no picture, or its place was taken by a newer one of the camera. Never rejects. */
  decode(keyframe: Keyframe): Promise<LumaPicture | null>;
  /** The camera is gone. */
  forget(cameraId: string): void;
}
