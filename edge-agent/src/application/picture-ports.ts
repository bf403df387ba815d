import type { VideoCodec } from "@huishi/contracts";
import type { LumaPicture } from "@huishi/media";

/** One keyframe with its parameter sets, Annex-B. */
export interface Keyframe {
  readonly cameraId: string;
  readonly codec: VideoCodec;
  readonly annexB: Uint8Array;
}

/** Makes small grey pictures of keyframes. */
export interface PictureDecoder {
  /** Null when the keyframe gives no picture, or its place was taken by a newer one of the camera. Never rejects. */
  decode(keyframe: Keyframe): Promise<LumaPicture | null>;
  /** The camera is gone. */
  forget(cameraId: string): void;
}
