import { BLOCK_COLUMNS, BLOCK_ROWS, BLOCKS, type PictureMeasure, type Structure } from "./measure.ts";

/** How a picture compares with what the camera usually shows. */
export interface ViewComparison {
  /** Share of the usual edges that are still there, unmoved: about 1 for the same view, about 0 for another one. */
  readonly kept: number;
  /** The best share that any small shift gives, and that shift in fractions of the picture's width and height. */
  readonly keptShifted: number;
  readonly shift: { readonly x: number; readonly y: number };
  /** Share of the blocks that usually have edges and have nearly none now. */
  readonly lostBlocks: number;
  /** Correlation of block brightness with the usual one, -1 to 1: high for the same scene out of focus. */
  readonly layout: number;
  /** Sharpness over the usual one. */
  readonly sharpness: number;
  /** Edges now over the usual edges. */
  readonly edges: number;
}

/** Largest shift that is looked for, in pixels of the structure (a quarter of the picture's size). */
const MAX_SHIFT = 6;
/** A pixel of the reference below this is no edge that stays. */
const STEADY_EDGE = 0.25;
/** A block with fewer steady edges than this cannot lose any. */
const MIN_BLOCK_EDGES = 3;
/** Edges of a block that count as lost: less than this share of the usual. */
const LOST_SHARE = 0.25;

/** Version, width, height, samples: 4 bytes each; sharpness: 8. */
const HEAD_BYTES = 24;
/** Goes up when a picture's structure is measured in another way. */
const VERSION = 1;

/** The camera's usual view, learnt slowly: what moves through the picture averages out, edges that stay remain. */
export class ViewReference {
  #structure: Structure | null = null;
  #blockMeans = new Float32Array(BLOCKS);
  #sharpness = 0;
  #samples = 0;

  get samples(): number {
    return this.#samples;
  }

  get sharpness(): number {
    return this.#sharpness;
  }

