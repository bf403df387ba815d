import type { RecordingGapReason } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { CapturedUnit, Log } from "../../application/ports.ts";
import type { RecordingGapDraft, RecordingTrack } from "../../application/recording.ts";
import {
  openName,
  parseOpenName,
  parseSegmentName,
  type Segment,
  segmentName,
} from "../../domain/recording-segments.ts";
import { RECORDING_GAP_MS } from "@huishi/contracts";
import { readManifest, recoverSegment, SegmentFile, type TrackIdentity } from "./segment-file.ts";
import { textHash } from "@huishi/platform";

/** Pictures that wait for the disk. Overflow policy: `dropGop`, counted. */
const MAX_QUEUED_BYTES = 16 * 1024 * 1024;
/** Written at once. */
const MAX_WRITE_BYTES = 2 * 1024 * 1024;
/** What a power cut takes at most, beside what the disk itself has not written. */
const SYNC_INTERVAL_MS = 5_000;

export interface TrackOptions {
  readonly folder: string;
  readonly identity: TrackIdentity;
  readonly log: Log;
  /** A segment ends with the first keyframe after this ... */
  readonly segmentMs: number;
  /** ... or after this many bytes. */
  readonly segmentBytes: number;
  readonly steadyMs: () => number;
  /** Makes room on a full disk; false when nothing can be deleted. */
  makeRoom(): Promise<boolean>;
  onGap(gap: RecordingGapDraft): void;
  onGrown(): void;
}

type Item =
  | { readonly kind: "unit"; readonly unit: CapturedUnit }
  | { readonly kind: "end"; readonly reason: RecordingGapReason }
  | { readonly kind: "seal"; readonly done: () => void; isForced: boolean };

/**
 * One stream's segments: writes one after the other, in the order in which the pictures come. What fails costs
 * pictures up to the next keyframe, which are told as a gap, and nothing else.
 */
export class DiskTrack implements RecordingTrack {
  readonly #options: TrackOptions;
  readonly segments: Segment[] = [];
  readonly #queue: Item[] = [];
  #queuedBytes = 0;
  #dropped = 0;
  #needsKeyframe = true;
  #pump: Promise<void> | null = null;
  #open: SegmentFile | null = null;
  #openedMs = 0;
  #syncedMs = 0;
  #sequence = 0;
  #previous: string | null = null;
  /** Of the last picture, deleted or not. */
  #lastMs: number | null = null;
  /** Why pictures are missing before the next segment. */
  #gap: RecordingGapReason | null = "agent_down";
  readonly #sealing: { done: () => void }[] = [];
  #isRecovered = true;

  private constructor(options: TrackOptions) {
    this.#options = options;
  }

  /** Reads the folder: names are the index. Closes what a dead agent left open. */
  static async open(options: TrackOptions): Promise<DiskTrack> {
    const track = new DiskTrack(options);
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await track.#load();
    return track;
  }

  get dropped(): number {
    return this.#dropped;
  }

