import type { Clock } from "@huishi/kernel";
import type { DatabaseKeeper } from "./database-keeper.ts";
import { type Bounds, giveUpAbove } from "./bounds.ts";
import type { OutboxDatabase } from "./outbox-database.ts";
import { type Loss, gapEvents, sumLosses } from "./loss.ts";

export interface LossBookOptions {
  readonly boot: string;
  readonly bounds: Bounds;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
  /** A gap is told when nothing more was given up for so long, or after six times that. */
  readonly gapDelayMs: number;
}

const LONGEST_GAP = 6;

/**
 * Counts what the outbox gave up and tells of it in gap events. What left the file is counted in the transaction
 * that took it out; what never reached the file waits here until it can be written, and is lost with a kill.
 */
export class LossBook {
  readonly #keeper: DatabaseKeeper;
  readonly #options: LossBookOptions;
  #unwritten: Loss[] = [];
  #lost = 0;
  /** Monotonic times of the first and the last loss that is not told yet. */
  #untold: { readonly firstMs: number; lastMs: number } | null = null;

  constructor(keeper: DatabaseKeeper, options: LossBookOptions) {
    this.#keeper = keeper;
    this.#options = options;
    // Losses of an earlier run.
    if (keeper.current.losses.length > 0) this.#mark();
    keeper.onReplaced = () => this.note(keeper.current.losses.reduce((sum, { count }) => sum + count, 0));
  }

  /** Events given up since the start. */
  get lost(): number {
    return this.#lost;
  }

  /** Notes losses that the file knows of. */
  note(count: number): void {
    if (count <= 0) return;
    this.#lost += count;
    this.#mark();
  }

  /** Notes losses that the file does not know of yet. */
  noteUnwritten(losses: readonly Loss[]): void {
    this.#unwritten = sumLosses([...this.#unwritten, ...losses]);
    this.note(losses.length);
  }

  /** Writes down what the file does not know of yet, in the caller's transaction; `written()` follows its commit. */
  write(database: OutboxDatabase): void {
    if (this.#unwritten.length > 0) database.addLosses(this.#unwritten);
  }

  written(): void {
    this.#unwritten = [];
  }

  /** Tells what is missing when it is time to, or at once (`now`). @returns whether an event came in */
  tell(now: boolean): boolean {
    if (!this.#untold || !(now || this.#isDue(this.#untold))) return false;
    const { boot, bounds, clock } = this.#options;
    const database = this.#keeper.current;
    const given = database.transaction(() => {
      this.write(database);
      // Room for the gap events is made first, so that they tell of that as well.
      const count = giveUpAbove(database, bounds, gapEvents(database.losses).length);
      for (const gap of gapEvents(database.losses)) database.append(boot, gap, clock.nowMs());
      database.forgetLosses();
      database.saveState();
      return count;
    });
    this.#lost += given;
    this.written();
    this.#untold = null;
    return true;
  }

  #isDue({ firstMs, lastMs }: { firstMs: number; lastMs: number }): boolean {
    const { monotonicMs, gapDelayMs } = this.#options;
    const nowMs = monotonicMs();
    return nowMs - lastMs >= gapDelayMs || nowMs - firstMs >= gapDelayMs * LONGEST_GAP;
  }

  #mark(): void {
    const nowMs = this.#options.monotonicMs();
    if (this.#untold) this.#untold.lastMs = nowMs;
    else this.#untold = { firstMs: nowMs, lastMs: nowMs };
  }
}
