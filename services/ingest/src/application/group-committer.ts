import { backoffDelayMs, HuishiError, messageOf, sleep } from "@huishi/kernel";
import { type DeadLetter, deadLetterOf, type EventRow } from "../domain/records.ts";
import type { EventStore } from "./ports.ts";

/** One message's worth: its promise settles when all of it is committed. */
export interface Submission {
  /** The connection it came by; what a closed connection left in the queue is forgotten. */
  readonly owner: object;
  /** Submissions of one agent keep their order. */
  readonly agentId: string;
  readonly events: readonly EventRow[];
  readonly deadLetters: readonly DeadLetter[];
  /** Memory that it holds, roughly. */
  readonly bytes: number;
}

export interface GroupCommitterOptions {
  readonly store: EventStore;
  /** Transactions at the same time. Default 2. */
  readonly lanes?: number;
  /** Rows of one transaction at most, unless one submission alone has more. Default 5000: a full queue is emptied in few commits. */
  readonly maxRows?: number;
  /** A group waits for company until it has this many rows ... Default 500, never above `maxRows`. */
  readonly enoughRows?: number;
  /** ... or this long after its first row came. Default 25 ms. */
  readonly lingerMs?: number;
  /** Above this, the gate asks the connections to stop reading. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
  readonly observe?: CommitObserver;
  readonly random?: () => number;
}

export interface CommitObserver {
  committed?(result: {
    inserted: number;
    duplicates: number;
    deadLetters: number;
    rows: number;
    ms: number;
  }): void;
  retrying?(fault: unknown, attempt: number): void;
  /** One row was refused by the store and goes to the dead letters. */
  refused?(fault: unknown): void;
}

interface Pending {
  readonly submission: Submission;
  /** Rows of the submission, events and dead letters. */
  readonly rows: number;
  readonly atMs: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Waits in order (policy `block`: the gate stops the connections that fill it). */
interface Lane {
  queue: Pending[];
  rows: number;
  wake: (() => void) | null;
  /** When the oldest submission that is being committed came, or null. */
  committingSinceMs: number | null;
}

/**
 * Commits what many connections send in common transactions. A submission resolves strictly after its commit, so
 * that a PUBACK means 'on disk'. While the store is away everything waits (policy `block`): the queue is bounded by
 * `isFull`, on which the endpoint stops reading. A row that the store refuses is found by halving and becomes a
 * dead letter, while its neighbours commit.
 */
export class GroupCommitter {
  readonly #store: EventStore;
  readonly #maxRows: number;
  readonly #enoughRows: number;
  readonly #lingerMs: number;
  readonly #maxQueuedBytes: number;
  readonly #observe: CommitObserver;
  readonly #random: () => number;
  readonly #lanes: Lane[];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>[];
  readonly #roomListeners = new Set<() => void>();
  #queuedBytes = 0;

