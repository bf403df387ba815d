/** What every detector does around its model: regions in, one detection for each object out. */
import type { ObjectClass } from "@huishi/contracts";
import { type Box, HuishiError } from "@huishi/kernel";
import {
  type Detection,
  mergeRegionDetections,
  type Region,
  type RegionDetections,
} from "../../domain/index.ts";
import type { Detector, RgbFrame } from "../detector.ts";
import { createDecoder, type Decoder, type ModelOutputs } from "./decoding.ts";
import { InputTensor } from "./input-tensor.ts";
import { modelClasses, type ModelRecord } from "./model-record.ts";
import type { Placement } from "./resize-region.ts";

/** A model on some runtime, ready to run. */
export interface RunnableModel {
  /** What it runs on: `cpu`, `cuda`, `wasm`... */
  readonly provider: string;
  /** One picture in the model's own layout; the buffer is the caller's again when the promise has settled. */
  run(values: Uint8Array | Float32Array, dims: readonly number[]): Promise<ModelOutputs>;
  close(): Promise<void>;
}

export interface DetectorOptions {
  /** Candidates below this score are not reported; rules set their own, higher bound. */
  readonly minScore: number;
}

const DETECTOR_DEFAULTS: DetectorOptions = { minScore: 0.3 };
const GREY = 127;

/** `Detector` on any model that can be run. One inference at a time: the input tensor is shared between calls. */
export class RegionDetector implements Detector {
  readonly classes: readonly ObjectClass[];
  readonly inputSize: number;
  readonly #model: RunnableModel;
  readonly #decoder: Decoder;
  readonly #input: InputTensor;
  readonly #minScore: number;
  #inFlight: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(model: RunnableModel, record: ModelRecord, options: Partial<DetectorOptions> = {}) {
    this.classes = modelClasses(record);
    this.inputSize = record.input.size;
    this.#model = model;
    this.#decoder = createDecoder(record);
    this.#input = new InputTensor(record.input);
    this.#minScore = options.minScore ?? DETECTOR_DEFAULTS.minScore;
  }

  get provider(): string {
    return this.#model.provider;
  }

  /**
   * Looks at a grey picture: an entry that does not fit its model is told now, not by a camera. Closes the model then.
   *
   * @throws HuishiError MODEL_MISMATCH, DETECTOR_INVALID_OUTPUT
   */
  async tried(): Promise<this> {
    const side = this.inputSize;
    const frame = { data: new Uint8Array(side * side * 3).fill(GREY), width: side, height: side };
    try {
      await this.detect(frame, [{ kind: "whole", x: 0, y: 0, w: side, h: side }]);
    } catch (error) {
      await this.close();
      throw error;
    }
    return this;
  }

  detect(frame: RgbFrame, regions: readonly Region[]): Promise<Detection[]> {
    if (this.#closed) {
      return Promise.reject(
        new HuishiError("DETECTOR_CLOSED", "The detector was closed; it takes no more frames."),
      );
    }
    const result = this.#inFlight.then(() => this.#detect(frame, regions));
    this.#inFlight = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inFlight;
    await this.#model.close();
  }

  async #detect(frame: RgbFrame, regions: readonly Region[]): Promise<Detection[]> {
    const found: RegionDetections[] = [];
    for (const wanted of regions) {
      const region = insideFrame(wanted, frame);
      if (region) found.push(await this.#look(frame, region));
    }
    return mergeRegionDetections(found, frame, this.inputSize);
  }

  async #look(frame: RgbFrame, region: Region): Promise<RegionDetections> {
    const placement = this.#input.put(frame, region);
    const outputs = await this.#model.run(this.#input.values, this.#input.dims);
    const detections = this.#decoder
      .decode(outputs, this.#minScore)
      .map((detection) => ({ ...detection, box: withinRegion(detection.box, placement) }));
    return { region, detections, isDistinct: this.#decoder.isDistinct };
  }
}

/** From fractions of the model's input to fractions of the region that was put there, clipped to it. */
function withinRegion(box: Box, placement: Placement): Box {
  const left = clamp01((box.x - placement.x) / placement.w);
  const top = clamp01((box.y - placement.y) / placement.h);
  const right = clamp01((box.x + box.w - placement.x) / placement.w);
  const bottom = clamp01((box.y + box.h - placement.y) / placement.h);
  return { x: left, y: top, w: right - left, h: bottom - top };
}

function clamp01(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** The part of the region that lies in the frame, on whole pixels; null when nothing does. */
function insideFrame(region: Region, frame: RgbFrame): Region | null {
  const x = Math.min(Math.max(Math.floor(region.x), 0), frame.width);
  const y = Math.min(Math.max(Math.floor(region.y), 0), frame.height);
  const w = Math.min(Math.ceil(region.x + region.w), frame.width) - x;
  const h = Math.min(Math.ceil(region.y + region.h), frame.height) - y;
  return w > 0 && h > 0 ? { ...region, x, y, w, h } : null;
}
