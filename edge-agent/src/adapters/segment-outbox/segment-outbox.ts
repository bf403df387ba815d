import type { EdgeEvent } from "@huishi/contracts";
import { BoundedQueue, sleep } from "@huishi/kernel";
import { randomBytes } from "node:crypto";
import { mkdir, readdir } from "node:fs/promises";
import type {
  EventDraft,
  Log,
  Outbox,
  OutboxBatch,
  OutboxPosition,
  OutboxStats,
} from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { MAX_PAYLOAD_BYTES, encodeRecord } from "./record.ts";
import { Segment, parseSegmentName } from "./segment.ts";

export interface SegmentOutboxOptions {
  readonly folder: string;
  /** Bound of all files together; the oldest file goes first. Default 64 MiB. */
  readonly maxBytes?: number;
  readonly segmentBytes?: number;
  readonly log: Log;
  /** Pause before a failed write is tried again. */
  readonly retryDelayMs?: number;
}

interface Pending {
  readonly seq: number;
  readonly record: Buffer;
  readonly settle: (fault: Error | null) => void;
}

/** Events that wait in memory while the disk cannot be written; beyond it new ones are refused and counted. */
const MAX_PENDING = 20_000;
/** Events that share one write and fsync. */
const MAX_GROUP = 500;

/**
 * Outbox in append-only segment files. Writers that come together share one fsync. Sequence numbers go on over
 * restarts, every start has its own boot id, and an event keeps the boot and number it was stored with: the
 * centre recognises what it has seen. Files are deleted whole when every event in them is acknowledged, so
 * after a kill some events are sent again.
 */
export class SegmentOutbox implements Outbox {
  readonly boot: string = randomBytes(8).toString("hex");
  readonly #options: Required<SegmentOutboxOptions>;
  #segments: Segment[] = [];
  #nextSeq = 0;
  #acknowledged: OutboxPosition = 0;
  #dropped = 0;
  /** Events that are being written. */
  #inHand = 0;
  readonly #pending = new BoundedQueue<Pending>(MAX_PENDING, "refuse");
  #writing: Promise<void> | null = null;
  readonly #closing = new AbortController();
  readonly #waiters = new Set<() => void>();

  private constructor(options: Required<SegmentOutboxOptions>) {
    this.#options = options;
  }

  /** Opens the folder, made when absent. @throws EdgeError STATE_DIR, DISK_FULL */
  static async open(options: SegmentOutboxOptions): Promise<SegmentOutbox> {
    const outbox = new SegmentOutbox({
      maxBytes: 64 * 1024 * 1024,
      segmentBytes: 256 * 1024,
      retryDelayMs: 2_000,
      ...options,
    });
    try {
      await mkdir(options.folder, { recursive: true, mode: 0o700 });
      await outbox.#recover();
    } catch (error) {
      throw storageFault(error);
    }
    return outbox;
  }

  get start(): OutboxPosition {
    return this.#acknowledged;
  }

  async append(event: EventDraft, agentAtMs: number): Promise<void> {
    const seq = this.#nextSeq++;
    const record = encodeRecord({ boot: this.boot, json: JSON.stringify({ ...event, seq, agentAtMs }) });
    if (record.length > MAX_PAYLOAD_BYTES) throw new RangeError("event is too large for the outbox");
    await new Promise<void>((resolve, reject) => {
      const settle = (fault: Error | null): void => (fault ? reject(fault) : resolve());
      if (!this.#pending.push({ seq, record, settle })) {
        this.#dropped += 1;
        reject(new EdgeError("OUTBOX_FULL", `${MAX_PENDING} events wait to be written`));
        return;
      }
      this.#writing ??= this.#writeAll().finally(() => (this.#writing = null));
    });
  }

  async read(
    from: OutboxPosition,
    limits: { maxEvents: number; maxBytes: number },
  ): Promise<OutboxBatch | null> {
    const segment = this.#segments.find((s) => from < s.endPosition);
    if (!segment) return null;
    const at = Math.max(from, segment.firstPosition);
    const stored = await segment.eventsFrom(at);
    const boot = stored[0]?.boot;
    // A file that somebody deleted: what it held is lost, what comes after it is not.
    if (boot === undefined) return this.read(segment.endPosition, limits);
    const events: EdgeEvent[] = [];
    let bytes = 0;
    for (const event of stored.slice(0, limits.maxEvents)) {
      bytes += event.json.length;
      if (event.boot !== boot || (events.length > 0 && bytes > limits.maxBytes)) break;
      events.push(JSON.parse(event.json) as EdgeEvent);
    }
    return { boot, events, next: at + events.length };
  }

  async acknowledge(before: OutboxPosition): Promise<void> {
    this.#acknowledged = Math.max(this.#acknowledged, before);
    while (this.#segments.length > 1 && (this.#segments[0] as Segment).endPosition <= this.#acknowledged) {
      await this.#segments.shift()?.remove();
    }
  }

