import type { ObjectClass, SceneFrame } from "@huishi/contracts";
import {
  type BackgroundWatch,
  backgroundWatch,
  type CrossedOutcome,
  type HinderedRule,
  type PictureFacts,
  RuleEngine,
  type Track,
} from "../domain/index.ts";
import { type FrameAlarms, frameAlarms, rounded, roundedBox } from "./alarms.ts";
import { OccupancyRecorder } from "./occupancy-recorder.ts";
import type { AnalysedFrame, CameraPlan, SensorWatch } from "./ports.ts";
import {
  classCode,
  type CrossingRow,
  type DetectionRow,
  detectionRow,
  type OccupancyRow,
  type TrackRow,
} from "./records.ts";
import type { TrackIds } from "./track-ids.ts";
import { TrackRecorder } from "./track-recorder.ts";

/** Everything that one analysed frame means: what is stored, what is shown, what is alarming. */
export interface SceneUpdate {
  readonly scene: SceneFrame;
  readonly detections: readonly DetectionRow[];
  readonly tracks: readonly TrackRow[];
  readonly crossings: readonly CrossingRow[];
  readonly occupancy: readonly OccupancyRow[];
  readonly alarms: FrameAlarms | null;
}

/** No session lives long enough to see more static regions. */
const REGIONS_A_SESSION = 1e9;

type LineCounts = NonNullable<SceneFrame["lineCounts"]>;

/**
 * One camera's scene: from its tracker's results to rows, boxes and alarms. No I/O. Only tracks that were once
 * confirmed count; a tentative one is not believed yet.
 */
export class CameraScene {
  readonly #trackIds: TrackIds;
  readonly #recorder: TrackRecorder;
  readonly #occupancy: OccupancyRecorder;
  readonly #engine: RuleEngine;
  readonly #sensors: SensorWatch | undefined;
  readonly #lineCounts = new Map<string, { leftToRight: number; rightToLeft: number }>();
  #plan: CameraPlan;
  #session: number | null = null;
  /** The tracker's own id -> the id that is never reused. */
  #ids = new Map<number, number>();

