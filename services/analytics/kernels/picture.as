// AssemblyScript, 16 pixels at a time. Compiled by `npm run build:kernels -w @huishi/analytics`; the result is committed
// (src/domain/kernels/picture-wasm.ts). Addresses and sizes are the caller's to get right (src/domain/kernels).

// --- A region of an I420 picture, scaled and turned into RGB triples ---
//
// Lines that are scaled along their length are kept in 8.6 fixed point (i16), so that a blend of two and the change of
// colours fit 16-bit lanes.

const UNIT: i16 = 64;

/** One source line scaled along: taps are i32 offsets and shares of 256. */
function along(from: usize, taps: usize, stride: usize, to: usize, count: i32): void {
  for (let x = 0; x < count; x++) {
    const tap = taps + (<usize>x << 2);
    const a = <i32>load<u8>(from + load<u32>(tap));
    const b = <i32>load<u8>(from + load<u32>(tap + stride));
    const share = load<i32>(tap + 2 * stride);
    store<i16>(to + (<usize>x << 1), <i16>((a << 6) + (((b - a) * share) >> 2)));
  }
}

@inline function mix(a: v128, b: v128, share: v128): v128 {
  return i16x8.add(a, i16x8.q15mulr_sat_s(i16x8.sub(b, a), share));
}

@inline function twice(values: v128): v128 {
  return i8x16.shuffle(values, values, 0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7);
}

/** A share of 256 as a factor for q15mulr. */
@inline function factor(share: i32): v128 {
  return i16x8.splat(<i16>min(share << 7, 32767));
}

function toRgb(
  ya: usize, yb: usize, yShare: i32,
  ua: usize, ub: usize, va: usize, vb: usize, cShare: i32,
  to: usize, count: i32,
): void {
  const yMix = factor(yShare);
  const cMix = factor(cShare);
  const black = i16x8.splat(16 * UNIT);
  const half = i16x8.splat(32);
  const none = i16x8.splat(128 * UNIT);
  for (let x: usize = 0; x < <usize>count; x += 16) {
    const u8s = i16x8.sub(mix(v128.load(ua + x), v128.load(ub + x), cMix), none);
    const v8s = i16x8.sub(mix(v128.load(va + x), v128.load(vb + x), cMix), none);
    // ITU-R BT.601, limited range.
    const red8 = i16x8.add(v8s, i16x8.q15mulr_sat_s(v8s, i16x8.splat(19531)));
    const green8 = i16x8.add(
      i16x8.q15mulr_sat_s(u8s, i16x8.splat(-12837)),
      i16x8.q15mulr_sat_s(v8s, i16x8.splat(-26639)),
    );
    const blue8 = i16x8.add_sat_s(i16x8.add_sat_s(u8s, u8s), i16x8.q15mulr_sat_s(u8s, i16x8.splat(565)));
    const y0 = i16x8.sub(mix(v128.load(ya + 2 * x), v128.load(yb + 2 * x), yMix), black);
    const y1 = i16x8.sub(mix(v128.load(ya + 2 * x, 16), v128.load(yb + 2 * x, 16), yMix), black);
    const l0 = i16x8.add(i16x8.add(y0, i16x8.q15mulr_sat_s(y0, i16x8.splat(5386))), half);
    const l1 = i16x8.add(i16x8.add(y1, i16x8.q15mulr_sat_s(y1, i16x8.splat(5386))), half);
    const redHigh = i8x16.shuffle(red8, red8, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 15, 14, 15);
    const greenHigh = i8x16.shuffle(green8, green8, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 15, 14, 15);
    const blueHigh = i8x16.shuffle(blue8, blue8, 8, 9, 8, 9, 10, 11, 10, 11, 12, 13, 12, 13, 14, 15, 14, 15);
    const r = i8x16.narrow_i16x8_u(
      i16x8.shr_s(i16x8.add_sat_s(l0, twice(red8)), 6), i16x8.shr_s(i16x8.add_sat_s(l1, redHigh), 6));
    const g = i8x16.narrow_i16x8_u(
      i16x8.shr_s(i16x8.add_sat_s(l0, twice(green8)), 6), i16x8.shr_s(i16x8.add_sat_s(l1, greenHigh), 6));
    const b = i8x16.narrow_i16x8_u(
      i16x8.shr_s(i16x8.add_sat_s(l0, twice(blue8)), 6), i16x8.shr_s(i16x8.add_sat_s(l1, blueHigh), 6));
    const out = to + x * 3;
    v128.store(out, i8x16.shuffle(
      i8x16.shuffle(r, g, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5), b,
      0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15));
    v128.store(out, i8x16.shuffle(
      i8x16.shuffle(r, g, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26), b,
      0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15), 16);
    v128.store(out, i8x16.shuffle(
      i8x16.shuffle(r, g, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0), b,
      26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31), 32);
  }
}

/** Where things lie in memory; written by the caller, 32-bit each. */
@unmanaged class Job {
  luma: u32; lumaStride: u32;
  u: u32; v: u32; colourStride: u32;
  columns: u32; rows: u32; halfColumns: u32; halfRows: u32; tapStride: u32;
  width: u32; height: u32;
  /** First byte of the target and bytes from line to line. */
  target: u32; targetStride: u32;
  /** Two lines a plane, and one of RGB. */
  lines: u32; lineBytes: u32;
}

