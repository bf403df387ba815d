import type { Change, ServerMessage } from "@huishi/contracts";
import { type Clock, type Runnable, sleep } from "@huishi/kernel";
import { compareCursors, type Cursor, CURSOR_START, formatCursor } from "../domain/cursor.ts";

/** A row of the outbox: what changed, not how it looks now. */
export interface ChangeRow extends Cursor {
  readonly kind: "alarm" | "camera" | "zone" | "rule" | "deleted";
  readonly key: string;
  readonly what: string | null;
}

export interface ChangeReader {
  /** Place of the last change that can be read now. */
  head(): Promise<Cursor>;
  /** Changes after the cursor, in order; `unsettled` tells that more are written by transactions not yet readable. */
  read(after: Cursor, limit: number): Promise<{ rows: ChangeRow[]; unsettled: boolean }>;
  /** Is everything after this cursor still kept, and has this database been there at all? */
  reaches(cursor: Cursor): Promise<boolean>;
  /** The rows as they are now, each once; a row that is gone has its own `deleted` change and is left out here. */
  describe(rows: readonly ChangeRow[]): Promise<Change[]>;
}

/** Somebody who is told of changes. */
export interface ChangeSubscriber {
  /** Sends one serialised message. Must not wait. */
  sendText(message: Buffer): void;
  /** Resolves when little enough waits to be sent that one more page of old changes may be added. */
  drained(signal: AbortSignal): Promise<void>;
}

interface Batch {
  readonly upTo: Cursor;
  readonly message: Buffer;
}

export interface ChangeFeedOptions {
  readonly reader: ChangeReader;
  readonly clock: Clock;
  readonly onBatch?: (batch: { changes: number; bytes: number; subscribers: number }) => void;
}

/** At least this long between two messages: what comes in between is gathered into the next. */
const BATCH_MS = 50;
/** Look again this soon while a change waits for an older transaction to end. */
const UNSETTLED_MS = 25;
/** Look at least this often, should a notification be lost. */
const POLL_MS = 1_000;
const PAGE_ROWS = 500;
const RING_BATCHES = 2_000;
const RING_BYTES = 16 * 1024 * 1024;

/**
 * The stream of committed changes: each batch is read and serialised ONCE and the same Buffer goes to all.
 * A ring of recent batches and the outbox behind it let a subscriber resume from its cursor: nothing is lost,
 * a change may come twice (each carries the whole row, so twice does no harm).
 */
