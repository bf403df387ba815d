/** What rehearsals need from outside. */
import type { GroundPlane } from "@huishi/kernel";
import type { RehearsalResult, RehearsalSource, RehearsalSubject } from "@huishi/contracts";
import type {
  AnalysedSpan,
  PictureFacts,
  SensorReading,
  Span,
  StoredFrame,
  Surroundings,
  Track,
  TrackHistory,
} from "../../domain/index.ts";

/** Stored tracks are quick, clips are slow: one does not wait for the other. */
export type RehearsalLane = RehearsalSource["kind"];

export interface RehearsalJob {
  readonly id: string;
  readonly cameraId: string;
  readonly subject: RehearsalSubject;
  readonly baseline: RehearsalSubject | null;
  readonly source: RehearsalSource;
}

/** The jobs, shared by all analytics processes. */
export interface RehearsalStore {
  /**
   * Takes the oldest job that waits, or whose worker has not beaten for a while; null when there is none. A job that was
   * taken three times without an end is given up (`REHEARSAL_GIVEN_UP`).
   */
  claim(worker: string, lane: RehearsalLane): Promise<RehearsalJob | null>;
  /** Says that the worker lives and how far it is. False: the job is no longer its own (cancelled, taken over). */
  beat(id: string, worker: string, progress: number): Promise<boolean>;
  finish(id: string, worker: string, result: RehearsalResult): Promise<void>;
  fail(id: string, worker: string, error: { readonly code: string; readonly message: string }): Promise<void>;
}

/** What analytics wrote about one camera. */
export interface StoredPerception {
  /** Null when there is no such camera. */
  camera(cameraId: string): Promise<{ readonly cameraNo: number; readonly aspectRatio: number } | null>;
  /** When its pictures were analysed; in order. */
  spans(cameraNo: number, range: Span): Promise<readonly AnalysedSpan[]>;
  /** The frames after `afterMs` (exclusive) and before `toMs` (exclusive), about 2000 rows of them. */
  frames(
    cameraNo: number,
    range: { readonly afterMs: number; readonly toMs: number },
  ): Promise<readonly StoredFrame[]>;
  histories(trackIds: readonly number[]): Promise<ReadonlyMap<number, TrackHistory>>;
  /**
   * What sensors measured after `afterMs` (exclusive) up to `toMs` (inclusive), in order of time, at most 200 000 values;
   * an id of no datastream gives none.
   */
  readings(
    datastreamIds: readonly string[],
    range: { readonly afterMs: number; readonly toMs: number },
  ): Promise<readonly SensorReading[]>;
}

export interface RehearsedFrame {
  readonly capturedAtMs: number;
  readonly tracks: readonly Track[];
  readonly picture: PictureFacts;
}

/** What was looked at, by the frames' own clock. */
export interface LookedAt {
  readonly fromMs: number;
  readonly toMs: number;
  readonly coveredMs: number;
  /** When pictures were looked at; short gaps are left out. */
  readonly looked: readonly Span[];
}

export interface FrameListener {
  /** Before the first frame: what sensors say beside it, where that is known. */
  onBegin(surroundings: Pick<Surroundings, "sensors">): void;
  onFrame(frame: RehearsedFrame): void;
  /** 0..1. */
  onProgress(progress: number): void;
}

export interface GroundPlanes {
  /** How the camera's picture lies on the ground; null when that is not known. */
  groundPlane(cameraId: string): Promise<GroundPlane | null>;
}

/** Where the frames of a rehearsal come from. */
export interface FrameSource {
  /** Calls for every frame in order of time. @throws HuishiError with the reason; the signal's reason when it aborts */
  play(job: RehearsalJob, listener: FrameListener, signal: AbortSignal): Promise<LookedAt>;
}

/** Clips as the api stored them. */
export interface ClipContents {
  /** The bytes, 1 MiB at a time. @throws HuishiError REHEARSAL_CLIP_GONE */
  read(clipId: string): AsyncIterable<Uint8Array>;
}