  async waitFor(from: OutboxPosition, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (from < this.#endPosition) return;
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiters.delete(done);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiters.delete(done);
        reject(signal.reason as Error);
      };
      this.#waiters.add(done);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  async stats(): Promise<OutboxStats> {
    const oldest = await this.read(this.#acknowledged, { maxEvents: 1, maxBytes: 0 });
    return {
      depth: Math.max(0, this.#endPosition - this.#acknowledged) + this.#pending.size + this.#inHand,
      oldestAtMs: oldest?.events[0]?.agentAtMs ?? null,
      bytes: this.#bytes,
      dropped: this.#dropped,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error("outbox closes"));
    await this.#writing;
    // Acknowledged events need not be sent again by the next run; the empty file keeps the sequence number.
    if (this.#acknowledged >= this.#endPosition && (this.#segments.at(-1)?.count ?? 0) > 0) {
      await this.#addSegment(this.#nextSeq).catch(() => undefined);
      await this.acknowledge(this.#acknowledged);
    }
    await Promise.all(this.#segments.map((segment) => segment.close()));
  }

  get #endPosition(): OutboxPosition {
    return this.#segments.at(-1)?.endPosition ?? 0;
  }

  get #bytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
  }

  async #recover(): Promise<void> {
    const { folder, log } = this.#options;
    const names = (await readdir(folder)).filter((name) => parseSegmentName(name) !== null).sort();
    for (const name of names) {
      const position = this.#endPosition;
      const { segment, events, damagedBytes } = await Segment.recover(folder, name, position);
      if (damagedBytes > 0) log.warn({ file: segment.file, damagedBytes }, "outbox file was cut off");
      const lastSeq = events.length > 0 ? seqOf(events.at(-1)?.json ?? "") : null;
      this.#nextSeq = Math.max(this.#nextSeq, parseSegmentName(name) ?? 0, (lastSeq ?? -1) + 1);
      if (segment.count > 0) this.#segments.push(segment);
      else await segment.remove();
    }
    await this.#addSegment(this.#nextSeq);
  }

  async #addSegment(firstSeq: number): Promise<Segment> {
    const last = this.#segments.at(-1);
    const segment = await Segment.create(this.#options.folder, firstSeq, this.#endPosition);
    await last?.close();
    last?.forgetCache();
    this.#segments.push(segment);
    return segment;
  }

  async #writeAll(): Promise<void> {
    while (this.#pending.size > 0) {
      // Writers of the same moment join this group.
      await new Promise((resolve) => setImmediate(resolve));
      const group = this.#pending.take(MAX_GROUP);
      this.#inHand = group.length;
      const fault = await this.#store(group);
      this.#inHand = 0;
      if (fault) this.#dropped += group.length;
      for (const { settle } of group) settle(fault);
      for (const wake of this.#waiters) wake();
    }
  }

  /** Writes a group, as often as it takes; gives up, and returns why, only when the outbox closes. */
  async #store(group: readonly Pending[]): Promise<Error | null> {
    const { log, segmentBytes, retryDelayMs } = this.#options;
    const records = Buffer.concat(group.map(({ record }) => record));
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#makeRoom(records.length);
        let segment = this.#segments.at(-1);
        if (!segment || segment.bytes >= segmentBytes || !(await segment.exists())) {
          segment = await this.#addSegment(group[0]?.seq ?? this.#nextSeq);
        }
        await segment.append(records, group.length);
        return null;
      } catch (error) {
        if (attempt === 0 || attempt % 30 === 0) {
          log.error({ err: storageFault(error), waiting: group.length }, "outbox cannot be written");
        }
        if (this.#closing.signal.aborted) return storageFault(error);
        await sleep(retryDelayMs, this.#closing.signal).catch(() => undefined);
      }
    }
  }

  async #makeRoom(bytes: number): Promise<void> {
    while (this.#segments.length > 1 && this.#bytes + bytes > this.#options.maxBytes) {
      const oldest = this.#segments.shift() as Segment;
      const lost = oldest.endPosition - Math.max(oldest.firstPosition, this.#acknowledged);
      this.#dropped += Math.max(0, lost);
      this.#acknowledged = Math.max(this.#acknowledged, oldest.endPosition);
      await oldest.remove();
      this.#options.log.warn(
        { lost, dropped: this.#dropped },
        "outbox is full: its oldest events were given up",
      );
    }
  }
}

function seqOf(json: string): number | null {
  const event = JSON.parse(json) as { seq?: unknown };
  return typeof event.seq === "number" ? event.seq : null;
}

function storageFault(error: unknown): EdgeError {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOSPC" || code === "EDQUOT"
    ? new EdgeError("DISK_FULL", "the disk is full", { cause: error })
    : new EdgeError("STATE_DIR", "the outbox cannot be written", { cause: error });
}
