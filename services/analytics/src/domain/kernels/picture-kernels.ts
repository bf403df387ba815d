/**
 * The innermost loops over pixels, as WebAssembly with 16-byte lanes (kernels/picture.as): five times as fast as the same in
 * JavaScript. Every call brings what it needs into the one memory and keeps nothing there: pure functions.
 */
import { PICTURE_WASM } from "./picture-wasm.ts";

/** What is used of it: the types of Node do not have it. */
declare const WebAssembly: {
  readonly Memory: new (descriptor: { readonly initial: number }) => {
    readonly buffer: ArrayBuffer;
    grow(pages: number): number;
  };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: object };
};

interface Exports {
  resize(job: number): void;
  halve(from: number, stride: number, to: number, width: number, height: number): void;
  differing(
    luma: number,
    map: number,
    lowest: number,
    highest: number,
    counts: number,
    line: number,
    width: number,
    height: number,
  ): void;
}

const PAGE = 65_536;
/** The compiler's own data lies below. */
const FIRST_BYTE = 1024;
/** Loops read and write whole lanes: so many bytes beyond an end. */
const SLACK = 64;

const memory = new WebAssembly.Memory({ initial: 1 });
let bytes = new Uint8Array(memory.buffer);
let loaded: Exports | null = null;

function kernels(): Exports {
  loaded ??= new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(PICTURE_WASM, "base64")), {
    env: { memory },
  }).exports as Exports;
  return loaded;
}

/** Places for so many bytes each, one after the other, aligned for any type. */
function layOut<K extends string>(sizes: Readonly<Record<K, number>>): Record<K, number> {
  const places = {} as Record<K, number>;
  let at = FIRST_BYTE;
  for (const [name, size] of Object.entries(sizes) as [K, number][]) {
    places[name] = at;
    at = (at + size + SLACK + 15) & ~15;
  }
  if (at > memory.buffer.byteLength) {
    memory.grow(Math.ceil((at - memory.buffer.byteLength) / PAGE));
    bytes = new Uint8Array(memory.buffer);
  }
  return places;
}

/** A plane of bytes, row by row. */
export interface Plane {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** Limited-range luma -> every second pixel of every second line, averaged diagonally, over the full range 0..255. */
export function halveLuma(luma: Uint8Array, stride: number, to: Plane): void {
  const needed = 2 * to.height * stride;
  const at = layOut({ luma: needed, small: to.width * to.height });
  bytes.set(luma.subarray(0, needed), at.luma);
  kernels().halve(at.luma, stride, at.small, to.width, to.height);
  to.data.set(bytes.subarray(at.small, at.small + to.width * to.height));
}

export interface Background {
  /** Level of the picture -> level that the background would have shown. */
  readonly map: Uint8Array;
  /** What each pixel may show without differing. */
  readonly lowest: Uint8ClampedArray;
  readonly highest: Uint8ClampedArray;
}

/**
 * Adds to each cell of 8x8 pixels the number of those that differ from the background at their place and from what is one
 * or two pixels beside it.
 */
export function countDiffering(
  { data, width, height }: Plane,
  { map, lowest, highest }: Background,
  counts: Uint8Array,
): void {
  const pixels = width * height;
  const at = layOut({
    map: 256,
    line: width,
    counts: counts.length,
    luma: pixels,
    lowest: pixels,
    highest: pixels,
  });
  bytes.set(map, at.map);
  bytes.set(counts, at.counts);
  bytes.set(data, at.luma);
  bytes.set(lowest, at.lowest);
  bytes.set(highest, at.highest);
  kernels().differing(at.luma, at.map, at.lowest, at.highest, at.counts, at.line, width, height);
  counts.set(bytes.subarray(at.counts, at.counts + counts.length));
}

/** Source offsets and shares (of 256) for each target pixel of an axis. */
interface AxisTaps {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly share: Int32Array;
}

export interface ScaleJob {
  /** Lines of the source that the row taps count from, whole lines. */
  readonly luma: Uint8Array;
  readonly u: Uint8Array;
  readonly v: Uint8Array;
  /** Bytes of a line of luma; of colour half. */
  readonly stride: number;
  readonly columns: AxisTaps;
  readonly rows: AxisTaps;
  readonly halfColumns: AxisTaps;
  readonly halfRows: AxisTaps;
  readonly width: number;
  readonly height: number;
  /** Where in the square target the picture begins. */
  readonly left: number;
  readonly top: number;
  /** Side of the target. */
  readonly size: number;
  /** Grey of what lies around. */
  readonly fill: number;
}

/** Scales and converts into `target`, size * size RGB triples. */
export function scaleToRgb(job: ScaleJob, target: Uint8Array): void {
  const { size, width, height, left, top } = job;
  const axis = 4 * size;
  const lineBytes = 3 * (size + 16);
  const at = layOut({
    job: 64,
    taps: 4 * 3 * axis,
    lines: 7 * lineBytes + 24,
    target: size * size * 3,
    luma: job.luma.length,
    u: job.u.length,
    v: job.v.length,
  });
  const axes = [job.columns, job.rows, job.halfColumns, job.halfRows];
  const addresses = axes.map((taps, index) => putTaps(taps, at.taps + index * 3 * axis, axis));
  bytes.set(job.luma, at.luma);
  bytes.set(job.u, at.u);
  bytes.set(job.v, at.v);
  const written = bytes.subarray(at.target, at.target + size * size * 3);
  if (width < size || height < size) written.fill(job.fill);
  const target0 = at.target + (top * size + left) * 3;
  new Uint32Array(memory.buffer, at.job, 16).set([
    at.luma,
    job.stride,
    at.u,
    at.v,
    job.stride >> 1,
    ...addresses,
    axis,
    width,
    height,
    target0,
    size * 3,
    at.lines,
    lineBytes,
  ]);
  kernels().resize(at.job);
  target.set(written);
}

function putTaps({ first, second, share }: AxisTaps, at: number, axis: number): number {
  for (const [index, values] of [first, second, share].entries())
    new Int32Array(memory.buffer, at + index * axis, values.length).set(values);
  return at;
}