  /** @param sensors without them no sensor condition ever holds */
  constructor(plan: CameraPlan, trackIds: TrackIds, sensors?: SensorWatch) {
    this.#plan = plan;
    this.#trackIds = trackIds;
    this.#recorder = new TrackRecorder(plan.cameraNo);
    this.#occupancy = new OccupancyRecorder(plan.zones);
    this.#sensors = sensors;
    this.#engine = new RuleEngine(plan.rules, plan.zones, undefined, {
      groundPlane: plan.groundPlane ?? null,
      ...(sensors && { sensors }),
    });
    this.#watchSensors();
  }

  /** Rules that do nothing as they are, and why. */
  get idleRules(): readonly HinderedRule[] {
    return this.#engine.idle;
  }

  /** What the camera's pictures must be looked at for. */
  get watch(): BackgroundWatch | null {
    return backgroundWatch(this.#plan.rules, this.#plan.zones);
  }

  /** Takes an edited plan of the same camera; rules that did not change keep their state. */
  replace(plan: CameraPlan): void {
    this.#plan = plan;
    this.#occupancy.replace(plan.zones);
    this.#engine.replace(plan.rules, plan.zones, plan.groundPlane ?? null);
    this.#watchSensors();
    for (const ruleId of this.#lineCounts.keys()) {
      if (!plan.rules.some((rule) => rule.id === ruleId)) this.#lineCounts.delete(ruleId);
    }
  }

  interpret(frame: AnalysedFrame): SceneUpdate {
    const orphaned = frame.session === this.#session ? [] : this.#beginSession(frame.session);
    const { capturedAtMs } = frame;
    const believed = frame.tracks.filter((track) => track.state !== "tentative");
    const tracks = believed.map((track) => this.#numbered(track));
    const ended = frame.ended.map((track) => this.#numbered(track));
    const trackRows = [...orphaned, ...this.#recorder.update(tracks, ended, capturedAtMs)];
    for (const track of frame.ended) this.#ids.delete(track.id);

    const outcomes = this.#engine.update(tracks, capturedAtMs, this.#pictureOf(frame));
    const crossed = outcomes.filter((outcome) => outcome.type === "crossed");
    this.#count(crossed);
    return {
      scene: this.#sceneFrame(tracks, capturedAtMs),
      detections: tracks
        .filter((track) => track.observed)
        .map((track) => detectionRow(track, this.#plan.cameraNo, capturedAtMs)),
      tracks: trackRows,
      crossings: crossed.map((outcome) => this.#crossingRow(outcome)),
      occupancy: this.#occupancy.update(tracks, capturedAtMs),
      alarms: frameAlarms({ cameraId: this.#plan.cameraId, capturedAtMs, tracks }, outcomes, this.#plan),
    };
  }

  /** The camera is not analysed any more. */
  close(): void {
    this.#sensors?.watch(this.#plan.cameraId, []);
  }

  /** Ends the living tracks and the open minute: the analysis of this camera stops. */
  finish(): { readonly tracks: TrackRow[]; readonly occupancy: OccupancyRow[] } {
    return { tracks: this.#endTracks(), occupancy: this.#occupancy.finish() };
  }

  /** A new session counts its regions from 1 again: here their ids are never reused. */
  #pictureOf({ picture = {}, session }: AnalysedFrame): PictureFacts {
    const { staticRegions } = picture;
    if (staticRegions === undefined || staticRegions.length === 0) return picture;
    const regions = staticRegions.map((region) => ({
      ...region,
      id: session * REGIONS_A_SESSION + region.id,
    }));
    return { ...picture, staticRegions: regions };
  }

  #watchSensors(): void {
    const wanted = this.#plan.rules.flatMap(({ enabled, sensor }) =>
      enabled && sensor ? [sensor.datastreamId] : [],
    );
    this.#sensors?.watch(this.#plan.cameraId, wanted);
  }

  /** The tracker began anew: what it followed before has ended without a word. */
  #beginSession(session: number): TrackRow[] {
    const rows = this.#endTracks();
    this.#session = session;
    return rows;
  }

  #endTracks(): TrackRow[] {
    this.#session = null;
    this.#ids = new Map();
    return this.#recorder.finish();
  }

  #numbered(track: Track): Track {
    let id = this.#ids.get(track.id);
    if (id === undefined) {
      id = this.#trackIds.take();
      this.#ids.set(track.id, id);
    }
    return { ...track, id };
  }

  #count(crossed: readonly CrossedOutcome[]): void {
    for (const { ruleId, direction } of crossed) {
      const counts = this.#lineCounts.get(ruleId) ?? { leftToRight: 0, rightToLeft: 0 };
      this.#lineCounts.set(ruleId, counts);
      counts[direction === "left_to_right" ? "leftToRight" : "rightToLeft"] += 1;
    }
  }

  #crossingRow(outcome: CrossedOutcome): CrossingRow {
    return {
      crossedAtMs: outcome.capturedAtMs,
      ruleId: outcome.ruleId,
      cameraNo: this.#plan.cameraNo,
      trackId: outcome.trackId,
      classCode: classCode(outcome.objectClass),
      leftToRight: outcome.direction === "left_to_right",
    };
  }

  /** A lost track is a guess: it is followed, but not shown. */
  #sceneFrame(tracks: readonly Track[], capturedAtMs: number): SceneFrame {
    const shown = tracks.filter((track) => track.state === "confirmed");
    const scene = {
      cameraId: this.#plan.cameraId,
      capturedAtMs,
      tracks: shown.map((track) => ({
        id: String(track.id),
        objectClass: track.objectClass satisfies ObjectClass,
        score: rounded(track.lastScore),
        box: roundedBox(track.box),
      })),
    };
    const lineCounts = this.#lines();
    return lineCounts === null ? scene : { ...scene, lineCounts };
  }

  /** Counting lines show their zero too; null when the camera has none. */
  #lines(): LineCounts | null {
    const lines = this.#plan.rules.filter((rule) => rule.enabled && rule.kind === "line_crossing");
    if (lines.length === 0) return null;
    return Object.fromEntries(
      lines.map((rule) => [
        rule.id,
        { ...(this.#lineCounts.get(rule.id) ?? { leftToRight: 0, rightToLeft: 0 }) },
      ]),
    );
  }
}
