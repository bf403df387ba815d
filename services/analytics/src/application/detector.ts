import type { Box } from "@huishi/kernel";

/** A decoded picture: rows of RGB triples, top row first, no padding. */
export interface RgbFrame {
  /** width * height * 3 bytes. */
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A part of a frame, in pixels. */
export interface Region {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** One object in one frame. */
export interface DetectedObject {
  /** "person", "car", ... as the contracts name them. */
  readonly classId: string;
  /** 0..1. */
  readonly score: number;
  /** As fractions of the whole frame, clipped to it. */
  readonly box: Box;
}

/** Finds objects in pictures. Every adapter passes the same contract suite. */
export interface Detector {
  readonly classes: readonly string[];
  /** Each region is scaled to this many pixels squared: smaller regions show smaller objects. */
  readonly inputSize: number;
  /**
   * Looks at each region and merges what was found: an object that several regions see is one object, and the part
   * of an object that a region's edge cuts off is not a second one.
   *
   * @throws HuishiError DETECTOR_INVALID_OUTPUT when the model gives NaN or infinity
   */
  detect(frame: RgbFrame, regions: readonly Region[]): Promise<DetectedObject[]>;
  /** Resolves after the inference in flight. Later calls of `detect` are refused with DETECTOR_CLOSED. */
  close(): Promise<void>;
}