  /** What is being written, as far as it is on the disk. */
  get openSegment(): Segment | null {
    const open = this.#open;
    if (!open || open.isEmpty) return null;
    return { sequence: this.#sequence, fromMs: open.fromMs, toMs: open.toMs, bytes: open.bytes, gap: null };
  }

  fileOf(segment: Segment): string {
    return join(this.#options.folder, segmentName(segment));
  }

  push(unit: CapturedUnit): void {
    if (this.#needsKeyframe && !unit.keyframe) return;
    if (this.#queuedBytes + unit.annexB.byteLength > MAX_QUEUED_BYTES) return this.#dropGop();
    this.#needsKeyframe = false;
    this.#queuedBytes += unit.annexB.byteLength;
    this.#put({ kind: "unit", unit });
  }

  interrupted(reason: RecordingGapReason): void {
    this.#needsKeyframe = true;
    this.#put({ kind: "end", reason });
  }

  /** Resolves when all that came before is in closed segments; waits at most so long for the next keyframe. */
  async seal(waitMs: number): Promise<void> {
    const isOver = new AbortController();
    let isSealed = false;
    const sealed = new Promise<void>((done) => this.#put({ kind: "seal", done, isForced: false })).then(
      () => void (isSealed = true),
    );
    await Promise.race([sealed, sleep(waitMs, isOver.signal).catch(() => undefined)]);
    isOver.abort();
    if (isSealed) return;
    this.#needsKeyframe = true;
    await new Promise<void>((done) => this.#put({ kind: "seal", done, isForced: true }));
  }

  async close(): Promise<void> {
    this.interrupted("agent_down");
    while (this.#pump) await this.#pump;
  }

  /** Deletes the oldest segment. */
  async deleteOldest(): Promise<Segment | null> {
    const oldest = this.segments.shift();
    if (!oldest) return null;
    await rm(this.fileOf(oldest), { force: true }).catch((err: unknown) =>
      this.#options.log.warn({ err }, "an old recording could not be deleted"),
    );
    return oldest;
  }

  #dropGop(): void {
    this.#dropped += 1;
    if (!this.#needsKeyframe) this.#put({ kind: "end", reason: "disk" });
    this.#needsKeyframe = true;
  }

  #put(item: Item): void {
    this.#queue.push(item);
    this.#pump ??= this.#work().finally(() => {
      this.#pump = null;
      if (this.#queue.length > 0) this.#put(this.#queue.shift() as Item);
    });
  }

  async #work(): Promise<void> {
    for (let item = this.#queue.shift(); item; item = this.#queue.shift()) {
      try {
        if (item.kind === "unit") await this.#write(this.#batch(item.unit));
        else if (item.kind === "end") await this.#end(item.reason);
        else await this.#seal(item);
      } catch (err) {
        await this.#failed(err);
      }
    }
  }

  /** The unit and those behind it that can be written with it: up to where a segment may end. */
  #batch(first: CapturedUnit): CapturedUnit[] {
    const units = [first];
    let bytes = first.annexB.byteLength;
    for (let next = this.#queue[0]; next?.kind === "unit"; next = this.#queue[0]) {
      if (next.unit.keyframe || bytes > MAX_WRITE_BYTES) break;
      units.push(next.unit);
      bytes += next.unit.annexB.byteLength;
      this.#queue.shift();
    }
    this.#queuedBytes -= bytes;
    return units;
  }

  async #write(units: CapturedUnit[]): Promise<void> {
    const first = units[0] as CapturedUnit;
    if (this.#open && first.keyframe && this.#mustRoll(first)) await this.#closeSegment();
    // Behind a failure: nothing can be decoded before the next keyframe.
    if (!this.#open && !first.keyframe) return;
    this.#open ??= await this.#create(first);
    const file = this.#open;
    await file.append(units).catch(async (error: unknown) => {
      if (!isNoRoom(error) || !(await this.#options.makeRoom())) throw error;
      await file.append(units);
    });
    const nowMs = this.#options.steadyMs();
    if (nowMs - this.#syncedMs < SYNC_INTERVAL_MS) return;
    this.#syncedMs = nowMs;
    await file.sync();
  }

  #mustRoll(next: CapturedUnit): boolean {
    const { segmentMs, segmentBytes, steadyMs } = this.#options;
    const file = this.#open as SegmentFile;
    // The clock on the wall may step; a segment's length is measured by one that does not.
    return (
      this.#sealing.length > 0 ||
      file.codec !== next.codec ||
      steadyMs() - this.#openedMs >= segmentMs ||
      next.capturedAtMs - file.fromMs >= segmentMs ||
      file.bytes >= segmentBytes
    );
  }

  async #create(first: CapturedUnit): Promise<SegmentFile> {
    if (!this.#isRecovered) await this.#load();
    const fromMs = Math.round(first.capturedAtMs);
    const lastMs = this.#lastMs ?? fromMs;
    const isGap = fromMs - lastMs > RECORDING_GAP_MS;
    const gap = isGap ? (this.#gap ?? "camera") : null;
    const place = { sequence: this.#sequence + 1, gap, codec: first.codec };
    const file = join(this.#options.folder, openName(place));
    const segment = await SegmentFile.create(file, { ...place, previous: this.#previous }).catch(
      async (error: unknown) => {
        if (!isNoRoom(error) || !(await this.#options.makeRoom())) throw error;
        return SegmentFile.create(file, { ...place, previous: this.#previous });
      },
    );
    this.#sequence = place.sequence;
    this.#openedMs = this.#options.steadyMs();
    this.#syncedMs = this.#openedMs;
    this.#gap = null;
    if (gap && gap !== "unasked") this.#options.onGap({ fromMs: lastMs, toMs: fromMs, reason: gap });
    return segment;
  }

  async #end(reason: RecordingGapReason): Promise<void> {
    this.#gap ??= reason;
    await this.#closeSegment();
  }

  async #seal(item: Extract<Item, { kind: "seal" }>): Promise<void> {
    if (item.isForced) await this.#closeSegment();
    if (this.#open) this.#sealing.push(item);
    else item.done();
  }

  async #closeSegment(): Promise<void> {
    const file = this.#open;
    this.#open = null;
    try {
      if (!file) return;
      const { segment, hash } = await file.close(this.#options.identity).catch((error: unknown) => {
        this.#isRecovered = false;
        throw error;
      });
      this.segments.push(segment);
      this.#lastMs = segment.toMs;
      this.#previous = hash;
      this.#options.onGrown();
    } finally {
      for (const { done } of this.#sealing.splice(0)) done();
    }
  }

  async #failed(err: unknown): Promise<void> {
    this.#dropped += 1;
    this.#gap = "disk";
    this.#needsKeyframe = true;
    this.#options.log.error(
      { err, folder: this.#options.folder },
      "recording failed; it goes on with the next keyframe",
    );
    try {
      await this.#closeSegment();
    } catch {
      // It is closed before the next one is begun.
      await this.#options.makeRoom();
    }
  }

  async #load(): Promise<void> {
    const { folder, identity } = this.#options;
    const names = await readdir(folder);
    this.segments.length = 0;
    this.segments.push(
      ...names
        .flatMap((name) => parseSegmentName(name) ?? [])
        .sort((one, other) => one.sequence - other.sequence),
    );
    await this.#learnLast();
    for (const name of names.filter((each) => parseOpenName(each) !== null).sort()) {
      const closed = await recoverSegment(join(folder, name), name, identity, this.#previous);
      if (!closed) continue;
      this.#options.log.warn({ segment: closed.segment }, "a recording that was cut off was closed");
      this.segments.push(closed.segment);
      this.#lastMs = closed.segment.toMs;
      this.#previous = closed.hash;
      this.#sequence = Math.max(this.#sequence, closed.segment.sequence);
    }
    this.#isRecovered = true;
  }

  async #learnLast(): Promise<void> {
    const last = this.segments.at(-1);
    const read = last ? await readManifest(this.fileOf(last)) : null;
    if (last) this.#lastMs = last.toMs;
    // The last one may have been deleted: the chain goes on all the same.
    if (last || this.#sequence === 0) this.#previous = read ? textHash(read.signed.text) : null;
    this.#sequence = Math.max(this.#sequence, last?.sequence ?? 0);
  }
}

function isNoRoom(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT";
}
