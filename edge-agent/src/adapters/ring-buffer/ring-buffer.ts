import {
  type RecordingList,
  RECORDING_GAP_MS,
  type RecordingPolicy,
  type RecordingState,
  type StreamProfile,
} from "@huishi/contracts";
import { type Clock, sleep } from "@huishi/kernel";
import { mkdir, readdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import type { Log, Signer } from "../../application/ports.ts";
import type {
  PreparedClip,
  RecordingGapDraft,
  RecordingRange,
  RecordingStore,
} from "../../application/recording.ts";
import { EdgeError } from "../../domain/faults.ts";
import { recordingState, type Segment, stretchesOf } from "../../domain/recording-segments.ts";
import { prepareClip } from "./clip-content.ts";
import { DiskTrack } from "./recording-track.ts";

const TRIM_INTERVAL_MS = 5_000;
/** The next keyframe is waited for so long before a clip takes what is there. */
const SEAL_WAIT_MS = 5_000;
const MAX_LISTED = 400;
const ID = /^[a-z0-9-]{1,64}$/;

export interface RingBufferOptions {
  readonly folder: string;
  readonly agentId: string;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly log: Log;
  readonly policy: RecordingPolicy;
  readonly onGap: (cameraId: string, profile: StreamProfile, gap: RecordingGapDraft) => void;
  /** Kept free on the disk, for the outbox and the system; default 64 MiB. */
  readonly reserveBytes?: number;
  /** Default a minute. */
  readonly segmentMs?: number;
  /** Default 64 MiB. */
  readonly segmentBytes?: number;
  /** How long a clip waits for the keyframe that ends the segment being written; default 5 s. */
  readonly sealWaitMs?: number;
  readonly steadyMs?: () => number;
}

interface Track {
  readonly cameraId: string;
  readonly profile: StreamProfile;
  readonly disk: DiskTrack;
}

/**
 * Recordings of all cameras in one bound: the oldest segment of all goes first. The folder
 * `<camera>/<profile>/` with its file names is the index; nothing else has to agree with it after a kill.
 *
 * A power cut takes the last five seconds at most (datasync), a kill of the process what was not handed to the
 * system yet: less than a second.
 */
export class RingBuffer implements RecordingStore {
  readonly #options: RingBufferOptions;
  readonly #tracks = new Map<string, Promise<Track>>();
  readonly #open: Track[] = [];
  readonly #pinned = new Map<Segment, number>();
  readonly #stop = new AbortController();
  #trimming: Promise<boolean> | null = null;
  #keeping: Promise<void> = Promise.resolve();
  #policy: RecordingPolicy;
  #free = 0;
  #isFull = false;

  private constructor(options: RingBufferOptions) {
    this.#options = options;
    this.#policy = options.policy;
  }

  /** Opens what an earlier run left. @throws EdgeError STATE_DIR */
  static async open(options: RingBufferOptions): Promise<RingBuffer> {
    const ring = new RingBuffer(options);
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      for (const entry of await readdir(options.folder, { withFileTypes: true })) {
        const cameraId = entry.name;
        if (!entry.isDirectory() || !ID.test(cameraId)) continue;
        for (const profile of await readdir(join(options.folder, cameraId)))
          if (profile === "main" || profile === "sub") await ring.track(cameraId, profile);
      }
    } catch (cause) {
      throw new EdgeError("STATE_DIR", "the folder of recordings cannot be used", { cause });
    }
    await ring.#trim(false);
    ring.#keeping = ring.#keep();
    return ring;
  }

  get dropped(): number {
    return this.#open.reduce((sum, { disk }) => sum + disk.dropped, 0);
  }

  async track(cameraId: string, profile: StreamProfile): Promise<DiskTrack> {
    const key = `${cameraId}/${profile}`;
    const known = this.#tracks.get(key) ?? this.#openTrack(cameraId, profile);
    this.#tracks.set(key, known);
    try {
      return (await known).disk;
    } catch (error) {
      this.#tracks.delete(key);
      throw error;
    }
  }

  setPolicy(policy: RecordingPolicy): void {
    this.#policy = policy;
    this.#trimSoon();
  }

  state(): RecordingState {
    const { clock, reserveBytes = RESERVE_BYTES } = this.#options;
    const room = Math.max(0, this.#free - reserveBytes);
    return recordingState(this.#segments(), this.#policy, { nowMs: clock.nowMs(), room });
  }

  list({ cameraId, profile, fromMs, toMs }: RecordingRange): RecordingList {
    const disk = this.#find(cameraId, profile);
    const open = disk?.openSegment;
    const { stretches, gaps } = stretchesOf([...(disk?.segments ?? []), ...(open ? [open] : [])], {
      fromMs,
      toMs,
    });
    const listed = stretches.slice(0, MAX_LISTED);
    return {
      cameraId,
      profile,
      stretches: listed,
      gaps: gaps.slice(0, Math.max(0, listed.length - 1)),
      more: stretches.length > MAX_LISTED,
    };
  }

  async prepareClip(range: RecordingRange, signal: AbortSignal): Promise<PreparedClip> {
    const disk = this.#find(range.cameraId, range.profile);
    if (!disk) throw new EdgeError("RECORDING_NONE", "this stream was never recorded");
    const open = disk.openSegment;
    if (!open || open.fromMs <= range.toMs) await disk.seal(this.#options.sealWaitMs ?? SEAL_WAIT_MS);
    const segments = disk.segments.filter(
      (segment) => segment.toMs + RECORDING_GAP_MS >= range.fromMs && segment.fromMs <= range.toMs,
    );
    for (const segment of segments) this.#pinned.set(segment, (this.#pinned.get(segment) ?? 0) + 1);
    let isReleased = false;
    const release = (): void => {
      if (!isReleased) this.#unpin(segments);
      isReleased = true;
    };
    try {
      const identity = this.#identity(range.cameraId, range.profile);
      const fileOf = (segment: Segment): string => disk.fileOf(segment);
      return await prepareClip({ range, segments, fileOf, identity, release, signal });
    } catch (error) {
      release();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error("the agent stops"));
    await this.#keeping;
    await Promise.all(this.#open.map(({ disk }) => disk.close()));
    await this.#trimming;
  }

  #identity(cameraId: string, profile: StreamProfile) {
    const { agentId, signer } = this.#options;
    return { agentId, cameraId, profile, signer };
  }

  async #openTrack(cameraId: string, profile: StreamProfile): Promise<Track> {
    const { folder, log, segmentMs = 60_000, segmentBytes = 64 * 1024 * 1024, onGap } = this.#options;
    const disk = await DiskTrack.open({
      folder: join(folder, cameraId, profile),
      identity: this.#identity(cameraId, profile),
      log,
      segmentMs,
      segmentBytes,
      steadyMs: this.#options.steadyMs ?? (() => performance.now()),
      makeRoom: () => this.#trim(true),
      onGap: (gap) => onGap(cameraId, profile, gap),
      onGrown: () => this.#trimSoon(),
    });
    const track = { cameraId, profile, disk };
    this.#open.push(track);
    return track;
  }

  #find(cameraId: string, profile: StreamProfile): DiskTrack | undefined {
    return this.#open.find((track) => track.cameraId === cameraId && track.profile === profile)?.disk;
  }

  *#segments(): Generator<Segment> {
    for (const { disk } of this.#open) {
      yield* disk.segments;
      if (disk.openSegment) yield disk.openSegment;
    }
  }

  #unpin(segments: readonly Segment[]): void {
    for (const segment of segments) {
      const left = (this.#pinned.get(segment) ?? 1) - 1;
      if (left > 0) this.#pinned.set(segment, left);
      else this.#pinned.delete(segment);
    }
  }

  async #keep(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await sleep(TRIM_INTERVAL_MS, this.#stop.signal).catch(() => undefined);
      await this.#trim(false);
    }
  }

  #trimSoon(): void {
    void this.#trim(false);
  }

  /** @param mustGive deletes the oldest whatever the bounds say. @returns whether something was deleted */
  #trim(mustGive: boolean): Promise<boolean> {
    const before = this.#trimming ?? Promise.resolve(false);
    const run = before
      .then(() => this.#trimNow(mustGive))
      .catch((err: unknown) => {
        this.#options.log.warn({ err }, "old recordings could not be looked through");
        return false;
      })
      .finally(() => {
        if (this.#trimming === run) this.#trimming = null;
      });
    this.#trimming = run;
    return run;
  }

  async #trimNow(mustGive: boolean): Promise<boolean> {
    const { folder, reserveBytes = RESERVE_BYTES, clock, log } = this.#options;
    const disk = await statfs(folder);
    this.#free = disk.bavail * disk.bsize;
    let free = this.#free;
    let bytes = 0;
    for (const segment of this.#segments()) bytes += segment.bytes;
    let isOwed = mustGive;
    let deleted = 0;
    for (;;) {
      const track = this.#oldest();
      const oldest = track?.disk.segments[0];
      const { maxBytes, maxAgeMs = Infinity } = this.#policy;
      const isLow = free < reserveBytes;
      const isOld = oldest !== undefined && clock.nowMs() - oldest.toMs > maxAgeMs;
      if (!track || !oldest || !(isOwed || isLow || isOld || bytes > maxBytes)) break;
      await track.disk.deleteOldest();
      bytes -= oldest.bytes;
      free += oldest.bytes;
      isOwed = false;
      deleted += 1;
    }
    this.#tellDisk(mustGive || free < reserveBytes, deleted, log);
    return deleted > 0;
  }

  #tellDisk(isFull: boolean, deleted: number, log: Log): void {
    if (isFull && !this.#isFull)
      log.error({ deleted }, "the disk is full: recordings are deleted before the policy asks for it");
    if (!isFull && this.#isFull) log.info({}, "the disk has room for recordings again");
    this.#isFull = isFull;
  }

  /** The stream whose first segment is the oldest of all that nobody needs. */
  #oldest(): Track | null {
    let found: Track | null = null;
    for (const track of this.#open) {
      const first = track.disk.segments[0];
      if (!first || this.#pinned.has(first)) continue;
      if (!found || first.fromMs < (found.disk.segments[0] as Segment).fromMs) found = track;
    }
    return found;
  }
}

const RESERVE_BYTES = 64 * 1024 * 1024;
