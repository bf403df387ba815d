import { sleep } from "@huishi/kernel";
import type { EventLink, Outbox, OutboxBatch, OutboxPosition } from "./ports.ts";

/** As much of the connection as a lane needs. */
export type BatchLink = Pick<EventLink, "isConnected" | "publishBatch">;

export interface LaneOptions {
  readonly outbox: Outbox;
  readonly link: BatchLink;
  /** Batches on their way at once. */
  readonly window: number;
  readonly maxEvents: number;
  readonly from: OutboxPosition;
  /**
   * How long an acknowledgement may take, milliseconds, before the lane sends less at a time: on a thin line what is on
   * its way delays whatever comes behind it. Without it the lane always sends its full share.
   */
  readonly patienceMs?: number;
  /** Told of each acknowledged batch: its events, and when it was sent and acknowledged, monotonic milliseconds. */
  onAcknowledged?(events: number, sentAtMs: number, atMs: number): void;
  /** The lane ends when everything below is on its way; without it, when `isOver` says so. */
  readonly before?: OutboxPosition;
  isOver?(from: OutboxPosition): boolean;
}

const MAX_BATCH_BYTES = 256 * 1024;
/** A smaller batch waits for company, unless it is the last one. */
const MIN_BATCH = 20;
const GATHER_MS = 20;
/** Of a lane that adapts: the least it sends, and how it comes back. */
const FIRST_SHARE = 0.5;
const LEAST_SHARE = 0.25;
const GROWTH = 1.25;

/**
 * Sends the outbox's events from one place on, in order, several batches on their way at once. Each batch leaves the
 * outbox on its own acknowledgement, which follows the commit.
 */
export class RelayLane {
  readonly #options: LaneOptions;
  readonly #onTheWay = new Set<Promise<void>>();
  #from: OutboxPosition;
  #isLost = false;
  #isDone = false;
  /** Share of window and batch size that is used; it halves under slow acknowledgements and grows under quick ones. */
  #share: number;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.#from = options.from;
    // Nothing is known of the line yet: what is put on a thin one at first stands before the present for seconds.
    this.#share = options.patienceMs === undefined ? 1 : FIRST_SHARE;
  }

  /** Where the next batch would begin. */
  get from(): OutboxPosition {
    return this.#from;
  }

  get isDone(): boolean {
    return this.#isDone;
  }

  /**
   * Resolves when the lane is at its end and nothing is on its way any more: true when all was acknowledged, false
   * when a batch was not. Rejects with the signal's reason, or with the outbox's fault.
   */
  async run(signal: AbortSignal): Promise<boolean> {
    const { link } = this.#options;
    try {
      while (link.isConnected && !this.#isLost && !this.#isAtEnd()) {
        signal.throwIfAborted();
        const batch = this.#onTheWay.size < this.#window ? await this.#nextBatch(signal) : null;
        if (batch) this.#send(batch);
        else if (this.#onTheWay.size > 0) await Promise.race(this.#onTheWay);
        else if (this.#options.before !== undefined) break;
      }
    } finally {
      await Promise.all(this.#onTheWay);
      this.#isDone = true;
    }
    return link.isConnected && !this.#isLost;
  }

  get #window(): number {
    return Math.max(1, Math.round(this.#options.window * this.#share));
  }

  #learn(tookMs: number): void {
    const { patienceMs } = this.#options;
    if (patienceMs === undefined) return;
    if (tookMs > patienceMs) this.#share = Math.max(LEAST_SHARE, this.#share / 2);
    else if (tookMs < patienceMs / 2) this.#share = Math.min(1, this.#share * GROWTH);
  }

  #isAtEnd(): boolean {
    const { before, isOver } = this.#options;
    return before === undefined ? (isOver?.(this.#from) ?? false) : this.#from >= before;
  }

  #send(batch: OutboxBatch): void {
    this.#from = batch.last + 1;
    const { link, outbox, onAcknowledged } = this.#options;
    const sentAtMs = performance.now();
    const sent = link
      .publishBatch(batch)
      .then(() => {
        const atMs = performance.now();
        onAcknowledged?.(batch.events.length, sentAtMs, atMs);
        this.#learn(atMs - sentAtMs);
        return outbox.acknowledge(batch);
      })
      .catch(() => void (this.#isLost = true))
      .finally(() => this.#onTheWay.delete(sent));
    this.#onTheWay.add(sent);
  }

  async #nextBatch(signal: AbortSignal): Promise<OutboxBatch | null> {
    const { outbox, before } = this.#options;
    const batch = await this.#read();
    if (before !== undefined || (batch && batch.events.length >= MIN_BATCH)) return batch;
    if (this.#onTheWay.size > 0 || this.#isLost) return batch;
    if (!batch) await outbox.waitFor(this.#from, signal);
    await sleep(GATHER_MS, signal);
    return this.#read();
  }

  async #read(): Promise<OutboxBatch | null> {
    const { outbox, maxEvents, before } = this.#options;
    const { end } = outbox;
    const most = Math.max(MIN_BATCH, Math.round(maxEvents * this.#share));
    const window = { from: this.#from, maxEvents: Math.min(maxEvents, most), maxBytes: MAX_BATCH_BYTES };
    const batch = await outbox.read(before === undefined ? window : { ...window, before });
    // What stood here was given up: there is nothing to wait for below the end.
    if (!batch && before === undefined) this.#from = Math.max(this.#from, end);
    return batch;
  }
}
