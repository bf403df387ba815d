import type { Box } from "@huishi/kernel";

/** Pixels of a static blob that belong together, and what their contour tells. */
export interface Blob {
  readonly pixels: readonly number[];
  readonly box: Box;
  /** -1..1: above 0 the contour has its edges now, below 0 the background had them. */
  readonly edges: number;
}

/** Two pictures in the same tones: as it is now and as it usually is. */
export interface TwoPictures {
  readonly width: number;
  readonly height: number;
  readonly now: Float32Array;
  readonly before: Float32Array;
}

/** Smaller than this share of the picture is noise (24 of 320 x 180 pixels). */
const LEAST_SHARE = 0.0004;
/** Larger than this is no thing that somebody put down, but light. */
const LARGEST_SHARE = 0.25;
/** Neighbours, of eight, that a pixel needs: lines of one pixel's width are shaken edges. */
const LEAST_NEIGHBOURS = 4;
/** Share of its box that a blob fills at least. */
const LEAST_FILL = 0.3;
/** From this likeness on, the same texture is there in another light: a shadow or a patch of sun. */
const SAME_TEXTURE = 0.8;
const LEAST_TEXTURE = 3.5;
/** Added to both sides, so that two flat pictures are not told apart by noise. */
const FLAT = 8;

/** Groups of static pixels that may be things, largest first. */
export function staticBlobs(isStatic: Uint8Array, pictures: TwoPictures): Blob[] {
  const { width, height } = pictures;
  const open = dense(isStatic, width, height);
  const mask = open.slice();
  const blobs: Blob[] = [];
  const pixelCount = width * height;
  for (let first = 0; first < pixelCount; first++) {
    if (open[first] === 0) continue;
    const pixels = groupAt(first, open, width);
    if (pixels.length < LEAST_SHARE * pixelCount || pixels.length > LARGEST_SHARE * pixelCount) continue;
    const { box, fill } = boxOf(pixels, width, height);
    if (fill < LEAST_FILL || isOtherLight(pixels, pictures)) continue;
    blobs.push({ pixels, box, edges: contourEdges(pixels, mask, pictures) });
  }
  return blobs.sort((a, b) => b.pixels.length - a.pixels.length);
}

/** The mask without its lone pixels, its lines and its border. */
function dense(isStatic: Uint8Array, width: number, height: number): Uint8Array {
  const kept = new Uint8Array(isStatic.length);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      if (isStatic[i] === 0) continue;
      const near =
        isStatic[i - width - 1]! +
        isStatic[i - width]! +
        isStatic[i - width + 1]! +
        isStatic[i - 1]! +
        isStatic[i + 1]! +
        isStatic[i + width - 1]! +
        isStatic[i + width]! +
        isStatic[i + width + 1]!;
      if (near >= LEAST_NEIGHBOURS) kept[i] = 1;
    }
  }
  return kept;
}

/** Takes the group out of `open`. Pixels up to two apart belong together; the border is never set. */
function groupAt(first: number, open: Uint8Array, width: number): number[] {
  const pixels = [first];
  open[first] = 0;
  for (let k = 0; k < pixels.length; k++) {
    for (let dy = -2; dy <= 2; dy++) {
      for (let near = pixels[k]! + dy * width - 2, end = near + 4; near <= end; near++) {
        if (open[near] !== 1) continue;
        open[near] = 0;
        pixels.push(near);
      }
    }
  }
  return pixels;
}

function boxOf(
  pixels: readonly number[],
  width: number,
  height: number,
): { readonly box: Box; readonly fill: number } {
  let left = width;
  let right = 0;
  let top = height;
  let bottom = 0;
  for (const pixel of pixels) {
    const x = pixel % width;
    const y = (pixel - x) / width;
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  const w = right - left + 1;
  const h = bottom - top + 1;
  return {
    box: { x: left / width, y: top / height, w: w / width, h: h / height },
    fill: pixels.length / (w * h),
  };
}

/** Correlation of the two pictures over the blob: light and shadow leave the texture as it was. */
function isOtherLight(pixels: readonly number[], { now, before }: TwoPictures): boolean {
  let a = 0;
  let b = 0;
  for (const pixel of pixels) {
    a += now[pixel]!;
    b += before[pixel]!;
  }
  a /= pixels.length;
  b /= pixels.length;
  let aa = 0;
  let bb = 0;
  let ab = 0;
  for (const pixel of pixels) {
    const da = now[pixel]! - a;
    const db = before[pixel]! - b;
    aa += da * da;
    bb += db * db;
    ab += da * db;
  }
  if (Math.sqrt(bb / pixels.length) < LEAST_TEXTURE || aa === 0) return false;
  return ab / Math.sqrt(aa * bb) >= SAME_TEXTURE;
}

/** Which picture has the edges along the blob's contour: a thing has a rim, and the ground under it has not. */
function contourEdges(pixels: readonly number[], mask: Uint8Array, pictures: TwoPictures): number {
  const { width, now, before } = pictures;
  let present = 0;
  let past = 0;
  let count = 0;
  for (const pixel of pixels) {
    const near = mask[pixel - 1]! + mask[pixel + 1]! + mask[pixel - width]! + mask[pixel + width]!;
    if (near === 4) continue;
    present += strongestEdge(now, pixel, pictures);
    past += strongestEdge(before, pixel, pictures);
    count++;
  }
  return count === 0 ? 0 : (present - past) / (present + past + 2 * FLAT * count);
}

/** The strongest gradient within two pixels: a blob may be a little smaller than its thing. */
function strongestEdge(picture: Float32Array, pixel: number, { width, height }: TwoPictures): number {
  const x = pixel % width;
  const y = (pixel - x) / width;
  let strongest = 0;
  for (let ny = Math.max(1, y - 2); ny <= Math.min(height - 2, y + 2); ny++) {
    for (let nx = Math.max(1, x - 2); nx <= Math.min(width - 2, x + 2); nx++) {
      const i = ny * width + nx;
      const gradient =
        Math.abs(picture[i + 1]! - picture[i - 1]!) + Math.abs(picture[i + width]! - picture[i - width]!);
      if (gradient > strongest) strongest = gradient;
    }
  }
  return strongest;
}
