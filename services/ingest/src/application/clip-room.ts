// The folder of clips never grows beyond its bound, and never by taking what must be kept.
import { type Runnable, sleep } from "@huishi/kernel";

const LOOK_MS = 60_000;
/** The folder counts as full from here on, when nothing may go: what is coming still fits. */
const FULL_SHARE = 0.95;
/** A part that was not touched for so long, and whose upload is over, is nobody's. */
const IDLE_MS = 3_600_000;

/** Bytes that lie in the folder. */
export interface RoomFile {
  readonly id: string;
  readonly kind: "part" | "clip";
  readonly bytes: number;
  readonly changedMs: number;
}

export interface RoomFiles {
  /** Clips, and parts of any upload. */
  list(): Promise<readonly RoomFile[]>;
  /** A complete clip and its part. */
  remove(id: string): Promise<void>;
  discard(id: string): Promise<void>;
}

/** Which clips may go, and which have gone. */
export interface RoomBook {
  /**
   * Gives up clips that the policy's minimum has released and no hold covers, oldest first, until so many bytes are free
   * or none is left. Their files go afterwards: they are among the `gone` then.
   */
  giveUp(bytes: number): Promise<void>;
  /** Could `giveUp` give up anything? */
  hasExpendable(): Promise<boolean>;
  /** Clips without a row. */
  gone(): Promise<readonly string[]>;
  filesGone(ids: readonly string[]): Promise<void>;
  /** Those of them that are coming: clips or other uploads. */
  coming(ids: readonly string[]): Promise<ReadonlySet<string>>;
  tell(room: {
    readonly maxBytes: number;
    readonly usedBytes: number;
    readonly isFull: boolean;
  }): Promise<void>;
}

/**
 * Room for clips: at most `maxBytes` of them. Overflow policy: `dropOldestBeyondMinimum`; where nothing may go (younger
 * than the policy's minimum, or under a hold) `refuse`: what comes is refused as CLIP_STORE_FULL and counted, and nothing
 * more is asked for until there is room.
 */
export class ClipRoom implements Runnable {
  readonly name = "room for clips";
  readonly maxBytes: number;
  readonly #book: RoomBook;
  readonly #files: RoomFiles;
  readonly #wallMs: () => number;
  #usedBytes: number | null = null;
  #isFull = false;
  #turn: Promise<unknown> = Promise.resolve();
  /** Clips refused for want of room, and removed, since the start. */
  readonly counts = { refused: 0, removed: 0 };

  constructor(parts: {
    readonly book: RoomBook;
    readonly files: RoomFiles;
    readonly maxBytes: number;
    readonly wallMs: () => number;
  }) {
    this.#book = parts.book;
    this.#files = parts.files;
    this.maxBytes = parts.maxBytes;
    this.#wallMs = parts.wallMs;
  }

  get usedBytes(): number {
    return this.#usedBytes ?? 0;
  }

  /** Nothing more should be asked for. */
  get isFull(): boolean {
    return this.#isFull;
  }

  /** Takes room for bytes that are about to be written; false where there is none and none can be made. */
  take(bytes: number): Promise<boolean> {
    return this.#inTurn(async () => {
      this.#usedBytes ??= await this.#measure();
      if (this.#usedBytes + bytes > this.maxBytes) await this.#makeRoom(bytes);
      if (this.#usedBytes + bytes > this.maxBytes) {
        this.#isFull = true;
        this.counts.refused += 1;
        return false;
      }
      this.#usedBytes += bytes;
      return true;
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.tidy();
      await sleep(LOOK_MS, signal);
    }
  }

  /** Removes the files of what is gone, measures what is left, and says how full it is. */
  tidy(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#removeGone();
      await this.#discardIdle();
      this.#usedBytes = await this.#measure();
      this.#isFull = this.#usedBytes >= this.maxBytes * FULL_SHARE && !(await this.#book.hasExpendable());
      const { maxBytes, usedBytes, isFull } = this;
      await this.#book.tell({ maxBytes, usedBytes, isFull });
    });
  }

  async #makeRoom(bytes: number): Promise<void> {
    // Counted since the last look, and discarded parts were not taken off: the folder itself knows.
    this.#usedBytes = await this.#measure();
    const missing = this.#usedBytes + bytes - this.maxBytes;
    if (missing <= 0) return;
    await this.#book.giveUp(missing);
    await this.#removeGone();
    this.#usedBytes = await this.#measure();
  }

  async #removeGone(): Promise<void> {
    const gone = await this.#book.gone();
    for (const id of gone) await this.#files.remove(id);
    if (gone.length > 0) await this.#book.filesGone(gone);
    this.counts.removed += gone.length;
  }

  async #discardIdle(): Promise<void> {
    const oldest = this.#wallMs() - IDLE_MS;
    const idle = (await this.#files.list()).filter(
      ({ kind, changedMs }) => kind === "part" && changedMs < oldest,
    );
    if (idle.length === 0) return;
    const coming = await this.#book.coming(idle.map(({ id }) => id));
    for (const { id } of idle) if (!coming.has(id)) await this.#files.discard(id);
  }

  async #measure(): Promise<number> {
    return (await this.#files.list()).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
