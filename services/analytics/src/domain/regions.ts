import type { Box } from "@huishi/kernel";
import { type Span, cluster, clusterSpan, squareAround } from "./region-clusters.ts";
import type { Track } from "./tracker/track.ts";

/** A part of the analysis frame to run the detector on: whole pixels, inside the frame. */
export interface Region {
  readonly kind: "whole" | "crop";
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}

/** A part of the picture that was inspected, normalised. */
export interface InspectedRegion extends Box {
  /** Objects whose longer side is less than this, in picture heights, are too small to be found in it. Default 0. */
  readonly leastSide?: number;
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
  /** While nothing does, this often, for what the gate may have overlooked. Default 30000. */
  readonly idleWholeFrameMs?: number;
  /** A stationary track is looked at again this often. Default 10000. */
  readonly recheckMs?: number;
}

export interface RegionInput {
  readonly capturedAtMs: number;
  /** Boxes of the motion gate, normalised. */
  readonly motion: readonly Box[];
  /** The gate took its background anew: look at everything. */
  readonly lightingStep?: boolean;
  /** The tracker's living tracks after the frame before. */
  readonly tracks: readonly Track[];
  /** Fewer crops than usual. */
  readonly maxCrops?: number;
  /** Fewer regions in all, the whole frame included: the analysis has no time for more. Default: no bound. */
  readonly maxRegions?: number;
}

/**
 * An object's longer side needs this many pixels in the detector's input to be found reliably: smaller detections
 * are as often wrong as right.
 */
export const LEAST_INPUT_SIDE = 36;
/** With this height it is found well. */
const GOOD_INPUT_HEIGHT = 60;
/** The smallest crop, as a share of the frame's shorter side (and not enlarged more than twice). */
const LEAST_CROP = 0.45;
/**
 * The detector's input is square. A whole frame wider than this (times its height) is shown in its shape, framed in
 * grey, and so smaller (squeezed, cars from above were recognised in 11 of 36 frames, in square crops in 29): whatever
 * fits into a square crop is shown in one too.
 */
const LARGEST_SQUEEZE = 1.4;
/** Room around what a crop is for, as a share of its sides. */
const MARGIN = 0.25;
/** How long a crop is remembered as a look at its place. */
const MEMORY_MS = 10_000;

/**
 * Decides which parts of a frame are worth an inference; remembers when it last looked where.
 *
 * Crops are what finds small objects (at 300 pixels of input, six crops of a street found more than twice the
 * people that the whole frame did), but each costs an inference: so targets that are near share a crop, targets
 * that are large enough share the whole frame, and where crops do not suffice the longest unseen come first.
 */
export class RegionPlanner {
  private readonly frame: { readonly width: number; readonly height: number };
  private readonly inputSide: number;
  private readonly leastSide: number;
  private readonly maxCrops: number;
  private readonly wholeFrameMs: number;
  private readonly idleWholeFrameMs: number;
  private readonly recheckMs: number;
  private wholeAtMs: number | null = null;
  private lastCropAtMs = -Infinity;
  private looks: { readonly region: Region; readonly atMs: number }[] = [];

  constructor(options: RegionOptions) {
    const { width, height } = options;
    this.frame = { width, height };
    this.inputSide = options.inputSide ?? 300;
    this.leastSide = Math.max(
      this.inputSide / 2,
      Math.min(this.inputSide, LEAST_CROP * Math.min(width, height)),
    );
    this.maxCrops = options.maxCrops ?? 3;
    this.wholeFrameMs = options.wholeFrameMs ?? 2_000;
    this.idleWholeFrameMs = options.idleWholeFrameMs ?? 30_000;
    this.recheckMs = options.recheckMs ?? 10_000;
  }

  /** Regions to inspect in this frame; empty when nothing moves and no track needs a look. */
  plan(input: RegionInput): Region[] {
    const { capturedAtMs, maxRegions = Infinity } = input;
    if (maxRegions < 1) {
      // What the light changed is looked at as soon as there is time.
      if (input.lightingStep) this.wholeAtMs = null;
      return [];
    }
    const targets = this.targets(input);
    const large = targets.filter((target) => this.fitsWhole(target));
    const small = targets.filter((target) => !this.fitsWhole(target));
    const due =
      input.lightingStep === true ||
      this.isWholeDue(targets.length > 0, capturedAtMs) ||
      targets.some((target) => this.fillsCrop(target));
    const most = Math.min(input.maxCrops ?? this.maxCrops, this.maxCrops) - (large.length > 0 ? 1 : 0);
    const crops = most > 0 ? this.crops(small, most) : [];
    const wantsWhole = due || large.length > 0;
    const room = Math.floor(maxRegions) - (wantsWhole ? 1 : 0);
    // Room for one of both: the whole frame when its beat is due, else in turn.
    const isWholeFirst = due || crops.length === 0 || (this.wholeAtMs ?? -Infinity) <= this.lastCropAtMs;
    const regions =
      room > 0 || !wantsWhole || isWholeFirst
        ? [...(wantsWhole ? [this.whole()] : []), ...crops.slice(0, Math.max(0, room))]
        : crops.slice(0, 1);
    this.remember(regions, capturedAtMs);
    return regions;
  }

  private isWholeDue(busy: boolean, capturedAtMs: number): boolean {
    if (this.wholeAtMs === null) return true;
    const sinceMs = capturedAtMs - this.wholeAtMs;
    return sinceMs < 0 || sinceMs >= (busy ? this.wholeFrameMs : this.idleWholeFrameMs);
  }

