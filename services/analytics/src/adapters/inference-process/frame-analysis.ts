/** What is done with one camera's frames: motion gate, choice of regions, detection, tracking. */
import type { ObjectClass } from "@huishi/contracts";
import type { Detector } from "../../application/detector.ts";
import {
  type Detection,
  type InferenceCredit,
  MotionGate,
  type Region,
  regionBox,
  RegionPlanner,
  Tracker,
} from "../../domain/index.ts";
import type { DecodedFrame } from "../ffmpeg/index.ts";
import { appearanceOf } from "./appearance.ts";
import type { FeedSettings, FrameResult } from "./messages.ts";
import { SmallLuma } from "./small-luma.ts";

/** What depends on the size of the frames. */
interface View {
  readonly width: number;
  readonly height: number;
  readonly luma: SmallLuma;
  readonly gate: MotionGate;
  readonly planner: RegionPlanner;
}

/** Close looks a second that a camera gets at most: above 6 samples a second they are shared out over the frames. */
const CROPS_PER_SECOND = 20;
const MOST_CROPS = 3;

export class FrameAnalysis {
  readonly #settings: FeedSettings;
  readonly #detector: Detector;
  readonly #classes: ReadonlySet<ObjectClass>;
  readonly #credit: InferenceCredit | null;
  #view: View | null = null;
  #tracker: Tracker | null = null;
  #tracks: FrameResult["tracks"] = [];
  #cropsDue = 0;

  /** @param credit what the camera may spend; without one every look that is of use is taken */
  constructor(settings: FeedSettings, detector: Detector, credit: InferenceCredit | null = null) {
    this.#credit = credit;
    this.#settings = settings;
    this.#detector = detector;
    this.#classes = new Set(settings.classes ?? detector.classes);
  }

  /** @throws HuishiError DETECTOR_INVALID_OUTPUT, DETECTOR_CLOSED */
  async analyse(frame: DecodedFrame, queueMs: number): Promise<FrameResult> {
    const { capturedAtMs } = frame;
    const view = this.#viewOf(frame);
    this.#tracker ??= new Tracker({ firstTrackId: 1, aspectRatio: frame.width / frame.height });

    const startMs = performance.now();
    const regions = this.#regions(view, frame, this.#credit?.next(queueMs) ?? Infinity);
    this.#credit?.spend(regions.length);
    const gatedMs = performance.now();
    const detections = regions.length === 0 ? [] : this.#wanted(await this.#detector.detect(frame, regions));
    const detectedMs = performance.now();
    const observed = regions.map((region) => regionBox(region, frame));
    const { tracks, ended } = this.#tracker.update(detections, capturedAtMs, observed, (box) =>
      appearanceOf(frame, box),
    );
    this.#tracks = tracks;
    return {
      cameraId: this.#settings.cameraId,
      capturedAtMs,
      tracks,
      ended,
      detections,
      regions,
      inferences: regions.length,
      stageMs: {
        decode: frame.decodeMs,
        queue: queueMs,
        gate: gatedMs - startMs,
        detect: detectedMs - gatedMs,
        track: performance.now() - detectedMs,
      },
    };
  }

  #regions(view: View, frame: DecodedFrame, maxRegions: number): Region[] {
    if (this.#settings.motionGate === false)
      return maxRegions < 1 ? [] : [{ kind: "whole", x: 0, y: 0, w: frame.width, h: frame.height }];
    const { boxes, lightingStep } = view.gate.update(view.luma.update(frame), frame.capturedAtMs);
    return view.planner.plan({
      capturedAtMs: frame.capturedAtMs,
      motion: boxes,
      tracks: this.#tracks,
      lightingStep,
      maxCrops: this.#cropsAllowed(),
      maxRegions,
    });
  }

  /** Crops for this frame, out of the camera's share. */
  #cropsAllowed(): number {
    this.#cropsDue = Math.min(MOST_CROPS, this.#cropsDue + CROPS_PER_SECOND / this.#settings.sampleFps);
    const allowed = Math.floor(this.#cropsDue);
    this.#cropsDue -= allowed;
    return allowed;
  }

  #wanted(detections: readonly Detection[]): Detection[] {
    return detections.filter(({ objectClass }) => this.#classes.has(objectClass));
  }

  /** A camera that changes its resolution keeps its tracks: they are in fractions of the picture. */
  #viewOf({ width, height }: FrameSize): View {
    if (this.#view?.width === width && this.#view.height === height) return this.#view;
    const luma = new SmallLuma({ width, height });
    this.#view = {
      width,
      height,
      luma,
      gate: new MotionGate({ width: luma.width, height: luma.height }),
      planner: new RegionPlanner({ width, height, inputSide: this.#detector.inputSize }),
    };
    return this.#view;
  }
}

type FrameSize = Pick<DecodedFrame, "width" | "height">;
