import { type Box, HuishiError, messageOf } from "@huishi/kernel";
import { InferenceSession, Tensor } from "onnxruntime-node";
import type { ObjectClass } from "@huishi/contracts";
import type { Detector, RgbFrame } from "../../application/detector.ts";
import {
  type Detection,
  mergeRegionDetections,
  type Region,
  type RegionDetections,
} from "../../domain/index.ts";
import type { LoadedModel } from "./model-registry.ts";
import { type Placement, RegionResizer } from "./resize-region.ts";
import { ssdAnchors } from "./ssd-anchors.ts";
import { decodeSsd } from "./ssd-decoder.ts";

export interface OnnxDetectorOptions {
  /** Candidates below this score are not reported; rules set their own, higher bound. */
  readonly minScore: number;
}

const defaultOptions: OnnxDetectorOptions = { minScore: 0.3 };

/**
 * Session options for one inference process among several: one thread each (several single-thread processes beat one
 * with many threads), and no spinning, which burns as much CPU again when the cores are busy.
 */
export const sessionOptions: InferenceSession.SessionOptions = {
  executionProviders: ["cpu"],
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
  executionMode: "sequential",
  graphOptimizationLevel: "all",
  logSeverityLevel: 3,
  extra: { session: { intra_op: { allow_spinning: "0" }, inter_op: { allow_spinning: "0" } } },
};

/** `Detector` on onnxruntime-node. `session.run` blocks the event loop: use it in a process of its own. */
export class OnnxDetector implements Detector {
  readonly classes: readonly ObjectClass[];
  readonly inputSize: number;
  readonly #session: InferenceSession;
  readonly #model: LoadedModel;
  readonly #options: OnnxDetectorOptions;
  readonly #anchors: Float32Array;
  readonly #resizer: RegionResizer;
  readonly #pixels: Uint8Array;
  #inFlight: Promise<unknown> = Promise.resolve();
  #closed = false;

  private constructor(session: InferenceSession, model: LoadedModel, options: OnnxDetectorOptions) {
    const { input, classes, decoder } = model.record;
    this.classes = classes;
    this.inputSize = input.size;
    this.#session = session;
    this.#model = model;
    this.#options = options;
    this.#anchors = ssdAnchors(decoder.gridSizes);
    this.#resizer = new RegionResizer(input.size);
    this.#pixels = new Uint8Array(input.size * input.size * 3);
  }

  /** @throws HuishiError MODEL_CORRUPT when the runtime cannot read the file */
  static async open(model: LoadedModel, options: Partial<OnnxDetectorOptions> = {}): Promise<OnnxDetector> {
    let session: InferenceSession;
    try {
      session = await InferenceSession.create(model.bytes, sessionOptions);
    } catch (cause) {
      throw new HuishiError(
        "MODEL_CORRUPT",
        `The runtime cannot read the model ${model.record.id} (${messageOf(cause)}): run "npm run build:model".`,
        { cause },
      );
    }
    return new OnnxDetector(session, model, { ...defaultOptions, ...options });
  }

  detect(frame: RgbFrame, regions: readonly Region[]): Promise<Detection[]> {
    if (this.#closed) {
      return Promise.reject(
        new HuishiError("DETECTOR_CLOSED", "The detector was closed; it takes no more frames."),
      );
    }
    // One at a time: the pixel buffer is shared between calls.
    const result = this.#inFlight.then(() => this.#detect(frame, regions));
    this.#inFlight = result.catch(() => undefined);
    return result;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inFlight;
    await this.#session.release();
  }

  async #detect(frame: RgbFrame, regions: readonly Region[]): Promise<Detection[]> {
    const found: RegionDetections[] = [];
    for (const wanted of regions) {
      const region = insideFrame(wanted, frame);
      if (region) found.push({ region, detections: await this.#look(frame, region) });
    }
    return mergeRegionDetections(found, frame);
  }

  async #look(frame: RgbFrame, region: Region): Promise<Detection[]> {
    const { input, decoder, classes } = this.#model.record;
    const placement = this.#resizer.resize(frame, region, this.#pixels);
    const pixels = new Tensor("uint8", this.#pixels, [1, input.size, input.size, 3]);
    const outputs = await this.#session.run({ [input.name]: pixels });
    const boxes = outputs[decoder.boxes]?.data;
    const scores = outputs[decoder.scores]?.data;
    if (!(boxes instanceof Float32Array) || !(scores instanceof Float32Array)) {
      throw new HuishiError(
        "MODEL_CORRUPT",
        `The model ${this.#model.record.id} has no float outputs ${decoder.boxes} and ${decoder.scores}: run "npm run build:model".`,
      );
    }
    return decodeSsd({ boxes, scores }, this.#anchors, classes, this.#options.minScore).map((detection) => ({
      ...detection,
      box: withinRegion(detection.box, placement),
    }));
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