  /**
   * Is it so large that a crop shows little else? Things are recognised by what is around them too (cars from above:
   * crops alone counted 2 of 4 over a line, with the whole frame 3).
   */
  private fillsCrop({ left, top, right, bottom }: Span): boolean {
    return Math.max(right - left, bottom - top) >= 0.6 * Math.min(this.frame.width, this.frame.height);
  }

  private whole(): Region {
    return { kind: "whole", x: 0, y: 0, w: this.frame.width, h: this.frame.height };
  }

  private targets({ motion, tracks, capturedAtMs }: RegionInput): Span[] {
    const due = tracks.filter((track) => {
      if (track.stationarySinceMs === null) return true;
      if (motion.some((box) => overlaps(box, track.box))) return true;
      const patienceMs = track.state === "lost" ? this.wholeFrameMs : this.recheckMs;
      return (
        capturedAtMs - Math.max(track.lastSeenMs, this.lookedAtMs(this.span(track.box, 0))) >= patienceMs
      );
    });
    return [
      ...due.map((track) => this.span(track.box, track.box.h)),
      ...motion.map((box) => this.span(box, 0)),
    ];
  }

  /** In pixels, with a margin. @param height of the object, normalised; 0 = not known */
  private span(box: Box, height: number): Span {
    const { width, height: frameHeight } = this.frame;
    return {
      left: Math.max(0, (box.x - MARGIN * box.w) * width),
      top: Math.max(0, (box.y - MARGIN * box.h) * frameHeight),
      right: Math.min(width, (box.x + (1 + MARGIN) * box.w) * width),
      bottom: Math.min(frameHeight, (box.y + (1 + MARGIN) * box.h) * frameHeight),
      objectHeight: height * frameHeight,
    };
  }

  /** At most `most` crops around the targets; where that is too few, around those not looked at for longest. */
  private crops(targets: readonly Span[], most: number): Region[] {
    const clusters = cluster(targets, {
      leastSide: this.leastSide,
      most,
      largestSide: (span) => this.largestSide(span),
    });
    return clusters
      .map((members) => ({ members, seenMs: Math.min(...members.map((one) => this.lookedAtMs(one))) }))
      .sort((a, b) => a.seenMs - b.seenMs)
      .slice(0, most)
      .map(({ members }): Region => {
        const square = squareAround(clusterSpan(members), this.leastSide, this.frame);
        return { kind: "crop", ...square };
      });
  }

  /** Is it large enough to be found well in the whole frame? Motion may be of many: only if no crop would hold it. */
  private fitsWhole({ objectHeight, left, top, right, bottom }: Span): boolean {
    const { width, height } = this.frame;
    const squeeze = Math.max(width, height) / Math.min(width, height);
    const side = Math.max(right - left, bottom - top);
    if (squeeze > LARGEST_SQUEEZE && side <= Math.min(width, height)) return false;
    if (objectHeight === 0) return Math.max(right - left, bottom - top) > 1.5 * this.leastSide;
    return objectHeight * this.inputSide >= GOOD_INPUT_HEIGHT * this.frame.height;
  }

  /** The largest crop in which the target is still found. */
  private largestSide({ objectHeight }: Span): number {
    const whole = Math.min(this.frame.width, this.frame.height);
    if (objectHeight === 0) return Math.min(whole, 1.5 * this.leastSide);
    return Math.min(
      whole,
      Math.max(this.leastSide, (objectHeight * this.inputSide) / LEAST_INPUT_SIDE / 1.5),
    );
  }

  /** When a crop last covered the target's middle; -Infinity when none did lately. */
  private lookedAtMs(target: Span): number {
    const x = (target.left + target.right) / 2;
    const y = (target.top + target.bottom) / 2;
    const covering = this.looks.filter(
      ({ region }) => x >= region.x && x < region.x + region.w && y >= region.y && y < region.y + region.h,
    );
    return covering.reduce((latest, look) => Math.max(latest, look.atMs), -Infinity);
  }

  private remember(regions: readonly Region[], capturedAtMs: number): void {
    if (regions.some((region) => region.kind === "whole")) this.wholeAtMs = capturedAtMs;
    const fresh = this.looks.filter(
      (look) => Math.abs(capturedAtMs - look.atMs) < Math.max(MEMORY_MS, this.recheckMs),
    );
    const crops = regions.filter((region) => region.kind === "crop");
    if (crops.length > 0) this.lastCropAtMs = capturedAtMs;
    this.looks = [...fresh, ...crops.map((region) => ({ region, atMs: capturedAtMs }))];
  }
}

function overlaps(a: Box, b: Box): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
}

/**
 * The region as the tracker wants it told: normalised, with the least side of an object that the detector
 * (input side in pixels, default 300) can find in it.
 */
export function regionBox(
  region: Region,
  frame: { readonly width: number; readonly height: number },
  inputSide = 300,
): InspectedRegion {
  const { width, height } = frame;
  return {
    x: region.x / width,
    y: region.y / height,
    w: region.w / width,
    h: region.h / height,
    leastSide: ((LEAST_INPUT_SIDE / inputSide) * shownSide(region)) / height,
  };
}

/**
 * Pixels of the region that the detector's input is high: it keeps the shape of what is not about square, and then
 * shows it as high as it is wide.
 */
export function shownSide({ w, h }: Region): number {
  const longer = Math.max(w, h);
  return longer > LARGEST_SQUEEZE * Math.min(w, h) ? longer : h;
}
