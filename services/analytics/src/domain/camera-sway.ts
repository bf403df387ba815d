/** Pixels of the small picture by which a camera on a pole may sway, each way. */
const MOST = 6;
/** A shift must explain the profiles so much better than none: motion in the picture is no sway. */
const BETTER = 0.6;

export interface Shift {
  readonly x: number;
  readonly y: number;
}

/**
 * By how much the whole picture moved against its background: sums of columns and of rows, compared at every shift
 * (projection correlation). Light is taken out by each profile's mean; whole pixels.
 */
export function swayOf(
  luma: Uint8Array,
  background: Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
): Shift | null {
  const size = { width, height };
  const before = profiles(background, size);
  // One axis after the other: what came in at one edge blurs the other axis' sums.
  let x = bestShift(profiles(luma, size).columns, before.columns);
  const y = bestShift(profiles(unshifted(luma, { x, y: 0 }, size), size).rows, before.rows);
  if (y !== 0) x = bestShift(profiles(unshifted(luma, { x: 0, y }, size), size).columns, before.columns);
  return x === 0 && y === 0 ? null : { x, y };
}

/** The picture as it would be without the shift; what came in at an edge repeats it. */
export function unshifted(
  luma: Uint8Array,
  { x, y }: Shift,
  { width, height }: { readonly width: number; readonly height: number },
): Uint8Array {
  const moved = new Uint8Array(luma.length);
  for (let row = 0; row < height; row++) {
    const from = Math.min(Math.max(row + y, 0), height - 1) * width;
    const line = luma.subarray(from, from + width);
    const to = row * width;
    if (x >= 0) {
      moved.set(line.subarray(x), to);
      moved.fill(line[width - 1]!, to + width - x, to + width);
    } else {
      moved.set(line.subarray(0, width + x), to - x);
      moved.fill(line[0]!, to, to - x);
    }
  }
  return moved;
}

/** Without the edges, which a shift fills with something else. */
function profiles(
  picture: Uint8Array | Float32Array,
  { width, height }: { readonly width: number; readonly height: number },
): { columns: Float64Array; rows: Float64Array } {
  const columns = new Float64Array(width);
  const rows = new Float64Array(height);
  for (let y = 0; y < height; y++) {
    let sum = 0;
    const isInner = y >= MOST && y < height - MOST;
    for (let x = 0, i = y * width; x < width; x++, i++) {
      if (isInner) columns[x]! += picture[i]!;
      if (x >= MOST && x < width - MOST) sum += picture[i]!;
    }
    rows[y] = sum;
  }
  return { columns: changes(columns), rows: changes(rows) };
}

/** From place to place: a profile's own slope and the light say nothing about shifts. */
function changes(profile: Float64Array): Float64Array {
  return profile.map((value, index) => value - profile[Math.max(0, index - 1)]!);
}

/** `now[i + shift]` fits `before[i]` best; 0 where nothing fits clearly better than that. */
function bestShift(now: Float64Array, before: Float64Array): number {
  const costAt = (shift: number): number => {
    let cost = 0;
    for (let i = MOST; i < before.length - MOST; i++) cost += Math.abs(now[i + shift]! - before[i]!);
    return cost;
  };
  let best = 0;
  let least = costAt(0) * BETTER;
  for (let shift = -MOST; shift <= MOST; shift++) {
    const cost = costAt(shift);
    if (shift === 0 || cost >= least) continue;
    [best, least] = [shift, cost];
  }
  return best;
}
