import type { ObjectClass } from "@huishi/contracts";
import type { Detection, Region } from "../domain/index.ts";

/**
 * How a picture's pixels lie. `rgb24`: rows of RGB triples. `i420`: what decoders give, half the bytes: a plane of luma,
 * then blue and red differences of half width and half height (even sides; ITU-R BT.601, limited range).
 */
type PixelLayout = "rgb24" | "i420";

/** A decoded picture, top row first, no padding. */
export interface RgbFrame {
  /** width * height * 3 bytes of RGB, or half as many of I420. */
  readonly data: Uint8Array;
  /** Default `rgb24`. */
  readonly layout?: PixelLayout;
  readonly width: number;
  readonly height: number;
}

/** Finds objects in pictures. Every adapter passes the same contract suite. */
export interface Detector {
  readonly classes: readonly ObjectClass[];
  /** Each region is scaled to this many pixels squared: smaller regions show smaller objects. */
  readonly inputSize: number;
  /**
   * Looks at each region and merges what was found (`mergeRegionDetections`): one detection for each object, normalised
   * to the whole frame.
   *
   * @throws HuishiError DETECTOR_INVALID_OUTPUT when the model gives NaN or infinity
   */
  detect(frame: RgbFrame, regions: readonly Region[]): Promise<Detection[]>;
  /** Resolves after the inference in flight. Later calls of `detect` are refused with DETECTOR_CLOSED. */
  close(): Promise<void>;
}
