/**
 * What can be told of one small luma picture (row by row, one byte a pixel) without knowing any other. Pure; shared by
 * the edge's picture diagnosis and whoever else judges pictures.
 */

/** A grey picture: `pixels.length === width * height`, 0 is black. */
export interface LumaPicture {
  readonly width: number;
  readonly height: number;
  readonly pixels: Uint8Array;
}

/** Blocks across and down in every measure that is told by blocks. */
export const BLOCK_COLUMNS = 16;
export const BLOCK_ROWS = 9;
export const BLOCKS = BLOCK_COLUMNS * BLOCK_ROWS;

/** Edge orientation at a quarter of the size; the double angle makes it blind to which side is the brighter one. */
export interface Structure {
  readonly width: number;
  readonly height: number;
  /** cos 2θ and sin 2θ of the gradient, times g² / (g² + c²): about 0 where there is no edge, about 1 on a clear one. */
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

export interface PictureMeasure {
  readonly mean: number;
  /** 2nd and 98th percentile of the luma, 0 to 255. */
  readonly low: number;
  readonly high: number;
  /** Mean absolute Laplacian at full size, and at a quarter of the size. */
  readonly fine: number;
  readonly coarse: number;
  /** fine / coarse: falls when the picture blurs, whatever the contrast is. */
  readonly sharpness: number;
  /** Mean luma of each block, row by row. */
  readonly blockMeans: Float32Array;
  readonly structure: Structure;
}

const REDUCTION = 4;

/** @throws RangeError when the pixels do not fill the picture, or it is smaller than 64x36 */
export function measurePicture(picture: LumaPicture): PictureMeasure {
  const { width, height, pixels } = picture;
  if (pixels.length !== width * height || width < 64 || height < 36) {
    throw new RangeError(`a luma picture of ${width}x${height} cannot have ${pixels.length} pixels`);
  }
  const { mean, low, high } = percentiles(pixels);
  const small = reduce(picture);
  const fine = laplacian(picture);
  const coarse = laplacian(small);
  return {
    mean,
    low,
    high,
    fine,
    coarse,
    sharpness: fine / (coarse + 0.5),
    blockMeans: blockMeans(picture),
    structure: structureOf(small, Math.max(3, (high - low) * 0.06)),
  };
}

function percentiles(pixels: Uint8Array): { mean: number; low: number; high: number } {
  const counts = new Uint32Array(256);
  let sum = 0;
  for (const value of pixels) {
    counts[value] = (counts[value] as number) + 1;
    sum += value;
  }
  const at = (share: number): number => {
    let left = share * pixels.length;
    for (let value = 0; value < 256; value++) {
      left -= counts[value] as number;
      if (left <= 0) return value;
    }
    return 255;
  };
  return { mean: sum / pixels.length, low: at(0.02), high: at(0.98) };
}

/** Means of 4x4 pixels. */
function reduce({ width, height, pixels }: LumaPicture): LumaPicture {
  const w = Math.floor(width / REDUCTION);
  const h = Math.floor(height / REDUCTION);
  const out = new Uint8Array(w * h);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      let sum = 0;
      for (let j = 0; j < REDUCTION; j++) {
        const row = (y * REDUCTION + j) * width + x * REDUCTION;
        for (let i = 0; i < REDUCTION; i++) sum += pixels[row + i] as number;
      }
      out[y * w + x] = Math.round(sum / (REDUCTION * REDUCTION));
    }
  }
  return { width: w, height: h, pixels: out };
}

function laplacian({ width, height, pixels: p }: LumaPicture): number {
  let sum = 0;
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const around =
        (p[i - 1] as number) + (p[i + 1] as number) + (p[i - width] as number) + (p[i + width] as number);
      sum += Math.abs(4 * (p[i] as number) - around);
    }
  }
  return sum / ((width - 2) * (height - 2));
}

function blockMeans({ width, height, pixels }: LumaPicture): Float32Array {
  const sums = new Float32Array(BLOCKS);
  const counts = new Float32Array(BLOCKS);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * BLOCK_ROWS) / height) * BLOCK_COLUMNS;
    for (let x = 0; x < width; x++) {
      const block = row + Math.floor((x * BLOCK_COLUMNS) / width);
      sums[block] = (sums[block] as number) + (pixels[y * width + x] as number);
      counts[block] = (counts[block] as number) + 1;
    }
  }
  return sums.map((sum, block) => sum / (counts[block] as number));
}

/** @param c gradient, in luma levels, at which an edge counts for half */
function structureOf({ width, height, pixels: p }: LumaPicture, c: number): Structure {
  const cos = new Float32Array(width * height);
  const sin = new Float32Array(width * height);
  for (let y = 1; y < height - 1; y++) {
    for (let i = y * width + 1; i < (y + 1) * width - 1; i++) {
      const gx = ((p[i + 1] as number) - (p[i - 1] as number)) / 2;
      const gy = ((p[i + width] as number) - (p[i - width] as number)) / 2;
      const weight = gx * gx + gy * gy + c * c;
      cos[i] = (gx * gx - gy * gy) / weight;
      sin[i] = (2 * gx * gy) / weight;
    }
  }
  return { width, height, cos, sin };
}

/** Share of blocks, 0 to 1, in which two pictures of one size differ by more than `tolerance` luma levels on average. */
export function changedBlocks(a: LumaPicture, b: LumaPicture, tolerance: number): number {
  if (a.width !== b.width || a.height !== b.height) return 1;
  const difference = new Uint8Array(a.pixels.length);
  for (let i = 0; i < difference.length; i++) {
    difference[i] = Math.abs((a.pixels[i] as number) - (b.pixels[i] as number));
  }
  const means = blockMeans({ width: a.width, height: a.height, pixels: difference });
  return means.filter((mean) => mean > tolerance).length / BLOCKS;
}