export class ChangeFeed implements Runnable {
  readonly name = "change feed";
  readonly #options: ChangeFeedOptions;
  readonly #subscribers = new Set<ChangeSubscriber>();
  #ring: Batch[] = [];
  #ringBytes = 0;
  #ringStart: Cursor = CURSOR_START;
  #position: Cursor | null = null;
  /** Resolves when the feed knows where it stands: nobody may join before. */
  readonly #placed: Promise<void>;
  #markPlaced: () => void = () => undefined;
  #wake: (() => void) | null = null;
  #isWoken = false;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
    this.#placed = new Promise((resolve) => {
      this.#markPlaced = resolve;
    });
  }

  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** Something was committed (NOTIFY): look soon. */
  wake(): void {
    this.#isWoken = true;
    this.#wake?.();
  }

  /** Reads and spreads changes until the signal aborts; throws when the database fails (the supervisor retries). */
  async run(signal: AbortSignal): Promise<void> {
    if (this.#position === null) await this.#place();
    while (!signal.aborted) {
      this.#isWoken = false;
      const startedMs = this.#options.clock.nowMs();
      const more = await this.#advance();
      const spentMs = this.#options.clock.nowMs() - startedMs;
      if (more === "page") continue;
      if (more === "unsettled") await sleep(UNSETTLED_MS, signal).catch(() => undefined);
      else {
        // The first change after a rest goes out at once, those right behind it together.
        await sleep(Math.max(0, BATCH_MS - spentMs), signal).catch(() => undefined);
        await this.#rest(signal);
      }
    }
  }

  /**
   * Gives the subscriber `welcome`, what it missed since `cursor`, then every change until `leave`. Without a
   * cursor, or with one older than the outbox, it starts from now and `resumed` is false.
   */
  async join(subscriber: ChangeSubscriber, cursor: Cursor | null, signal: AbortSignal): Promise<void> {
    await this.#placed;
    const start = cursor !== null && (await this.#canResume(cursor)) ? cursor : null;
    if (signal.aborted) return;
    this.#welcome(subscriber, start);
    let at = start ?? this.#present();
    while (compareCursors(at, this.#ringStart) < 0) {
      at = await this.#replayPage(subscriber, at);
      await subscriber.drained(signal);
      if (signal.aborted) return;
    }
    // From here to the end nothing awaits: no batch can slip in between the ring and the live stream.
    for (const batch of this.#ring) {
      if (compareCursors(batch.upTo, at) > 0) subscriber.sendText(batch.message);
    }
    this.#subscribers.add(subscriber);
  }

  leave(subscriber: ChangeSubscriber): void {
    this.#subscribers.delete(subscriber);
  }

  async #place(): Promise<void> {
    this.#position = await this.#options.reader.head();
    this.#ringStart = this.#position;
    this.#markPlaced();
  }

  #present(): Cursor {
    return this.#position ?? CURSOR_START;
  }

  async #canResume(cursor: Cursor): Promise<boolean> {
    const isInRing =
      compareCursors(cursor, this.#ringStart) >= 0 && compareCursors(cursor, this.#present()) <= 0;
    return isInRing || this.#options.reader.reaches(cursor);
  }

  #welcome(subscriber: ChangeSubscriber, resumedFrom: Cursor | null): void {
    const cursor = formatCursor(resumedFrom ?? this.#present());
    const serverTimeMs = this.#options.clock.nowMs();
    subscriber.sendText(serialise({ t: "welcome", serverTimeMs, cursor, resumed: resumedFrom !== null }));
  }

  async #replayPage(subscriber: ChangeSubscriber, after: Cursor): Promise<Cursor> {
    const ringStart = this.#ringStart;
    const { rows } = await this.#options.reader.read(after, PAGE_ROWS);
    const wanted = rows.filter((row) => compareCursors(row, ringStart) <= 0);
    const last = wanted.at(-1);
    if (last === undefined) return ringStart;
    const changes = await this.#options.reader.describe(wanted);
    if (changes.length > 0)
      subscriber.sendText(serialise({ t: "changes", cursor: formatCursor(last), changes }));
    return last;
  }

  async #advance(): Promise<"page" | "unsettled" | "idle"> {
    const { reader, onBatch } = this.#options;
    const { rows, unsettled } = await reader.read(this.#present(), PAGE_ROWS);
    const last = rows.at(-1);
    if (last !== undefined) {
      const changes = await reader.describe(rows);
      this.#position = { tx: last.tx, id: last.id };
      if (changes.length > 0) {
        const message = serialise({ t: "changes", cursor: formatCursor(last), changes });
        this.#keep({ upTo: this.#position, message });
        for (const subscriber of this.#subscribers) subscriber.sendText(message);
        onBatch?.({
          changes: changes.length,
          bytes: message.byteLength,
          subscribers: this.#subscribers.size,
        });
      }
    }
    if (rows.length >= PAGE_ROWS) return "page";
    return unsettled ? "unsettled" : "idle";
  }

  #keep(batch: Batch): void {
    this.#ring.push(batch);
    this.#ringBytes += batch.message.byteLength;
    while (this.#ring.length > RING_BATCHES || (this.#ringBytes > RING_BYTES && this.#ring.length > 1)) {
      const oldest = this.#ring.shift() as Batch;
      this.#ringBytes -= oldest.message.byteLength;
      this.#ringStart = oldest.upTo;
    }
  }

  /** Waits for a notification or for the poll's turn. */
  async #rest(signal: AbortSignal): Promise<void> {
    if (this.#isWoken || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = null;
        resolve();
      };
      const timer = setTimeout(done, POLL_MS);
      signal.addEventListener("abort", done, { once: true });
      this.#wake = done;
    });
  }
}

/** A server's message as the bytes of a text frame. */
export function serialise(message: ServerMessage): Buffer {
  return Buffer.from(JSON.stringify(message));
}
