// Which streams are recorded on the agent's own disk.
import type {
  RecordingGap,
  RecordingGapReason,
  RecordingList,
  RecordingPolicy,
  RecordingState,
  SignedText,
  StreamProfile,
} from "@huishi/contracts";
import type { CapturedUnit, EventDraft, Log, StreamTap, TapListener } from "./ports.ts";
import type { Clock } from "@huishi/kernel";

export type RecordingGapDraft = RecordingGap;

/** Where one stream's pictures are kept. Called synchronously; writes behind the caller's back. */
export interface RecordingTrack {
  push(unit: CapturedUnit): void;
  /** No more pictures follow on the last one. */
  interrupted(reason: RecordingGapReason): void;
}

export interface RecordingRange {
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly fromMs: number;
  readonly toMs: number;
}

/** A clip that is ready to be sent; its segments stay until it is released. */
export interface PreparedClip {
  readonly signed: SignedText;
  readonly fromMs: number;
  readonly toMs: number;
  readonly gaps: readonly RecordingGap[];
  /** Of the whole content. */
  readonly bytes: number;
  chunks(fromByte: number): AsyncIterable<Uint8Array>;
  release(): void;
}

/** The ring buffer. */
export interface RecordingStore {
  track(cameraId: string, profile: StreamProfile): Promise<RecordingTrack>;
  setPolicy(policy: RecordingPolicy): void;
  state(): RecordingState;
  list(range: RecordingRange): RecordingList;
  /** @throws EdgeError RECORDING_NONE */
  prepareClip(range: RecordingRange, signal: AbortSignal): Promise<PreparedClip>;
}

export interface RecordingOptions {
  readonly store: RecordingStore;
  readonly log: Log;
  readonly clock: Clock;
  record(event: EventDraft): void;
}

/** Records the streams that the configuration names, for as long as their cameras have any. */
export class Recording implements TapListener {
  readonly #options: RecordingOptions;
  readonly #taps = new Map<string, StreamTap>();
  readonly #attached = new Map<string, () => void>();
  #wanted: ReadonlyMap<string, readonly StreamProfile[]> = new Map();

  constructor(options: RecordingOptions) {
    this.#options = options;
  }

  /** What is recorded from now on: profiles by camera. */
  configure(policy: RecordingPolicy, cameras: ReadonlyMap<string, readonly StreamProfile[]>): void {
    this.#options.store.setPolicy(policy);
    this.#wanted = cameras;
    this.#adjust();
  }

  tapReady(tap: StreamTap): void {
    this.tapGone(tap.cameraId);
    this.#taps.set(tap.cameraId, tap);
    this.#adjust();
  }

  tapGone(cameraId: string): void {
    this.#taps.delete(cameraId);
    this.#adjust();
  }

  /** Says what is missing in the recording of a stream. */
  gap(cameraId: string, profile: StreamProfile, { fromMs, toMs, reason }: RecordingGapDraft): void {
    if (reason === "unasked") return;
    const capturedAtMs = this.#options.clock.nowMs();
    this.#options.record({
      type: "media_gap",
      of: "recording",
      cameraId,
      profile,
      fromMs,
      toMs,
      reason,
      capturedAtMs,
    });
  }

  stop(): void {
    this.#wanted = new Map();
    this.#taps.clear();
    for (const detach of this.#attached.values()) detach();
    this.#attached.clear();
  }

  #adjust(): void {
    const wanted = new Map<string, { tap: StreamTap; profile: StreamProfile }>();
    for (const [cameraId, profiles] of this.#wanted) {
      const tap = this.#taps.get(cameraId);
      if (tap) for (const profile of profiles) wanted.set(`${cameraId}/${profile}`, { tap, profile });
    }
    for (const [key, detach] of this.#attached) {
      if (wanted.has(key)) continue;
      this.#attached.delete(key);
      detach();
    }
    for (const [key, { tap, profile }] of wanted)
      if (!this.#attached.has(key)) this.#attach(key, tap, profile);
  }

  #attach(key: string, tap: StreamTap, profile: StreamProfile): void {
    const { store, log } = this.#options;
    let isOver = false;
    let detach = (): void => void (isOver = true);
    this.#attached.set(key, () => detach());
    store.track(tap.cameraId, profile).then(
      (track) => {
        if (isOver) return;
        const off = tap.attach(profile, "recording", {
          onUnit: (unit) => track.push(unit),
          onInterrupted: () => track.interrupted("camera"),
        });
        detach = () => {
          off();
          // Whether the camera went or nobody wants it any more shows by what is configured.
          track.interrupted(this.#wanted.get(tap.cameraId)?.includes(profile) ? "camera" : "unasked");
        };
      },
      (err: unknown) => {
        log.error({ cameraId: tap.cameraId, profile, err }, "the recording of a stream cannot be opened");
        this.#attached.delete(key);
      },
    );
  }
}
