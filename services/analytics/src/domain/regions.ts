import type { Box } from "@huishi/kernel";
import type { Track } from "./tracker/track.ts";

/** A part of the analysis frame to run the detector on: whole pixels, inside the frame. */
export interface Region {
  readonly kind: "whole" | "crop";
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

export interface RegionOptions {
  /** Analysis frame in pixels. */
  readonly width: number;
  readonly height: number;
  /** Side of the detector's input, pixels. Default 300. */
  readonly inputSide?: number;
  /** Most crops in one frame. Default 3. */
  readonly maxCrops?: number;
  /** While anything moves, the whole frame is inspected this often. Default 2000. */
  readonly wholeFrameMs?: number;
  /** A stationary track is looked at again this often. Default 10000. */
  readonly recheckMs?: number;
}

export interface RegionInput {
  readonly capturedAtMs: number;
  /** Boxes of the motion gate, normalised. */
  readonly motion: readonly Box[];
  /** The tracker's living tracks after the frame before. */
  readonly tracks: readonly Track[];
}

/** Decides which parts of a frame are worth an inference; remembers when it last looked where. */
export declare class RegionPlanner {
  constructor(options: RegionOptions);
  /** Regions to inspect in this frame; empty when nothing moves and no track needs a look. */
  plan(input: RegionInput): Region[];
}

/** The region as a normalised box, as `Tracker.update` wants its observed regions. */
export declare function regionBox(
  region: Region,
  frame: { readonly width: number; readonly height: number },
): Box;
