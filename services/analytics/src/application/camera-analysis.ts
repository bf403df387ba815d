import {
  type AnalysedCamera,
  ANALYTICS_STAGES,
  type AnalyticsStage,
  type MediaBus,
  type Sampling,
  type StreamProfile,
} from "@huishi/contracts";
import { type Clock, HuishiError, supervise } from "@huishi/kernel";
import type { AlarmWriter } from "./alarm-writer.ts";
import type { AnalysisSpans } from "./analysis-spans.ts";
import { CameraScene } from "./camera-scene.ts";
import type { FaultLog } from "./fault-log.ts";
import type { PerceptionWriter } from "./perception-writer.ts";
import type {
  AnalysedFrame,
  CameraFeed,
  CameraPlan,
  InferencePool,
  Meter,
  SensorWatch,
  StageMs,
} from "./ports.ts";
import { samplingOf } from "./sampling.ts";
import type { PictureReports } from "./picture/picture-reports.ts";
import { RuleClasses } from "./rule-classes.ts";
import type { TrackIds } from "./track-ids.ts";

/** What all cameras share. */
export interface AnalysisParts {
  readonly pool: InferencePool;
  readonly mediaBus: MediaBus;
  readonly trackIds: TrackIds;
  readonly perception: PerceptionWriter;
  readonly spans?: AnalysisSpans;
  readonly alarms: AlarmWriter;
  /** Where it is told what is wrong with pictures. */
  readonly pictures?: PictureReports;
  readonly meter: Meter;
  readonly faults: FaultLog;
  readonly clock: Clock;
  readonly sampleFps: number;
  /** Without it no sensor condition of a rule holds. */
  readonly sensors?: SensorWatch;
}

export type CameraStats = AnalysedCamera;

/** A model that is missing or corrupt, a process that died: tried again after these pauses. */
const RETRY = { baseDelayMs: 500, maxDelayMs: 5_000, healthyAfterMs: 30_000 };
/** Over as soon as a detector was opened. */
const DETECTOR_FAULTS = ["MODEL_MISSING", "MODEL_CORRUPT", "MODEL_MISMATCH", "EXECUTION_PROVIDER_MISSING"];
const FAULT = {
  code: "ANALYSIS_FAILED",
  message: "the analysis of a camera failed and goes on with its next frame or start",
};

/** The small stream where there is one: the detector sees 300 pixels, the network carries a fifth. */
export function analysedProfile(plan: CameraPlan): StreamProfile {
  return plan.profiles.includes("sub") ? "sub" : "main";
}

/**
 * One camera under analysis, from `start` to `stop`. Subscribing to its stream is what makes the picture leave
 * the field; without frames nothing is concluded.
 */
export class CameraAnalysis {
  readonly profile: StreamProfile;
  readonly sampling: Sampling;
  readonly #parts: AnalysisParts;
  readonly #scene: CameraScene;
  readonly #cameraId: string;
  readonly #cameraNo: number;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  readonly #ruleClasses: RuleClasses;
  #feed: CameraFeed | null = null;
  #isRunning = false;
  #framesAnalysed = 0;
  #samplesDropped = 0;
  #inferences = 0;
  readonly #stageSumsMs = new Map<AnalyticsStage, number>();
  #lastCapturedAtMs: number | null = null;

  constructor(plan: CameraPlan, parts: AnalysisParts) {
    this.profile = analysedProfile(plan);
    this.sampling = samplingOf(plan.rules, parts.sampleFps);
    this.#cameraId = plan.cameraId;
    this.#cameraNo = plan.cameraNo;
    this.#parts = parts;
    this.#scene = new CameraScene(plan, parts.trackIds, parts.sensors);
    this.#ruleClasses = new RuleClasses(plan.cameraId, plan.rules, parts.faults);
    this.#tellIdleRules();
    this.#running = supervise(
      { name: `analysis of ${plan.cameraId}`, run: (signal) => this.#run(signal) },
      this.#stop.signal,
      { ...RETRY, onFailure: ({ error }) => parts.faults.report(error, FAULT, { cameraId: plan.cameraId }) },
    );
  }

  /** Takes edited zones and rules; they hold from the next frame on. */
  replace(plan: CameraPlan): void {
    this.#scene.replace(plan);
    this.#ruleClasses.replace(plan.rules);
    this.#feed?.watch?.(this.#scene.watch);
    this.#tellIdleRules();
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the analysis was stopped"));
    await this.#running;
    this.#scene.close();
  }

