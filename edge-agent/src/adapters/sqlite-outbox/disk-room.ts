import type { Log } from "../../application/ports.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import type { ReserveFile } from "./reserve-file.ts";
import { storageFaultOf } from "./storage-fault.ts";

/** Free pages of the file that are kept for what comes (1 MiB), and how many are given back at a time. */
const KEPT_PAGES = 256;
const SHRINK_PAGES = 64;

/**
 * Knows whether the disk is full. While it is, the reserve is used up and the file does not grow: what comes in
 * takes the pages of what went, and the log is moved into the file after every transaction, so that it stays small.
 */
export class DiskRoom {
  readonly #keeper: DatabaseKeeper;
  readonly #reserve: ReserveFile;
  readonly #log: Log;
  #isFull = false;

  constructor(keeper: DatabaseKeeper, reserve: ReserveFile, log: Log) {
    this.#keeper = keeper;
    this.#reserve = reserve;
    this.#log = log;
  }

  /** Moves the log into the file. That may find the disk full where the commit before did not. */
  checkpoint(): void {
    try {
      this.#keeper.current.checkpoint(this.#isFull);
    } catch (error) {
      // Damage shows in the next transaction, too, and is repaired there.
      if (storageFaultOf(error, false) === "no_room") this.enterFull();
    }
  }

  enterFull(): void {
    if (!this.#isFull) this.#log.error({}, "the disk is full: the outbox gives up its lowest severities");
    this.#isFull = true;
    this.#reserve.release();
    try {
      this.#keeper.current.checkpoint(true);
      this.#keeper.current.sqlite.mayGrow = false;
    } catch {
      // Others took the room meanwhile: events wait in memory until there is some.
    }
  }

  /** Sets the reserve aside again as soon as there is room for it; then the disk is not full any more. */
  async recover(): Promise<void> {
    const hasReserve = await this.#reserve.restore();
    if (!hasReserve && !this.#isFull && !(await this.#reserve.hasRoom())) this.enterFull();
    if (!hasReserve || !this.#isFull) return;
    this.#keeper.current.sqlite.mayGrow = true;
    this.#isFull = false;
    this.#log.info({}, "the disk has room again");
  }

  /** Gives a few of the pages that nothing needs back to the file system. */
  shrink(): void {
    const { sqlite } = this.#keeper.current;
    if (this.#isFull || sqlite.freePages < KEPT_PAGES + SHRINK_PAGES) return;
    sqlite.shrink(SHRINK_PAGES);
    sqlite.checkpoint();
  }
}
