/** What the analysis needs from outside. Adapters fulfil these; tests bring their own. */
import type {
  AccessUnit,
  AnalyticsStage,
  ObjectClass,
  Rule,
  Sampling,
  StreamProfile,
  Zone,
} from "@huishi/contracts";
import type { GroundPlane, HuishiError } from "@huishi/kernel";
import type { BackgroundWatch, PictureFacts, SensorReadings, Track } from "../domain/index.ts";
import type { PictureVerdict } from "./picture/picture-look.ts";
import type { CrossingRow, DetectionRow, OccupancyRow, TrackRow } from "./records.ts";
import type { AlarmReceipt, FrameAlarms } from "./alarms.ts";

/** One sampled frame after detection and tracking. Frames of one camera come in order of their capture. */
export interface AnalysedFrame {
  readonly cameraId: string;
  /** Changes whenever the camera's tracker began anew (its process was replaced): its track ids then start over. */
  readonly session: number;
  readonly capturedAtMs: number;
  /** Track ids are the tracker's own; the application gives them numbers that are never reused. */
  readonly tracks: readonly Track[];
  readonly ended: readonly Track[];
  /** Where its time went so far. */
  readonly stageMs: StageMs;
  /** Inferences that it took. */
  readonly inferences?: number;
  /** Of the frames at which the picture itself was looked at: what is wrong with it. */
  readonly verdict?: PictureVerdict;
  /** What the picture tells beside them. */
  readonly picture?: PictureFacts;
}

export type StageMs = Readonly<Partial<Record<AnalyticsStage, number>>>;

export interface FeedOptions {
  readonly cameraId: string;
  /** Frames analysed a second, at most. */
  readonly sampleFps: number;
  /** `keyframes`: nothing else is decoded. Default: what `sampleFps` needs. */
  readonly sampling?: Sampling;
  /** As `CameraFeed.watch`, from the start. */
  readonly watch?: BackgroundWatch;
  readonly onFrame: (frame: AnalysedFrame) => void;
  /** Samples that were not analysed, by reason (snake case). */
  readonly onDrop: (reason: string, count: number) => void;
  /** The feed is dead: its process ended. It must be closed and may be opened again. Called at most once. */
  readonly onFault: (error: HuishiError) => void;
}

/** One camera's way into inference. */
export interface CameraFeed {
  /** The classes that its detector can report; absent: not told. */
  readonly classes?: readonly ObjectClass[];
  /** Never waits: a process that is behind drops, and says so through `onDrop`. */
  push(unit: AccessUnit): void;
  /** What the pictures are looked at for beside their tracks; null: nothing. Without it: never anything. */
  watch?(watch: BackgroundWatch | null): void;
  /** The picture of a frame analysed a moment ago, as JPEG without drawings; null when it is kept no longer. */
  snapshot(capturedAtMs: number): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

/** The inference processes. */
export interface InferencePool {
  /** @throws HuishiError MODEL_MISSING, MODEL_CORRUPT */
  open(options: FeedOptions): Promise<CameraFeed>;
  /** Process ids of the children that run. */
  readonly pids?: readonly number[];
  close(): Promise<void>;
}

/** What is to be done for one camera, as people set it up. */
export interface CameraPlan {
  readonly cameraId: string;
  readonly cameraNo: number;
  /** Streams that the camera offers, from its device record. */
  readonly profiles: readonly StreamProfile[];
  readonly zones: readonly Zone[];
  readonly rules: readonly Rule[];
  /** How the camera's picture lies on the ground; null or absent: not known. */
  readonly groundPlane?: GroundPlane | null;
}

/** Latest values of the datastreams that rules name. */
export interface SensorWatch extends SensorReadings {
  /** What the camera's rules name from now on; replaces what they named before. */
  watch(cameraId: string, datastreamIds: readonly string[]): void;
}

/** A row of the change outbox: something was written or deleted. */
export interface PlanChange {
  readonly kind: "camera" | "zone" | "rule" | "deleted";
  readonly key: string;
  /** Of a deletion: what it was. */
  readonly what: string | null;
}

export interface PlanSelection {
  readonly cameraIds: readonly string[];
  readonly zoneIds: readonly string[];
  readonly ruleIds: readonly string[];
}

/** Cameras, zones and rules as they stand in the database. */
export interface PlanStore {
  readAll(): Promise<CameraPlan[]>;
  /** Plans of the named cameras and of those that own the named zones and rules. */
  read(selection: PlanSelection): Promise<CameraPlan[]>;
}

/** The change outbox, followed. */
export interface ChangeFeed {
  /**
   * Calls `onReady` once connected (everything committed before may be read then, everything after it will be
   * reported), then `onChanges` for each batch, one at a time and in order. Ends with the signal; throws when
   * the connection is lost.
   */
  run(
    signal: AbortSignal,
    listener: { onReady(): Promise<void>; onChanges(changes: readonly PlanChange[]): Promise<void> },
  ): Promise<void>;
}

/** Rows of perception. A batch that was given again after an error is written once. */
export interface RecordStore {
  writeDetections(rows: readonly DetectionRow[]): Promise<void>;
  writeTracks(rows: readonly TrackRow[]): Promise<void>;
  writeCrossings(rows: readonly CrossingRow[]): Promise<void>;
  writeOccupancy(rows: readonly OccupancyRow[]): Promise<void>;
}

export interface AlarmStore {
  /**
   * Writes what the rules of some frames said, in one transaction. A batch that was given again after an error
   * is written once. An occurrence within its rule's `dedupeMs` of an open alarm is counted there.
   */
  commit(batch: readonly FrameAlarms[]): Promise<AlarmReceipt[]>;
  addSnapshot(alarmId: string, jpeg: Uint8Array): Promise<void>;
}

export interface TrackIdSource {
  /** The first id of a block of `TRACK_ID_BLOCK` that nobody else gets. */
  takeBlock(): Promise<number>;
}

/** Structured log lines: fields first, then a fixed message. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Where the analysis says how it goes; the names of the metrics stand in metrics.ts. */
export interface Meter {
  /** A frame was analysed; `ageMs` from its capture to its result. */
  frame(stageMs: StageMs, ageMs: number): void;
  /** Something was perceived or asked for and is not there: by reason (snake case). */
  dropped(reason: string, count: number): void;
  rows(
    table: "detection" | "track" | "line_crossing" | "zone_occupancy",
    count: number,
    tookMs: number,
  ): void;
  /** From the deciding frame's capture to the commit. */
  alarm(kind: "opened" | "counted", ageMs: number): void;
}
