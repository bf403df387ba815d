/** Development only: finds the range of every activation on real pictures. The ranges are committed, the pictures are not. */
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { RgbFrame } from "../application/detector.ts";
import type { Region } from "../domain/index.ts";
import { sessionOptions } from "../adapters/onnxruntime/index.ts";
import { RegionResizer } from "../application/detection/resize-region.ts";
import { exportFloat } from "./export-float.ts";
import type { CalibrationTable } from "./export-int8.ts";
import { type Network, tensorNames } from "./network.ts";
import type { ActivationRange } from "./quantise.ts";

const BINS = 4096;
/** Share of the values that the range must hold on each side; the rest, rare outliers, is clamped. */
const keptShare = 0.99999;
/** Logits below this (a score of 0.5 %) all mean "nothing here": no resolution is spent on them. */
const lowestLogit = -5.3;

export interface CalibrationPicture {
  readonly frame: RgbFrame;
  readonly region: Region;
}

/** Runs the float network twice over the pictures: once for the extremes, once for a histogram between them. */
export async function calibrate(
  network: Network,
  pictures: readonly CalibrationPicture[],
  share: number = keptShare,
): Promise<CalibrationTable> {
  const session = await InferenceSession.create(exportFloat(network, { probes: true }), sessionOptions);
  const names = network.layers.map((layer) => layer.name);
  const extremes = new Map<string, [number, number]>(names.map((name) => [name, [0, 0]]));
  await eachActivation(session, network, pictures, (name, values) =>
    widen(extremes.get(name) as [number, number], values),
  );
  const histograms = new Map(names.map((name) => [name, new Float64Array(BINS)]));
  await eachActivation(session, network, pictures, (name, values) => {
    fill(histograms.get(name) as Float64Array, extremes.get(name) as [number, number], values);
  });
  await session.release();
  const logits = new Set(network.heads.map((head) => head.scores));
  return Object.fromEntries(
    names.map((name) => {
      const [low, high] = trim(
        histograms.get(name) as Float64Array,
        extremes.get(name) as [number, number],
        share,
      );
      return [name, rounded(logits.has(name) ? [Math.max(low, lowestLogit), high] : [low, high])];
    }),
  );
}

async function eachActivation(
  session: InferenceSession,
  network: Network,
  pictures: readonly CalibrationPicture[],
  visit: (name: string, values: Float32Array) => void,
): Promise<void> {
  const size = network.inputSize;
  const resizer = new RegionResizer(size);
  const pixels = new Uint8Array(size * size * 3);
  for (const { frame, region } of pictures) {
    resizer.resize(frame, region, pixels);
    const outputs = await session.run({
      [tensorNames.pixels]: new Tensor("uint8", pixels, [1, size, size, 3]),
    });
    for (const layer of network.layers) visit(layer.name, outputs[layer.name]?.data as Float32Array);
  }
}

function widen(range: [number, number], values: Float32Array): void {
  let [low, high] = range;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  range[0] = low;
  range[1] = high;
}

function fill(histogram: Float64Array, [low, high]: ActivationRange, values: Float32Array): void {
  const perUnit = BINS / (high - low || 1);
  for (const value of values) {
    const bin = Math.min(Math.floor((value - low) * perUnit), BINS - 1);
    (histogram[bin] as number) += 1;
  }
}

/** Cuts the thin ends off. */
function trim(histogram: Float64Array, [low, high]: ActivationRange, share: number): ActivationRange {
  const total = histogram.reduce((sum, count) => sum + count, 0);
  const step = (high - low) / histogram.length;
  let first = 0;
  let last = histogram.length - 1;
  for (
    let cut = histogram[first] as number;
    cut <= total * (1 - share) && first < last;
    cut += histogram[first] as number
  )
    first += 1;
  for (
    let cut = histogram[last] as number;
    cut <= total * (1 - share) && last > first;
    cut += histogram[last] as number
  )
    last -= 1;
  return [low + first * step, low + (last + 1) * step];
}

function rounded([low, high]: ActivationRange): ActivationRange {
  return [Number(low.toFixed(4)), Number(high.toFixed(4))];
}