  /** What is known, to be read by `fromBytes`; null before anything was learnt. About 10 KB. */
  toBytes(): Uint8Array | null {
    const known = this.#structure;
    if (!known) return null;
    const pixels = known.width * known.height;
    const bytes = new Uint8Array(HEAD_BYTES + 4 * (2 * pixels + BLOCKS));
    const view = new DataView(bytes.buffer);
    [VERSION, known.width, known.height, this.#samples].forEach((n, i) => view.setUint32(4 * i, n));
    view.setFloat64(16, this.#sharpness);
    let at = HEAD_BYTES;
    for (const numbers of [known.cos, known.sin, this.#blockMeans]) {
      for (const number of numbers) {
        view.setFloat32(at, number);
        at += 4;
      }
    }
    return bytes;
  }

  /** Null for what is no view of ours, however it came to be so. */
  static fromBytes(bytes: Uint8Array): ViewReference | null {
    if (bytes.byteLength < HEAD_BYTES) return null;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const [version, width, height, samples] = [0, 4, 8, 12].map((at) => view.getUint32(at)) as [
      number,
      number,
      number,
      number,
    ];
    const pixels = width * height;
    if (version !== VERSION || pixels === 0 || samples === 0) return null;
    if (bytes.byteLength !== HEAD_BYTES + 4 * (2 * pixels + BLOCKS)) return null;
    const numbers = Float32Array.from({ length: 2 * pixels + BLOCKS }, (_, i) =>
      view.getFloat32(HEAD_BYTES + 4 * i),
    );
    const sharpness = view.getFloat64(16);
    if (!Number.isFinite(sharpness) || !numbers.every((number) => Number.isFinite(number))) return null;
    const reference = new ViewReference();
    reference.#structure = {
      width,
      height,
      cos: numbers.slice(0, pixels),
      sin: numbers.slice(pixels, 2 * pixels),
    };
    reference.#blockMeans = numbers.slice(2 * pixels);
    reference.#sharpness = sharpness;
    reference.#samples = samples;
    return reference;
  }

  /** @param slowest share of a new picture once the view is known; the first ones are averaged evenly */
  learn(measure: PictureMeasure, slowest: number): void {
    const { structure } = measure;
    const known = this.#structure;
    if (!known || known.width !== structure.width || known.height !== structure.height) {
      this.#structure = { ...structure, cos: structure.cos.slice(), sin: structure.sin.slice() };
      this.#blockMeans = measure.blockMeans.slice();
      this.#sharpness = measure.sharpness;
      this.#samples = 1;
      return;
    }
    this.#samples += 1;
    const share = Math.max(slowest, 1 / this.#samples);
    blend(known.cos, structure.cos, share);
    blend(known.sin, structure.sin, share);
    blend(this.#blockMeans, measure.blockMeans, share);
    this.#sharpness += (measure.sharpness - this.#sharpness) * share;
  }

  /** Null before anything was learnt, or where the usual view has too few edges to tell. */
  compare(measure: PictureMeasure): ViewComparison | null {
    const reference = this.#structure;
    const now = measure.structure;
    if (!reference || reference.width !== now.width || reference.height !== now.height) return null;
    const edges = steadyEdges(reference);
    if (edges.length < BLOCKS) return null;
    const kept = keptAt(reference, now, edges, 0, 0);
    const best = bestShift(reference, now, edges, kept);
    return {
      kept,
      keptShifted: best.kept,
      shift: { x: best.dx / now.width, y: best.dy / now.height },
      lostBlocks: lostBlocks(reference, now, edges),
      layout: correlation(this.#blockMeans, measure.blockMeans),
      sharpness: measure.sharpness / Math.max(this.#sharpness, 1e-6),
      edges: energy(now) / Math.max(energy(reference), 1e-6),
    };
  }
}

function blend(into: Float32Array, from: Float32Array, share: number): void {
  for (let i = 0; i < into.length; i++) {
    into[i] = (into[i] as number) + ((from[i] as number) - (into[i] as number)) * share;
  }
}

const strength = ({ cos, sin }: Structure, i: number): number =>
  Math.hypot(cos[i] as number, sin[i] as number);

function energy(structure: Structure): number {
  let sum = 0;
  for (let i = 0; i < structure.cos.length; i++) sum += strength(structure, i) > STEADY_EDGE ? 1 : 0;
  return sum;
}

function steadyEdges(reference: Structure): number[] {
  const edges: number[] = [];
  for (let i = 0; i < reference.cos.length; i++) if (strength(reference, i) > STEADY_EDGE) edges.push(i);
  return edges;
}

function keptAt(
  reference: Structure,
  now: Structure,
  edges: readonly number[],
  dx: number,
  dy: number,
): number {
  const { width, height } = reference;
  let agreed = 0;
  let usual = 0;
  for (const i of edges) {
    const x = (i % width) + dx;
    const y = Math.floor(i / width) + dy;
    if (x < 1 || y < 1 || x >= width - 1 || y >= height - 1) continue;
    const j = y * width + x;
    const c = reference.cos[i] as number;
    const s = reference.sin[i] as number;
    agreed += c * (now.cos[j] as number) + s * (now.sin[j] as number);
    usual += c * c + s * s;
  }
  return usual === 0 ? 0 : agreed / usual;
}

function bestShift(reference: Structure, now: Structure, edges: readonly number[], kept: number) {
  let best = { kept, dx: 0, dy: 0 };
  // The same view needs no search: it is by far the most frequent case and the search the dearest part.
  if (kept > 0.6) return best;
  for (let dy = -MAX_SHIFT; dy <= MAX_SHIFT; dy++) {
    for (let dx = -MAX_SHIFT; dx <= MAX_SHIFT; dx++) {
      const shifted = keptAt(reference, now, edges, dx, dy);
      if (shifted > best.kept) best = { kept: shifted, dx, dy };
    }
  }
  return best;
}

function lostBlocks(reference: Structure, now: Structure, edges: readonly number[]): number {
  const usual = new Float32Array(BLOCKS);
  const left = new Float32Array(BLOCKS);
  const { width, height } = reference;
  for (const i of edges) {
    const x = i % width;
    const y = Math.floor(i / width);
    const block =
      Math.floor((y * BLOCK_ROWS) / height) * BLOCK_COLUMNS + Math.floor((x * BLOCK_COLUMNS) / width);
    usual[block] = (usual[block] as number) + strength(reference, i);
    left[block] = (left[block] as number) + strength(now, i);
  }
  let judged = 0;
  let lost = 0;
  for (let block = 0; block < BLOCKS; block++) {
    if ((usual[block] as number) < MIN_BLOCK_EDGES) continue;
    judged += 1;
    if ((left[block] as number) < (usual[block] as number) * LOST_SHARE) lost += 1;
  }
  return judged === 0 ? 0 : lost / judged;
}

function correlation(a: Float32Array, b: Float32Array): number {
  const mean = (values: Float32Array): number =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanA = mean(a);
  const meanB = mean(b);
  let both = 0;
  let ownA = 0;
  let ownB = 0;
  for (let i = 0; i < a.length; i++) {
    const da = (a[i] as number) - meanA;
    const db = (b[i] as number) - meanB;
    both += da * db;
    ownA += da * da;
    ownB += db * db;
  }
  return both / Math.sqrt(Math.max(ownA * ownB, 1e-9));
}
