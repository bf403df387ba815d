import { type BackoffOptions, backoffDelayMs, BoundedQueue, HuishiError, sleep } from "@huishi/kernel";

export interface GroupWriterOptions<T> {
  /** Rows kept while the store is away; beyond it the oldest are dropped, and counted. */
  readonly capacity: number;
  readonly maxRows: number;
  /** A row waits no longer than this for others. */
  readonly maxDelayMs: number;
  readonly retry: BackoffOptions;
  /** Must write a batch that is given again after an error once only. */
  readonly write: (rows: readonly T[]) => Promise<void>;
  readonly onDropped: (count: number) => void;
  /** The store did not answer; the same rows are tried again. */
  readonly onRetry: (error: unknown, rows: number) => void;
  /** The store will never take this row (`RECORD_REFUSED`): it is put aside so that it stops no other. */
  readonly onRefused: (error: HuishiError, row: T) => void;
}

/**
 * Writes rows in groups, in order, one group at a time, and tries each until it is committed. `push` never
 * waits.
 */
export class GroupWriter<T> {
  readonly #options: GroupWriterOptions<T>;
  readonly #queue: BoundedQueue<T>;
  readonly #abort = new AbortController();
  readonly #running: Promise<void>;
  #inFlight = 0;
  #closing = false;
  #wake: () => void = () => undefined;

  constructor(options: GroupWriterOptions<T>) {
    this.#options = options;
    this.#queue = new BoundedQueue<T>(options.capacity, "dropOldest");
    this.#running = this.#run();
  }

  /** Rows not committed yet. */
  get pending(): number {
    return this.#queue.size + this.#inFlight;
  }

  get dropped(): number {
    return this.#queue.dropped;
  }

  push(rows: readonly T[]): void {
    if (rows.length === 0) return;
    const droppedBefore = this.#queue.dropped;
    for (const row of rows) this.#queue.push(row);
    const dropped = this.#queue.dropped - droppedBefore;
    if (dropped > 0) this.#options.onDropped(dropped);
    this.#wake();
  }

  /** Writes what is left, for `deadlineMs` at most; what then remains is dropped and counted. */
  async close(deadlineMs: number): Promise<void> {
    this.#closing = true;
    this.#wake();
    const timer = setTimeout(() => this.#abort.abort(new Error("the writer was closed")), deadlineMs);
    // A store that hangs does not hold the close up.
    await Promise.race([this.#running, once(this.#abort.signal)]);
    clearTimeout(timer);
    if (this.pending > 0) this.#options.onDropped(this.pending);
  }

  async #run(): Promise<void> {
    for (;;) {
      if (this.#queue.size === 0) {
        if (this.#closing) return;
        await this.#nextPush();
        continue;
      }
      await this.#gather();
      const rows = this.#queue.take(this.#options.maxRows);
      this.#inFlight = rows.length;
      if (!(await this.#writeUntilCommitted(rows))) return;
      this.#inFlight = 0;
    }
  }

  #nextPush(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Waits until the group is full or its first row has waited long enough. */
  async #gather(): Promise<void> {
    const due = new AbortController();
    const timer = setTimeout(() => {
      due.abort();
      this.#wake();
    }, this.#options.maxDelayMs);
    const isReady = (): boolean =>
      due.signal.aborted || this.#closing || this.#queue.size >= this.#options.maxRows;
    while (!isReady()) await this.#nextPush();
    clearTimeout(timer);
  }

  /** False when the writer was closed before the store took the rows. */
  async #writeUntilCommitted(rows: readonly T[]): Promise<boolean> {
    for (let attempt = 0; ; attempt++) {
      try {
        await this.#options.write(rows);
        return true;
      } catch (error) {
        if (error instanceof HuishiError && error.code === "RECORD_REFUSED")
          return this.#writeApart(rows, error);
        if (this.#abort.signal.aborted) return false;
        this.#options.onRetry(error, rows.length);
        const pause = backoffDelayMs(attempt, this.#options.retry, Math.random);
        if (!(await slept(pause, this.#abort.signal))) return false;
      }
    }
  }

  /** One row of these is refused: finds it by halves, writes the others. */
  async #writeApart(rows: readonly T[], error: HuishiError): Promise<boolean> {
    if (rows.length <= 1) {
      for (const row of rows) this.#options.onRefused(error, row);
      return true;
    }
    const middle = Math.ceil(rows.length / 2);
    return (
      (await this.#writeUntilCommitted(rows.slice(0, middle))) &&
      (await this.#writeUntilCommitted(rows.slice(middle)))
    );
  }
}

function slept(delayMs: number, signal: AbortSignal): Promise<boolean> {
  return sleep(delayMs, signal).then(
    () => true,
    () => false,
  );
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
