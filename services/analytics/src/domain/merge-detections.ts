import { type Box, iou } from "@huishi/kernel";
import { sameGroup } from "./class-group.ts";
import type { Detection } from "./detection.ts";
import { LEAST_INPUT_SIDE, type Region, shownSide } from "./regions.ts";

/** What the detector found in one region; the boxes are normalised to that region. */
export interface RegionDetections {
  readonly region: Region;
  readonly detections: readonly Detection[];
  /** The model itself says each object once (DETR-like): within the region none is taken for another. */
  readonly isDistinct?: boolean;
}

interface Candidate {
  readonly detection: Detection;
  readonly regionIndex: number;
  readonly isDistinct: boolean;
  readonly rank: number;
}

/** A box this near to the region's edge (share of its side) is taken to be cut by it... */
const EDGE = 0.015;
/** ...and then dropped, unless it is so large that no crop could have shown it whole. */
const TOO_LARGE = 0.6;
/** A box over this share of its region is the detector's guess at the scene, not an object in it. */
const LARGEST_SHARE = 0.65;
/** A crop's box is better placed than the whole frame's: it is preferred unless its score is so much lower. */
const CLOSER_LOOK = 0.2;
const SAME_IOU = 0.5;
/** Between regions the same object may be seen in part: this share of the smaller box inside the other one. */
const SAME_SHARE = 0.7;

/**
 * Brings the detections of several overlapping regions into the whole picture's coordinates and keeps one for
 * each object. Those cut by an inner edge of their region are dropped: an object worth a look has a region of
 * its own around it, and half a person would mislead the tracker. So are those too small in the detector's input
 * (a square of `inputSide` pixels) to be trusted, and those that fill their region.
 */
export function mergeRegionDetections(
  inspected: readonly RegionDetections[],
  frame: { readonly width: number; readonly height: number },
  inputSide = 300,
): Detection[] {
  const candidates = inspected
    .flatMap(({ region, detections, isDistinct = false }, regionIndex) =>
      detections
        .filter(
          ({ box }) =>
            !isCut(box, region, frame) && !isTiny(box, region, inputSide) && box.w * box.h < LARGEST_SHARE,
        )
        .map((detection): Candidate => {
          const rank = detection.score + (region.kind === "crop" ? CLOSER_LOOK : 0);
          return { detection: inFrame(detection, region, frame), regionIndex, isDistinct, rank };
        }),
    )
    .sort((a, b) => b.rank - a.rank);
  const kept: Candidate[] = [];
  for (const candidate of candidates) if (!kept.some((one) => isSame(one, candidate))) kept.push(candidate);
  return kept.map(({ detection }) => detection);
}

function isCut(
  box: Box,
  region: Region,
  frame: { readonly width: number; readonly height: number },
): boolean {
  const acrossCut =
    (box.x < EDGE && region.x > 0) || (box.x + box.w > 1 - EDGE && region.x + region.w < frame.width);
  const downCut =
    (box.y < EDGE && region.y > 0) || (box.y + box.h > 1 - EDGE && region.y + region.h < frame.height);
  return (acrossCut && box.w < TOO_LARGE) || (downCut && box.h < TOO_LARGE);
}

function isTiny(box: Box, region: Region, inputSide: number): boolean {
  return (Math.max(box.w * region.w, box.h * region.h) / shownSide(region)) * inputSide < LEAST_INPUT_SIDE;
}

function inFrame(
  detection: Detection,
  region: Region,
  frame: { readonly width: number; readonly height: number },
): Detection {
  const { box } = detection;
  return {
    ...detection,
    box: {
      x: (region.x + box.x * region.w) / frame.width,
      y: (region.y + box.y * region.h) / frame.height,
      w: (box.w * region.w) / frame.width,
      h: (box.h * region.h) / frame.height,
    },
  };
}

function isSame(a: Candidate, b: Candidate): boolean {
  if (!sameGroup(a.detection.objectClass, b.detection.objectClass)) return false;
  if (a.regionIndex === b.regionIndex && a.isDistinct) return false;
  const overlap = iou(a.detection.box, b.detection.box);
  if (overlap > SAME_IOU) return true;
  return a.regionIndex !== b.regionIndex && shareOfSmaller(a.detection.box, b.detection.box) > SAME_SHARE;
}

function shareOfSmaller(a: Box, b: Box): number {
  const w = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const h = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / Math.min(a.w * a.h, b.w * b.h);
}
