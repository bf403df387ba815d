import type { VideoCodec } from "@huishi/contracts";

/** What a meter counts of one picture. */
export interface MeterUnit {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly keyframe: boolean;
  /** Agent clock. */
  readonly atMs: number;
}

/** What a stream really is, as `camera_measure` tells it; rates a second. */
export interface CameraMeasure {
  readonly codec: VideoCodec;
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  readonly bitRate: number;
  readonly gopMs?: number;
}