/** The scaled line of a source row: one of the plane's two, made anew where it is neither. */
function lineOf(plane: u32, row: i32, keep: i32, job: Job): usize {
  const base: usize = job.lines + plane * 2 * job.lineBytes;
  const state: usize = job.lines + 7 * job.lineBytes + plane * 8;
  const row0 = load<i32>(state), row1 = load<i32>(state, 4);
  if (row0 == row) return base;
  if (row1 == row) return base + job.lineBytes;
  // Not the one that is still needed.
  const slot: u32 = row0 == keep ? 1 : 0;
  store<i32>(state + slot * 4, row);
  const to = base + slot * job.lineBytes;
  if (plane == 0) along(job.luma + row * job.lumaStride, job.columns, job.tapStride, to, job.width);
  else along((plane == 1 ? job.u : job.v) + row * job.colourStride, job.halfColumns, job.tapStride, to, (job.width + 1) >> 1);
  return to;
}

/** Frame by frame the lines begin anew; lines: two a plane, one of RGB, then which rows the six are of. */
export function resize(at: usize): void {
  const job = changetype<Job>(at);
  const state: usize = job.lines + 7 * job.lineBytes;
  memory.fill(state, 0xff, 24);
  const rgb: usize = job.lines + 6 * job.lineBytes;
  for (let row: u32 = 0; row < job.height; row++) {
    const tap: usize = job.rows + (row << 2), half: usize = job.halfRows + ((row >> 1) << 2);
    const a = load<i32>(tap), b = load<i32>(tap + job.tapStride);
    const c = load<i32>(half), d = load<i32>(half + job.tapStride);
    const ya = lineOf(0, a, b, job), yb = lineOf(0, b, a, job);
    const ua = lineOf(1, c, d, job), ub = lineOf(1, d, c, job);
    const va = lineOf(2, c, d, job), vb = lineOf(2, d, c, job);
    toRgb(ya, yb, load<i32>(tap + 2 * job.tapStride), ua, ub, va, vb, load<i32>(half + 2 * job.tapStride), rgb, job.width);
    memory.copy(job.target + row * job.targetStride, rgb, job.width * 3);
  }
}

// --- The small grey picture of the motion gate ---

/**
 * Every second pixel of every second line of limited-range luma, averaged with the one below to the right, over the full
 * range. Reads 32 bytes at a time: up to 31 beyond a line.
 */
export function halve(from: usize, stride: usize, to: usize, width: usize, height: usize): void {
  const even = i16x8.splat(0xff);
  const scale = i16x8.splat(19077);
  const offset = i16x8.splat(-596 + 16);
  for (let row: usize = 0; row < height; row++) {
    const upper = from + 2 * row * stride, lower = upper + stride;
    const line = to + row * width;
    for (let x: usize = 0; x < width; x += 16) {
      const s0 = i16x8.add(v128.and(v128.load(upper + 2 * x), even), i16x8.shr_u(v128.load(lower + 2 * x), 8));
      const s1 = i16x8.add(v128.and(v128.load(upper + 2 * x, 16), even), i16x8.shr_u(v128.load(lower + 2 * x, 16), 8));
      const a = i16x8.shr_s(i16x8.add(i16x8.q15mulr_sat_s(i16x8.shl(s0, 5), scale), offset), 5);
      const b = i16x8.shr_s(i16x8.add(i16x8.q15mulr_sat_s(i16x8.shl(s1, 5), scale), offset), 5);
      // Lines follow each other: what is written beyond the end of one is written over by the next.
      v128.store(line + x, i8x16.narrow_i16x8_u(a, b));
    }
  }
}

// --- The motion gate's comparison with its background ---

/** Does the value fit what is one or two pixels beside it, as an edge does when the camera shakes? */
function fitsBeside(value: u32, lowest: usize, highest: usize, x: i32, y: i32, width: i32, height: i32): bool {
  let low: u32 = 255, high: u32 = 0;
  const at = y * width + x;
  for (let step = max(-2, -x), last = min(2, width - 1 - x); step <= last; step++) {
    low = min(low, <u32>load<u8>(lowest + at + step));
    high = max(high, <u32>load<u8>(highest + at + step));
  }
  for (let step = max(-2, -y), last = min(2, height - 1 - y); step <= last; step++) {
    low = min(low, <u32>load<u8>(lowest + at + step * width));
    high = max(high, <u32>load<u8>(highest + at + step * width));
  }
  return value >= low && value <= high;
}

/**
 * Counts for each cell of 8x8 pixels those that differ: outside `lowest..highest` of their place and of those beside.
 * `map`: level -> level in the background's light. `counts`: one byte a cell, cleared by the caller. Reads up to 15 bytes
 * beyond the pictures; `line`: room for a line and 16.
 */
export function differing(
  luma: usize, map: usize, lowest: usize, highest: usize, counts: usize, line: usize, width: i32, height: i32,
): void {
  const columns = (width + 7) >> 3;
  for (let y = 0; y < height; y++) {
    const row = <usize>(y * width);
    for (let x: usize = 0; x < <usize>width; x++) store<u8>(line + x, load<u8>(map + <usize>load<u8>(luma + row + x)));
    const cells = counts + <usize>((y >> 3) * columns);
    for (let x = 0; x < width; x += 16) {
      const values = v128.load(line + x);
      const low = v128.load(lowest + row + x), high = v128.load(highest + row + x);
      const fits = v128.and(i8x16.eq(i8x16.max_u(values, low), values), i8x16.eq(i8x16.min_u(values, high), values));
      let mask = ~i8x16.bitmask(fits) & 0xffff;
      if (x + 16 > width) mask &= (1 << (width - x)) - 1;
      for (; mask != 0; mask &= mask - 1) {
        const at = x + ctz(mask);
        if (fitsBeside(<u32>load<u8>(line + at), lowest, highest, at, y, width, height)) continue;
        const cell = cells + (at >> 3);
        store<u8>(cell, load<u8>(cell) + 1);
      }
    }
  }
}
