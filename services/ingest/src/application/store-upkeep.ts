import { sleep } from "@huishi/kernel";

/** What must be done to a store from time to time. Each may be called at any time, and again. */
export interface StoreKeeping {
  /** Runs `work` while this process alone keeps the store; resolves when it lost that, or `work` ended. */
  asOnlyKeeper(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void>;
  rollUp(signal: AbortSignal): Promise<void>;
  keepPartitions(): Promise<void>;
  sizeChunks(): Promise<void>;
  enforceRetention(): Promise<RetentionResult>;
}

export interface RetentionResult {
  readonly droppedChunks: number;
  readonly deletedRows: number;
}

export interface StoreUpkeepOptions {
  readonly keeping: StoreKeeping;
  readonly onFault: (task: string, fault: unknown) => void;
  readonly onDone?: (task: string, seconds: number) => void;
  readonly onRetention?: (result: RetentionResult) => void;
  /** Wall clock and a clock that nobody sets, both milliseconds. */
  readonly wallMs: () => number;
  readonly steadyMs: () => number;
}

interface Task {
  readonly name: string;
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<void>;
  dueMs: number;
}

/** A wall clock that ran away from the steady one by more than this was set. */
const CLOCK_STEP_MS = 60_000;
/** After such a step nothing is deleted for this long: a clock three days ahead must not cost three days of rows. */
const DISTRUST_MS = 24 * 3_600_000;

/**
 * Keeps the store in shape: rollups, partitions ahead, chunk lengths, retention. One process in a city does it at a
 * time. A task that fails is tried again at its next turn and keeps no other from running.
 */
export class StoreUpkeep {
  readonly name = "store upkeep";
  readonly #options: StoreUpkeepOptions;
  readonly #tasks: Task[];
  #clockOffsetMs: number;
  #distrustUntilMs = -Infinity;

  constructor(options: StoreUpkeepOptions) {
    const { keeping } = options;
    this.#options = options;
    this.#clockOffsetMs = options.wallMs() - options.steadyMs();
    const task = (name: string, everyMs: number, run: Task["run"]): Task => ({
      name,
      everyMs,
      run,
      dueMs: 0,
    });
    this.#tasks = [
      task("partitions", 60_000, () => keeping.keepPartitions()),
      task("rollups", 10_000, (signal) => keeping.rollUp(signal)),
      task("chunk lengths", 600_000, () => keeping.sizeChunks()),
      task("retention", 3_600_000, () => this.#enforceRetention()),
    ];
  }

  /** Runs until the signal aborts; throws when the store cannot be asked who keeps it. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#options.keeping.asOnlyKeeper((keeping) => this.#turnByTurn(keeping), signal);
  }

  async #turnByTurn(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#watchClock();
      for (const task of this.#tasks) {
        if (signal.aborted) return;
        if (this.#options.steadyMs() >= task.dueMs) await this.#runTask(task, signal);
      }
      await sleep(1_000, signal).catch(() => {});
    }
  }

  async #runTask(task: Task, signal: AbortSignal): Promise<void> {
    const startedMs = this.#options.steadyMs();
    task.dueMs = startedMs + task.everyMs;
    try {
      await task.run(signal);
      this.#options.onDone?.(task.name, (this.#options.steadyMs() - startedMs) / 1000);
    } catch (fault) {
      if (!signal.aborted) this.#options.onFault(task.name, fault);
    }
  }

  #watchClock(): void {
    const { wallMs, steadyMs } = this.#options;
    const offsetMs = wallMs() - steadyMs();
    if (Math.abs(offsetMs - this.#clockOffsetMs) > CLOCK_STEP_MS)
      this.#distrustUntilMs = steadyMs() + DISTRUST_MS;
    this.#clockOffsetMs = offsetMs;
  }

  async #enforceRetention(): Promise<void> {
    if (this.#options.steadyMs() < this.#distrustUntilMs) return;
    const result = await this.#options.keeping.enforceRetention();
    this.#options.onRetention?.(result);
  }
}
