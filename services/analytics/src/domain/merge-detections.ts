import type { Detection } from "./detection.ts";
import type { Region } from "./regions.ts";

/** What the detector found in one region; the boxes are normalised to that region. */
export interface RegionDetections {
  readonly region: Region;
  readonly detections: readonly Detection[];
}

/**
 * Brings the detections of several overlapping regions into the whole picture's coordinates and keeps one for
 * each object: those cut by a region's inner edge give way to whole ones, then class-aware suppression.
 */
export declare function mergeRegionDetections(
  inspected: readonly RegionDetections[],
  frame: { readonly width: number; readonly height: number },
): Detection[];
