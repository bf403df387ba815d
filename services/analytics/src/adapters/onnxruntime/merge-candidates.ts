/** Non-maximum suppression over all regions of a frame, with care for objects that a region's edge cut in two. */
import { type Box, iou } from "@huishi/kernel";
import type { DetectedObject, Region } from "../../application/detector.ts";
import type { Candidate } from "./ssd-decoder.ts";

/** Two boxes of one class that overlap more than this are one object. */
const SAME_CLASS_IOU = 0.5;
/** Road vehicles are easily taken for each other; two of them this close are one vehicle, whatever they are called. */
const VEHICLE_IOU = 0.7;
/** A box cut off by its region's edge is a part of another box when this share of it lies inside. */
const PART_SHARE = 0.65;
/** How near to the region's edge (as a share of the region) a box counts as cut off. */
const EDGE_MARGIN = 0.02;

const roadVehicles = new Set(["car", "truck", "bus", "train"]);

export interface RegionCandidates {
  readonly region: Region;
  readonly candidates: readonly Candidate[];
}

export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

interface Placed extends DetectedObject {
  readonly cut: boolean;
}

/** Brings candidates from their regions into the frame and keeps one for each object, best score first. */
export function mergeCandidates(
  found: readonly RegionCandidates[],
  classes: readonly string[],
  frame: FrameSize,
): DetectedObject[] {
  const placed = found.flatMap(({ region, candidates }) =>
    candidates.map((candidate) => place(candidate, region, classes, frame)),
  );
  // Whole objects first: a part, however sure the model is of it, must not suppress the whole.
  placed.sort((a, b) => Number(a.cut) - Number(b.cut) || b.score - a.score);
  const kept: Placed[] = [];
  for (const one of placed) {
    if (one.box.w > 0 && one.box.h > 0 && !kept.some((other) => isSameObject(one, other))) kept.push(one);
  }
  return kept.sort((a, b) => b.score - a.score).map(({ classId, score, box }) => ({ classId, score, box }));
}

function isSameObject(one: Placed, kept: Placed): boolean {
  const overlap = iou(one.box, kept.box);
  if (one.classId !== kept.classId)
    return roadVehicles.has(one.classId) && roadVehicles.has(kept.classId) && overlap > VEHICLE_IOU;
  return overlap > SAME_CLASS_IOU || (one.cut && insideShare(one.box, kept.box) > PART_SHARE);
}

function place(candidate: Candidate, region: Region, classes: readonly string[], frame: FrameSize): Placed {
  const { box } = candidate;
  const left = box.x <= EDGE_MARGIN && region.x > 0;
  const top = box.y <= EDGE_MARGIN && region.y > 0;
  const right = box.x + box.w >= 1 - EDGE_MARGIN && region.x + region.w < frame.width;
  const bottom = box.y + box.h >= 1 - EDGE_MARGIN && region.y + region.h < frame.height;
  // What the model imagines beyond the edge of what it saw is not kept.
  const x1 = (region.x + clamp01(box.x) * region.w) / frame.width;
  const y1 = (region.y + clamp01(box.y) * region.h) / frame.height;
  const x2 = (region.x + clamp01(box.x + box.w) * region.w) / frame.width;
  const y2 = (region.y + clamp01(box.y + box.h) * region.h) / frame.height;
  return {
    classId: classes[candidate.classIndex] as string,
    score: candidate.score,
    box: { x: x1, y: y1, w: x2 - x1, h: y2 - y1 },
    cut: left || top || right || bottom,
  };
}

/** The share of `inner` that lies inside `outer`. */
function insideShare(inner: Box, outer: Box): number {
  const w = Math.min(inner.x + inner.w, outer.x + outer.w) - Math.max(inner.x, outer.x);
  const h = Math.min(inner.y + inner.h, outer.y + outer.h) - Math.max(inner.y, outer.y);
  return w <= 0 || h <= 0 ? 0 : (w * h) / (inner.w * inner.h);
}

function clamp01(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
