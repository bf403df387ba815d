import { setImmediate as nextTurn } from "node:timers/promises";
import { HuishiError } from "@huishi/kernel";
import {
  FrameTimeline,
  SensorHistory,
  type StoredFrame,
  type TrackHistory,
  TrackReplay,
} from "../../domain/index.ts";
import type { FrameListener, FrameSource, LookedAt, RehearsalJob, StoredPerception } from "./ports.ts";

/** Live cameras share the event loop: after so long it is theirs for as long again. */
const SLICE_MS = 4;

/** Frames out of the store, page by page: at no time is more than one page in memory. */
export class StoredTracks implements FrameSource {
  readonly #store: StoredPerception;
  readonly #sampleFps: number;

  constructor(options: { readonly store: StoredPerception; readonly sampleFps: number }) {
    this.#store = options.store;
    this.#sampleFps = options.sampleFps;
  }

  async play(job: RehearsalJob, listener: FrameListener, signal: AbortSignal): Promise<LookedAt> {
    if (job.source.kind !== "tracks") throw new TypeError("not a rehearsal over stored tracks");
    const { fromMs, toMs } = job.source;
    const camera = await this.#store.camera(job.cameraId);
    if (!camera) throw new HuishiError("REHEARSAL_CAMERA_GONE", "The camera was deleted in the meantime.");
    const { cameraNo, aspectRatio } = camera;
    const histories = new Map<number, TrackHistory>();
    const replay = new TrackReplay({ aspectRatio, historyOf: (id) => histories.get(id) });
    const range = { fromMs, toMs };
    const timeline = new FrameTimeline({
      range,
      intervalMs: 1_000 / this.#sampleFps,
      spans: await this.#store.spans(cameraNo, range),
    });
    const sensors = new PastSensors(this.#store, job);
    listener.onBegin({ sensors: sensors.history });
    const pace = new Pace(signal);
    const picture = { aspectRatio };
    const play = async (frames: Iterable<StoredFrame>): Promise<void> => {
      for (const { capturedAtMs, sightings } of frames) {
        sensors.history.moveTo(capturedAtMs);
        listener.onFrame({ capturedAtMs, tracks: replay.update(sightings, capturedAtMs), picture });
        if (pace.isDue) {
          listener.onProgress((capturedAtMs - fromMs) / (toMs - fromMs));
          await pace.rest();
        }
      }
    };
    for (let afterMs = fromMs - 1; ;) {
      signal.throwIfAborted();
      const page = await this.#store.frames(cameraNo, { afterMs, toMs });
      const last = page.at(-1);
      if (!last) break;
      afterMs = last.capturedAtMs;
      await this.#learn(histories, page);
      await sensors.readUpTo(afterMs);
      for (const frame of page) await play(timeline.until(frame));
    }
    await sensors.readUpTo(toMs);
    await play(timeline.rest());
    return { ...range, coveredMs: Math.min(timeline.coveredMs, toMs - fromMs), looked: timeline.looked };
  }

  /** Keeps the histories of the tracks in the page, and no others. */
  async #learn(histories: Map<number, TrackHistory>, page: readonly StoredFrame[]): Promise<void> {
    const ids = new Set(page.flatMap(({ sightings }) => sightings.map(({ trackId }) => trackId)));
    const unknown = [...ids].filter((id) => !histories.has(id));
    for (const id of histories.keys()) if (!ids.has(id)) histories.delete(id);
    if (unknown.length === 0) return;
    for (const [id, history] of await this.#store.histories(unknown)) histories.set(id, history);
  }
}

/** Readings of the sensors that the rules name, read along with the frames. */
class PastSensors {
  readonly history = new SensorHistory();
  readonly #store: StoredPerception;
  readonly #ids: readonly string[];
  #readMs: number;

  constructor(store: StoredPerception, { subject, baseline, source }: RehearsalJob) {
    const conditions = [subject.rule.sensor, baseline?.rule.sensor].flatMap((sensor) => sensor ?? []);
    this.#store = store;
    this.#ids = [...new Set(conditions.map(({ datastreamId }) => datastreamId))];
    const longestMs = Math.max(0, ...conditions.map(({ maxAgeMs }) => maxAgeMs));
    this.#readMs = (source.kind === "tracks" ? source.fromMs : 0) - longestMs - 1;
  }

  async readUpTo(toMs: number): Promise<void> {
    if (this.#ids.length === 0 || toMs <= this.#readMs) return;
    this.history.add(await this.#store.readings(this.#ids, { afterMs: this.#readMs, toMs }));
    this.#readMs = toMs;
  }
}

/** Works in slices and gives the event loop back between them. */
class Pace {
  readonly #signal: AbortSignal;
  #sinceMs = performance.now();
  #frames = 0;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  get isDue(): boolean {
    // Looking at the clock costs more than a frame without tracks.
    return ++this.#frames % 16 === 0 && performance.now() - this.#sinceMs >= SLICE_MS;
  }

  async rest(): Promise<void> {
    this.#signal.throwIfAborted();
    await nextTurn();
    this.#sinceMs = performance.now();
  }
}
