import { type Runnable, sleep } from "@huishi/kernel";
import type { EventBatch, EventLink } from "./ports.ts";

/** A further connection that can carry events; it is open only while the first one has been found to stall. */
export interface SpareLink extends Runnable {
  readonly isConnected: boolean;
  /** Resolves when the centre acknowledged the batch. */
  publishBatch(batch: EventBatch): Promise<void>;
}

export interface HedgedEventsOptions {
  readonly link: Pick<EventLink, "isConnected" | "publishBatch">;
  readonly spares: readonly SpareLink[];
  /** For how long the first connection's line has not answered, milliseconds; a centre that is slow does answer. */
  stalledMs(): number;
  /** Keeps a spare connection until the signal aborts. */
  keep(spare: SpareLink, signal: AbortSignal): Promise<void>;
  now?(): number;
}

/** A line that is silent for so long may have lost the same segment again and again: TCP then waits ever longer. */
const STALL_MS = 800;
/** A spare connection needs round trips to open: it is ready when the line is found to stall. */
const SLOW_MS = 400;
const LOOK_MS = 200;
/** Spare connections that were not needed for so long are closed. */
const IDLE_MS = 300_000;

interface Pending {
  readonly batch: EventBatch;
  readonly sentAtMs: number;
  readonly settle: () => void;
}

/**
 * Live events over a line that loses much. TCP delivers in order: one segment that is lost several times running holds
 * up all behind it for seconds, with a wait that doubles each time (RFC 6298 §5.5). Another connection has not lost that
 * segment. So what waits is sent once more over a spare one, and the first acknowledgement counts (Dean and Barroso,
 * The Tail at Scale, 2013: hedged requests). The centre knows an event by its agent, boot and number, and stores it once.
 *
 * Order is kept: a spare connection gets everything that waits, from the oldest on, so that on each connection, and
 * therefore in the first arrivals too, no batch comes before an older one that was not acknowledged.
 */
export class HedgedEvents {
  readonly #options: HedgedEventsOptions;
  readonly #now: () => number;
  readonly #pending = new Set<Pending>();
  readonly #busy = new Set<SpareLink>();
  #open: AbortController | null = null;
  #neededAtMs = 0;
  #hedgedAtMs = Number.NEGATIVE_INFINITY;
  #hedged = 0;

  constructor(options: HedgedEventsOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get isConnected(): boolean {
    return this.#options.link.isConnected;
  }

  /** Batches that were sent a second time. */
  get hedged(): number {
    return this.#hedged;
  }

  /** Resolves at the first acknowledgement; rejects when the first connection ends before one. */
  publishBatch(batch: EventBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        batch,
        sentAtMs: this.#now(),
        settle: () => {
          this.#pending.delete(pending);
          resolve();
        },
      };
      this.#pending.add(pending);
      this.#options.link.publishBatch(batch).then(pending.settle, (error: unknown) => {
        this.#pending.delete(pending);
        reject(error as Error);
      });
    });
  }

  /** Watches the line until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    try {
      while (!signal.aborted) {
        this.look(signal);
        await sleep(LOOK_MS, signal).catch(() => undefined);
      }
    } finally {
      this.#close();
    }
  }

  /** Sends what waits over a spare connection, if the line is silent; opens and closes them. */
  look(signal: AbortSignal): void {
    const nowMs = this.#now();
    const silentMs = this.#silentMs(nowMs);
    if (silentMs < SLOW_MS) {
      if (nowMs - this.#neededAtMs > IDLE_MS) this.#close();
      return;
    }
    this.#neededAtMs = nowMs;
    this.#openSpares(signal);
    // The spare that was asked last has its time too.
    if (silentMs < STALL_MS || nowMs - this.#hedgedAtMs < STALL_MS) return;
    const spare = this.#options.spares.find((each) => each.isConnected && !this.#busy.has(each));
    if (!spare) return;
    this.#hedgedAtMs = nowMs;
    void this.#hedge(spare, [...this.#pending]);
  }

  /** How long the oldest batch has waited because of the line; 0 when nothing waits. */
  #silentMs(nowMs: number): number {
    const [oldest] = this.#pending;
    return oldest ? Math.min(nowMs - oldest.sentAtMs, this.#options.stalledMs()) : 0;
  }

  async #hedge(spare: SpareLink, waiting: readonly Pending[]): Promise<void> {
    this.#busy.add(spare);
    this.#hedged += waiting.length;
    const sent = waiting.map(({ batch, settle }) => spare.publishBatch(batch).then(settle));
    await Promise.allSettled(sent);
    this.#busy.delete(spare);
  }

  #openSpares(signal: AbortSignal): void {
    if (this.#open) return;
    const open = new AbortController();
    this.#open = open;
    const until = AbortSignal.any([signal, open.signal]);
    for (const spare of this.#options.spares) void this.#options.keep(spare, until).catch(() => undefined);
  }

  #close(): void {
    this.#open?.abort(new Error("the spare connections are not needed"));
    this.#open = null;
  }
}
