import { type Box, iou } from "@huishi/kernel";
import type { Track } from "../tracker/track.ts";
import type { BackgroundWatch } from "./background-watch.ts";
import { type LitPicture, PixelMemory } from "./pixel-memory.ts";
import { RegionMemory } from "./region-memory.ts";
import { staticBlobs } from "./static-blobs.ts";
import type { StaticRegion } from "./static-region.ts";
import { ToneLine } from "./tone-line.ts";

export interface BackgroundModelOptions {
  readonly width: number;
  readonly height: number;
  readonly watch: BackgroundWatch;
}

/** Pictures are looked at no more often than this: nothing static happens in less. */
const INTERVAL_MS = 400;
/** After a longer gap only so much time counts as seen. */
const LONGEST_STEP_SECONDS = 2;
/** When more than this share of the picture differs, the light has changed (or somebody holds a hand before it). */
const STEP_SHARE = 0.4;
/** From this many levels on average the light has changed at once. */
const TONE_STEP = 5;
/** A changed light is waited for this long to go back or to stay. */
const STEP_PATIENCE_MS = 4_000;
/** What stands in front hides a little more than its box. */
const MARGIN = 0.08;
/** A static region that fits the last box of an object that stood there is that object, which is only not seen any more. */
const SAME_OBJECT_IOU = 0.4;
const LEFT_BEHIND_MS = 60_000;

/**
 * Finds what was put into a camera's picture or taken out of it and does not move, from the small grey pictures that the
 * motion gate looks at. What is followed as a track (a person, a parked car) hides the ground behind it and is never
 * reported itself. Pure: pictures, tracks and capture times are all that counts.
 */
export class BackgroundModel {
  private readonly options: BackgroundModelOptions;
  private readonly memory: PixelMemory;
  private readonly regions: RegionMemory;
  private readonly tone = new ToneLine();
  private readonly values: Uint8Array;
  private readonly hidden: Uint8Array;
  private readonly isStatic: Uint8Array;
  private readonly now: Float32Array;
  private reported: readonly StaticRegion[] = [];
  private clockMs: number | null = null;
  /** Since when the light has been another one. */
  private stepSinceMs: number | null = null;
  private standing: readonly Track[] = [];
  private leftBehind: { readonly box: Box; readonly untilMs: number }[] = [];

  constructor(options: BackgroundModelOptions) {
    const { width, height, watch } = options;
    this.options = options;
    this.memory = new PixelMemory({ width, height });
    this.regions = new RegionMemory(watch.absorbMs);
    this.values = new Uint8Array(width * height);
    this.hidden = new Uint8Array(width * height);
    this.isStatic = new Uint8Array(width * height);
    this.now = new Float32Array(width * height);
  }

  /**
   * @param luma width x height bytes, row by row; not kept
   * @param tracks all living tracks of the camera
   */
  update(luma: Uint8Array, capturedAtMs: number, tracks: readonly Track[]): readonly StaticRegion[] {
    if (this.clockMs === null || capturedAtMs < this.clockMs - LEFT_BEHIND_MS) {
      this.clockMs = capturedAtMs;
      this.memory.restart(luma);
      return (this.reported = []);
    }
    const elapsedMs = capturedAtMs - this.clockMs;
    if (elapsedMs < INTERVAL_MS) return this.reported;
    this.clockMs = capturedAtMs;
    this.hide(tracks, capturedAtMs);
    const { tone, values, hidden } = this;
    const toneChange = tone.fit(this.memory.slow, luma, hidden);
    for (let i = 0; i < luma.length; i++) values[i] = tone.map[luma[i]!]!;
    const picture = { luma, values, hidden, inverse: tone.inverse };
    if (this.memory.unsettledShare(picture) > STEP_SHARE) return this.waitForLight(picture, capturedAtMs);
    this.stepSinceMs = null;
    if (toneChange > TONE_STEP) this.memory.resettle(picture);
    this.memory.learn(picture, Math.min(LONGEST_STEP_SECONDS, elapsedMs / 1000));
    return (this.reported = this.look(capturedAtMs));
  }

  /** In a changed light nothing is learnt; when it stays, everything goes on in the new one. */
  private waitForLight(picture: LitPicture, capturedAtMs: number): readonly StaticRegion[] {
    this.stepSinceMs ??= capturedAtMs;
    if (capturedAtMs - this.stepSinceMs >= STEP_PATIENCE_MS) {
      this.memory.rebase(picture);
      this.stepSinceMs = null;
    }
    return this.reported;
  }

  /** Marks the pixels before which something stands, and remembers where something stood that is followed no more. */
  private hide(tracks: readonly Track[], capturedAtMs: number): void {
    const { width, height } = this.options;
    this.hidden.fill(0);
    for (const { box, state, stationarySinceMs } of tracks) {
      if (state === "lost" && stationarySinceMs === null) continue;
      const left = Math.max(0, Math.floor((box.x - MARGIN * box.w) * width) - 1);
      const right = Math.min(width, Math.ceil((box.x + (1 + MARGIN) * box.w) * width) + 1);
      const top = Math.max(0, Math.floor((box.y - MARGIN * box.h) * height) - 1);
      const bottom = Math.min(height, Math.ceil((box.y + (1 + MARGIN) * box.h) * height) + 1);
      for (let y = top; y < bottom; y++) this.hidden.fill(1, y * width + left, y * width + right);
    }
    const living = new Set(tracks.map(({ id }) => id));
    for (const { id, box } of this.standing)
      if (!living.has(id)) this.leftBehind.push({ box, untilMs: capturedAtMs + LEFT_BEHIND_MS });
    this.leftBehind = this.leftBehind.filter(({ untilMs }) => untilMs > capturedAtMs);
    this.standing = tracks.filter(({ stationarySinceMs }) => stationarySinceMs !== null);
  }

  private look(capturedAtMs: number): StaticRegion[] {
    const { width, height, watch } = this.options;
    const { memory, isStatic } = this;
    let any = false;
    for (let i = 0; i < isStatic.length; i++) {
      isStatic[i] = memory.isStatic(i) ? 1 : 0;
      if (isStatic[i] === 1) any = true;
    }
    const blobs = any
      ? staticBlobs(isStatic, { width, height, now: this.pictureNow(), before: memory.slow })
      : [];
    const watched = blobs.filter(({ box }) => watch.polygons.some((polygon) => mayTouch(box, polygon)));
    const { regions, absorbed } = this.regions.update(watched, capturedAtMs, (box) => this.isExcused(box));
    for (const pixel of absorbed) memory.absorb(pixel);
    return regions;
  }

  /** The picture as it is, without what stands in front for the moment. */
  private pictureNow(): Float32Array {
    const { memory, values, hidden, isStatic, now } = this;
    for (let i = 0; i < now.length; i++) {
      if (isStatic[i] === 1) now[i] = memory.settled[i]!;
      else now[i] = hidden[i] === 1 ? memory.slow[i]! : values[i]!;
    }
    return now;
  }

  private isExcused(box: Box): boolean {
    return this.leftBehind.some((left) => iou(left.box, box) >= SAME_OBJECT_IOU);
  }
}

function mayTouch(box: Box, polygon: BackgroundWatch["polygons"][number]): boolean {
  const xs = polygon.map(({ x }) => x);
  const ys = polygon.map(({ y }) => y);
  return (
    box.x <= Math.max(...xs) &&
    box.x + box.w >= Math.min(...xs) &&
    box.y <= Math.max(...ys) &&
    box.y + box.h >= Math.min(...ys)
  );
}
