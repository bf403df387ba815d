import type { Box } from "@huishi/kernel";
import { CellGrid } from "./motion-cells.ts";
import { type Shift, swayOf, unshifted } from "./camera-sway.ts";
import { countDiffering } from "./kernels/picture-kernels.ts";
import { ToneCurve } from "./tone-curve.ts";

export interface MotionGateOptions {
  /** Size of the luma pictures that `update` is given, about 320 wide. */
  readonly width: number;
  readonly height: number;
}

export interface Motion {
  /** Something moves. */
  readonly active: boolean;
  /** Where, normalised, largest first. */
  readonly boxes: readonly Box[];
  /** The whole picture changed at once (lamps, exposure, a switched camera): the background was taken anew. */
  readonly lightingStep: boolean;
}

/** Time constant, in seconds, with which the background follows the picture: gradual changes of the scene are followed. */
const ABSORB_SECONDS = 20;
/** Whatever differs from the background but has not changed for so long is background: parked, or gone for good. */
const STILL_SECONDS = 8;
const STILL_DIFFERENCE = 10;
/** The first frames are averaged evenly, so that what passes by at the start leaves no ghost. */
const WARM_UP_FRAMES = 8;
/** A pixel differs beyond this many times its usual deviation, within these limits. */
const DEVIATIONS = 3.5;
const LEAST_DIFFERENCE = 10;
const LARGEST_DIFFERENCE = 42;
/** A place where people pass must not become blind to them: a larger surprise counts as this one. */
const LARGEST_SURPRISE = 20;
/** Above this share of active cells it is not motion but the light, the exposure or the camera that changed. */
const STEP_SHARE = 0.5;
/** Above this share the picture is asked whether it moved as a whole, as on a pole in the wind. */
const SWAY_SHARE = 0.03;
/** Each frame updates the model in every eighth row only, with steps eight times as large. */
const INTERLACE = 8;

/**
 * Background model on small luma pictures that says cheaply whether and where anything moves.
 *
 * Each pixel keeps a running mean and mean deviation (a float form of the sigma-delta estimator, Manzanera and
 * Richefeu 2007). Light that changes for the whole picture is taken out by a tone curve; a pixel that matches the
 * background one or two pixels beside it is a shaken edge, not motion, and a picture that moved as a whole is moved back
 * first; cells of 8x8 pixels vote.
 */
export class MotionGate {
  readonly width: number;
  readonly height: number;
  private readonly background: Float32Array;
  private readonly deviation: Float32Array;
  /** What a pixel may show without differing from the background; follow the two above. */
  private readonly lowest: Uint8ClampedArray;
  private readonly highest: Uint8ClampedArray;
  /** What a differing pixel showed when it was last visited, and for how many tenths of a second since. */
  private readonly shown: Uint8Array;
  private readonly stillTenths: Uint8ClampedArray;
  private readonly tone = new ToneCurve();
  private readonly cells: CellGrid;
  private frames = 0;
  private clockMs = 0;

  constructor({ width, height }: MotionGateOptions) {
    this.width = width;
    this.height = height;
    this.background = new Float32Array(width * height);
    this.deviation = new Float32Array(width * height);
    this.lowest = new Uint8ClampedArray(width * height);
    this.highest = new Uint8ClampedArray(width * height);
    this.shown = new Uint8Array(width * height);
    this.stillTenths = new Uint8ClampedArray(width * height);
    this.cells = new CellGrid(width, height);
  }

  /** @param luma width x height bytes, row by row; not kept */
  update(luma: Uint8Array, capturedAtMs: number): Motion {
    const seconds = Math.max(0, capturedAtMs - this.clockMs) / 1000;
    this.clockMs = capturedAtMs;
    if (this.frames === 0) {
      this.restart(luma);
      return { active: false, boxes: [], lightingStep: false };
    }
    this.compare(luma);
    const sway = this.cells.activeShare() > SWAY_SHARE ? swayOf(luma, this.background, this) : null;
    const steady = sway === null ? luma : unshifted(luma, sway, this);
    if (sway !== null) this.compare(steady);
    if (this.cells.activeShare() > STEP_SHARE) {
      this.restart(luma);
      return { active: false, boxes: [], lightingStep: true };
    }
    this.learn(steady, seconds);
    this.frames++;
    const boxes = this.cells.boxes().map((box) => (sway === null ? box : this.swayed(box, sway)));
    return { active: boxes.length > 0, boxes, lightingStep: false };
  }

  private compare(luma: Uint8Array): void {
    const { width, height, lowest, highest, background, cells, tone } = this;
    tone.fit(background, luma);
    cells.clear();
    countDiffering({ data: luma, width, height }, { map: tone.map, lowest, highest }, cells.count);
  }

  /** Where the box is in the picture as it came. */
  private swayed(box: Box, { x, y }: Shift): Box {
    const left = Math.min(Math.max(box.x + x / this.width, 0), 1);
    const top = Math.min(Math.max(box.y + y / this.height, 0), 1);
    return { x: left, y: top, w: Math.min(box.w, 1 - left), h: Math.min(box.h, 1 - top) };
  }

  private restart(luma: Uint8Array): void {
    this.background.set(luma);
    this.deviation.fill(0);
    this.stillTenths.fill(0);
    for (let i = 0; i < luma.length; i++) {
      this.lowest[i] = luma[i]! - LEAST_DIFFERENCE;
      this.highest[i] = luma[i]! + LEAST_DIFFERENCE;
    }
    this.frames = 1;
  }

  /** Moves an eighth of the background's rows towards the picture. */
  private learn(luma: Uint8Array, seconds: number): void {
    const { background, deviation, lowest, highest, width, height } = this;
    const { map } = this.tone;
    const warmUp = this.frames < WARM_UP_FRAMES;
    const every = warmUp ? 1 : INTERLACE;
    const evenly = warmUp ? 1 / (this.frames + 1) : 0;
    const share = Math.max(evenly, 1 - Math.exp((-seconds * every) / ABSORB_SECONDS));
    for (let y = this.frames % every; y < height; y += every) {
      for (let x = 0, i = y * width; x < width; x++, i++) {
        const value = luma[i]!;
        const before = background[i]!;
        const differs = map[value]! < lowest[i]! || map[value]! > highest[i]!;
        const mean =
          differs && this.isStill(i, value, seconds * every) ? value : before + share * (value - before);
        const surprise = Math.abs(map[value]! - before);
        const usual = deviation[i]! + share * (Math.min(surprise, LARGEST_SURPRISE) - deviation[i]!);
        const range = Math.max(LEAST_DIFFERENCE, Math.min(usual * DEVIATIONS, LARGEST_DIFFERENCE));
        background[i] = mean;
        deviation[i] = usual;
        lowest[i] = mean - range;
        highest[i] = mean + range;
      }
    }
  }

  /** Has the differing pixel shown the same for long enough? @param seconds since it was last visited */
  private isStill(pixel: number, value: number, seconds: number): boolean {
    if (Math.abs(value - this.shown[pixel]!) > STILL_DIFFERENCE) {
      this.shown[pixel] = value;
      this.stillTenths[pixel] = 0;
      return false;
    }
    this.stillTenths[pixel]! += seconds * 10;
    return this.stillTenths[pixel]! >= STILL_SECONDS * 10;
  }
}
