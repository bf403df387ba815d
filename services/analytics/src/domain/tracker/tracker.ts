import type { Box } from "@huishi/kernel";
import type { Detection } from "../detection.ts";
import type { TrackerUpdate } from "./track.ts";

export interface TrackerOptions {
  /** Id of the first track; ids count up from here and are never reused. */
  readonly firstTrackId: number;
  /** Picture width / height, so that distances are the same in both directions. Default 16/9. */
  readonly aspectRatio?: number;
}

/** Multi-object tracker: pure, deterministic, driven by capture time. */
export declare class Tracker {
  constructor(options: TrackerOptions);
  /**
   * Takes the detections of one frame.
   * @param observedRegions the parts of the picture that were inspected, normalised; absent = the whole picture.
   * A track outside of them is carried on, not counted as missed.
   */
  update(
    detections: readonly Detection[],
    capturedAtMs: number,
    observedRegions?: readonly Box[],
  ): TrackerUpdate;
  /** The id that the next new track would get. */
  get nextTrackId(): number;
}