  stats(): CameraStats {
    return {
      cameraId: this.#cameraId,
      profile: this.profile,
      sampling: this.sampling,
      isRunning: this.#isRunning,
      framesAnalysed: this.#framesAnalysed,
      samplesDropped: this.#samplesDropped,
      lastCapturedAtMs: this.#lastCapturedAtMs,
      inferencesPerFrame: rounded(this.#inferences / Math.max(this.#framesAnalysed, 1)),
      stageMs: ANALYTICS_STAGES.flatMap((stage) => {
        const sumMs = this.#stageSumsMs.get(stage);
        return sumMs === undefined ? [] : [{ stage, meanMs: rounded(sumMs / this.#framesAnalysed) }];
      }),
      ruleFaults: [...this.#ruleClasses.faults],
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { pool, mediaBus, trackIds, meter, faults, sampleFps } = this.#parts;
    await trackIds.prepare();
    const end = new Ending(signal);
    const { watch } = this.#scene;
    const feed = await pool.open({
      cameraId: this.#cameraId,
      sampleFps,
      sampling: this.sampling,
      ...(watch && { watch }),
      onFrame: (frame) => this.#tryTake(frame, feed),
      onDrop: (reason, count) => {
        this.#samplesDropped += count;
        meter.dropped(reason, count);
      },
      onFault: (error) => end.fail(error),
    });
    this.#feed = feed;
    // The plan may have been edited while the process started.
    feed.watch?.(this.#scene.watch);
    for (const code of DETECTOR_FAULTS) faults.recovered(code);
    this.#ruleClasses.modelKnows(feed.classes);
    this.#parts.pictures?.unknown(this.#cameraId);
    const unsubscribe = mediaBus.subscribe(
      { cameraId: this.#cameraId, profile: this.profile },
      (unit) => feed.push(unit),
      this.sampling,
    );
    this.#isRunning = true;
    try {
      await end.reached;
    } finally {
      this.#isRunning = false;
      this.#feed = null;
      unsubscribe();
      await feed.close();
      this.#parts.pictures?.unknown(this.#cameraId);
      // The next feed's tracker knows nothing of these tracks.
      this.#parts.perception.write(this.#scene.finish());
    }
  }

  #tellIdleRules(): void {
    for (const { ruleId, hindrance } of this.#scene.idleRules) {
      const fault = new HuishiError(
        "RULE_IDLE",
        "a rule does nothing as it is: see `hindrance`, and edit it",
      );
      this.#parts.faults.report(fault, FAULT, { cameraId: this.#cameraId, ruleId, hindrance });
    }
  }

  /** One frame that cannot be interpreted costs that frame, not the service. */
  #tryTake(frame: AnalysedFrame, feed: CameraFeed): void {
    try {
      this.#take(frame, feed);
    } catch (error) {
      this.#samplesDropped += 1;
      this.#parts.meter.dropped("interpretation_failed", 1);
      this.#parts.faults.report(error, FAULT, { cameraId: this.#cameraId });
    }
  }

  #take(frame: AnalysedFrame, feed: CameraFeed): void {
    const { perception, alarms, mediaBus, clock, spans } = this.#parts;
    const startedMs = performance.now();
    const update = this.#scene.interpret(frame);
    // Alarms first: everything else may wait for them, never the other way round.
    if (update.alarms) alarms.push(update.alarms, () => feed.snapshot(frame.capturedAtMs));
    mediaBus.publishScene(update.scene);
    perception.write(update);
    spans?.saw(this.#cameraNo, frame.capturedAtMs);
    if (frame.verdict) this.#parts.pictures?.saw(this.#cameraId, frame.verdict);
    const stageMs = { ...frame.stageMs, rules: performance.now() - startedMs };
    this.#count(frame, stageMs);
    this.#parts.meter.frame(stageMs, clock.nowMs() - frame.capturedAtMs);
  }

  #count(frame: AnalysedFrame, stageMs: StageMs): void {
    this.#framesAnalysed += 1;
    this.#lastCapturedAtMs = frame.capturedAtMs;
    this.#inferences += frame.inferences ?? 0;
    for (const stage of ANALYTICS_STAGES) {
      const tookMs = stageMs[stage];
      if (tookMs !== undefined) this.#stageSumsMs.set(stage, (this.#stageSumsMs.get(stage) ?? 0) + tookMs);
    }
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** Resolves when the signal aborts, rejects when the feed fails first. */
class Ending {
  readonly reached: Promise<void>;
  #reject: (error: HuishiError) => void = () => undefined;

  constructor(signal: AbortSignal) {
    this.reached = new Promise((resolve, reject) => {
      this.#reject = reject;
      if (signal.aborted) resolve();
      else signal.addEventListener("abort", () => resolve(), { once: true });
    });
    // The feed may fail before anybody waits.
    this.reached.catch(() => undefined);
  }

  fail(error: HuishiError): void {
    this.#reject(error);
  }
}