  constructor(options: GroupCommitterOptions) {
    this.#store = options.store;
    this.#maxRows = options.maxRows ?? 5000;
    this.#enoughRows = Math.min(options.enoughRows ?? 500, this.#maxRows);
    this.#lingerMs = options.lingerMs ?? 25;
    this.#maxQueuedBytes = options.maxQueuedBytes ?? 32 * 1024 * 1024;
    this.#observe = options.observe ?? {};
    this.#random = options.random ?? Math.random;
    this.#lanes = Array.from({ length: options.lanes ?? 2 }, () => ({
      queue: [],
      rows: 0,
      wake: null,
      committingSinceMs: null,
    }));
    this.#running = this.#lanes.map((lane) => this.#run(lane));
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get queuedRows(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.rows, 0);
  }

  /** How long the oldest submission has waited for its commit, milliseconds; 0 when none waits. */
  get waitingMs(): number {
    const nowMs = performance.now();
    const since = this.#lanes.map((lane) => lane.committingSinceMs ?? lane.queue[0]?.atMs ?? nowMs);
    return nowMs - Math.min(nowMs, ...since);
  }

  get isFull(): boolean {
    return this.#queuedBytes >= this.#maxQueuedBytes;
  }

  /** Calls back whenever there is room again. */
  onRoom(listener: () => void): void {
    this.#roomListeners.add(listener);
  }

  /** Resolves when all of it is committed; rejects only when it is forgotten or the committer closes. */
  submit(submission: Submission): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#stop.signal.aborted) {
        reject(closed());
        return;
      }
      const lane = this.#laneOf(submission.agentId);
      const rows = submission.events.length + submission.deadLetters.length;
      lane.queue.push({ submission, rows, atMs: performance.now(), resolve, reject });
      lane.rows += rows;
      this.#queuedBytes += submission.bytes;
      // A lane that lingers is woken again only when its group is full.
      if (lane.queue.length === 1 || lane.rows >= this.#enoughRows) lane.wake?.();
    });
  }

  /** Drops what a closed connection has queued: it was not acknowledged and will be sent again. */
  forget(owner: object): void {
    for (const lane of this.#lanes) {
      const left = lane.queue.filter(({ submission }) => submission.owner === owner);
      if (left.length === 0) continue;
      lane.queue = lane.queue.filter(({ submission }) => submission.owner !== owner);
      for (const pending of left) {
        lane.rows -= pending.rows;
        this.#settle(pending, closed());
      }
    }
  }

  /** Finishes the transactions under way; what is queued is rejected. */
  async close(): Promise<void> {
    this.#stop.abort(closed());
    for (const lane of this.#lanes) lane.wake?.();
    await Promise.all(this.#running);
    for (const lane of this.#lanes) {
      lane.rows = 0;
      for (const pending of lane.queue.splice(0)) this.#settle(pending, closed());
    }
  }

  #laneOf(agentId: string): Lane {
    let hash = 0;
    for (let i = 0; i < agentId.length; i++) hash = (hash * 31 + agentId.charCodeAt(i)) >>> 0;
    return this.#lanes[hash % this.#lanes.length] as Lane;
  }

  async #run(lane: Lane): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      const first = lane.queue[0];
      if (!first) {
        await new Promise<void>((resolve) => (lane.wake = resolve));
        lane.wake = null;
        continue;
      }
      const lingerMs = first.atMs + this.#lingerMs - performance.now();
      if (lane.rows < this.#enoughRows && lingerMs > 0) await this.#linger(lane, lingerMs);
      const group = takeGroup(lane, this.#maxRows);
      lane.committingSinceMs = group[0]?.atMs ?? null;
      if (group.length > 0) await this.#commitGroup(group);
      lane.committingSinceMs = null;
    }
  }

  /** Until the group is full, the time is over, or the committer closes. */
  async #linger(lane: Lane, ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      lane.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    lane.wake = null;
  }

  async #commitGroup(group: readonly Pending[]): Promise<void> {
    const events = group.flatMap(({ submission }) => submission.events);
    const deadLetters = group.flatMap(({ submission }) => submission.deadLetters);
    let fault: Error | null = null;
    try {
      await this.#commit(events, deadLetters);
    } catch (thrown) {
      fault = thrown instanceof Error ? thrown : new Error(messageOf(thrown));
    }
    for (const pending of group) this.#settle(pending, fault);
  }

  async #commit(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<void> {
    try {
      await this.#write(events, deadLetters);
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      if (events.length + deadLetters.length > 1) {
        const half = Math.ceil(events.length / 2);
        await this.#commit(events.slice(0, half), deadLetters.slice(0, Math.floor(deadLetters.length / 2)));
        await this.#commit(events.slice(half), deadLetters.slice(Math.floor(deadLetters.length / 2)));
        return;
      }
      this.#observe.refused?.(thrown);
      const [row] = events;
      // A dead letter that is refused itself has nowhere left to go; the observer has counted it.
      if (row) await this.#commit([], [deadLetterOf(row, "REFUSED_BY_DATABASE", messageOf(thrown))]);
    }
  }

  /** Writes until the store takes it or refuses it. */
  async #write(events: readonly EventRow[], deadLetters: readonly DeadLetter[]): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        const startedMs = performance.now();
        const result = await this.#store.write(events, deadLetters);
        const ms = performance.now() - startedMs;
        this.#observe.committed?.({ ...result, rows: events.length, ms });
        return;
      } catch (thrown) {
        if (isRefusal(thrown)) throw thrown;
        this.#stop.signal.throwIfAborted();
        this.#observe.retrying?.(thrown, attempt);
        const delayMs = backoffDelayMs(attempt, { baseDelayMs: 50, maxDelayMs: 2_000 }, this.#random);
        await sleep(delayMs, this.#stop.signal);
      }
    }
  }

  #settle(pending: Pending, fault: Error | null): void {
    const wasFull = this.isFull;
    this.#queuedBytes -= pending.submission.bytes;
    if (fault) pending.reject(fault);
    else pending.resolve();
    if (wasFull && !this.isFull) for (const listener of this.#roomListeners) listener();
  }
}

const closed = (): HuishiError =>
  new HuishiError("NOT_COMMITTED", "the connection or the service closed before the commit: send it again");

function isRefusal(thrown: unknown): boolean {
  return thrown instanceof HuishiError && thrown.code === "EVENT_REFUSED";
}

/** Whole submissions from the front, up to about `maxRows` rows, at least one. */
function takeGroup(lane: Lane, maxRows: number): Pending[] {
  let rows = 0;
  let count = 0;
  for (const pending of lane.queue) {
    if (count > 0 && rows + pending.rows > maxRows) break;
    rows += pending.rows;
    count += 1;
  }
  lane.rows -= rows;
  return lane.queue.splice(0, count);
}
