import { HuishiError } from "@huishi/kernel";
import type { TrackIdSource } from "./ports.ts";

/** How many ids one block of the sequence `track_id_block` holds. */
export const TRACK_ID_BLOCK = 1_000_000;

/**
 * Gives every track of every camera an id that was never used before, from blocks that the database hands out.
 * The next block is taken while half of the present one is left, so that no frame waits for it.
 */
export class TrackIds {
  readonly #source: TrackIdSource;
  #next = 0;
  #end = 0;
  #nextBlock: number | null = null;
  #taking: Promise<void> | null = null;

  constructor(source: TrackIdSource) {
    this.#source = source;
  }

  /** Makes sure that ids are at hand. Fails when the database gives none. */
  async prepare(): Promise<void> {
    if (this.#next < this.#end) return;
    await this.#refill();
  }

  /** @throws HuishiError TRACK_IDS_EXHAUSTED */
  take(): number {
    if (this.#next >= this.#end) this.#startNextBlock();
    const id = this.#next++;
    if (this.#end - this.#next < TRACK_ID_BLOCK / 2 && this.#nextBlock === null) {
      // A failure shows when the block is used up; until then every further track tries again.
      this.#refill().catch(() => undefined);
    }
    return id;
  }

  #startNextBlock(): void {
    if (this.#nextBlock === null) {
      throw new HuishiError(
        "TRACK_IDS_EXHAUSTED",
        "no ids for new tracks are left: check that analytics reaches the database",
      );
    }
    this.#next = this.#nextBlock;
    this.#end = this.#nextBlock + TRACK_ID_BLOCK;
    this.#nextBlock = null;
  }

  #refill(): Promise<void> {
    this.#taking ??= this.#source
      .takeBlock()
      .then((first) => {
        this.#nextBlock = first;
      })
      .finally(() => {
        this.#taking = null;
      });
    return this.#taking;
  }
}
