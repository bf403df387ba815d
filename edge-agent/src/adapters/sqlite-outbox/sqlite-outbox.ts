import { type EdgeEvent, MAX_EVENT_BYTES } from "@huishi/contracts";
import { type Clock, systemClock } from "@huishi/kernel";
import { randomBytes } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type {
  EventDraft,
  Log,
  Outbox,
  OutboxBatch,
  OutboxPosition,
  OutboxStats,
  OutboxWindow,
} from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { DatabaseKeeper } from "./database-keeper.ts";
import { DiskRoom } from "./disk-room.ts";
import { LossBook } from "./loss-book.ts";
import type { EventRow } from "./outbox-database.ts";
import { OutboxWriter } from "./outbox-writer.ts";
import { ReserveFile } from "./reserve-file.ts";
import { storageError } from "./storage-fault.ts";
import { takeOverSegments } from "./take-over-segments.ts";
import { Waiters } from "./waiters.ts";

interface SqliteOutboxSettings {
  /** Bound of stored events. */
  readonly maxEvents: number;
  /** Bound of what the file holds. */
  readonly maxBytes: number;
  /**
   * How long an event is kept at most, in running time of the outbox: neither a stepped clock nor a time without
   * power ages an event.
   */
  readonly maxAgeMs: number;
  /** Pause before a failed write is tried again. */
  readonly retryDelayMs: number;
  /** A gap is told when nothing more was given up for so long. */
  readonly gapDelayMs: number;
  /** How often the outbox looks after itself. */
  readonly careIntervalMs: number;
  readonly clock: Clock;
  readonly monotonicMs: () => number;
}
export type SqliteOutboxOptions = Partial<SqliteOutboxSettings> & {
  readonly folder: string;
  readonly log: Log;
};

const DAY_MS = 86_400_000;
const DEFAULTS: SqliteOutboxSettings = {
  maxEvents: 1_000_000,
  maxBytes: 1024 * 1024 * 1024,
  maxAgeMs: 30 * DAY_MS,
  retryDelayMs: 2_000,
  gapDelayMs: 10_000,
  careIntervalMs: 1_000,
  clock: systemClock,
  monotonicMs: () => performance.now(),
};
/** Given up for their age in one transaction. */
const AGED_SLICE = 500;
/** What the number and the time that the outbox adds may take. */
const STAMP_BYTES = 64;

/**
 * Outbox in an SQLite file. An event leaves on its acknowledgement, or when a bound is passed or the disk is full:
 * then the oldest of the lowest severity goes, what goes is counted in the same transaction, and an `outbox_gap`
 * event tells of it. While the disk cannot be written, events wait in memory. Numbers go on over restarts; every
 * start has a boot id of its own, and an event keeps the boot and number it was stored with.
 */
export class SqliteOutbox implements Outbox {
  readonly boot: string = randomBytes(8).toString("hex");
  readonly #settings: SqliteOutboxSettings;
  readonly #log: Log;
  readonly #keeper: DatabaseKeeper;
  readonly #room: DiskRoom;
  readonly #book: LossBook;
  readonly #writer: OutboxWriter;
  readonly #waiters = new Waiters();
  readonly #heldSinceMs: number;
  #care: NodeJS.Timeout;
  #caring: Promise<void> | null = null;
  #careFaults = 0;
  #isClosed = false;

  private constructor(keeper: DatabaseKeeper, settings: SqliteOutboxSettings & SqliteOutboxOptions) {
    const { log, folder } = settings;
    this.#settings = settings;
    this.#log = log;
    this.#keeper = keeper;
    this.#heldSinceMs = settings.monotonicMs() - keeper.current.state.heldMs;
    this.#room = new DiskRoom(keeper, new ReserveFile(join(folder, "outbox.reserve")), log);
    this.#book = new LossBook(keeper, { ...settings, boot: this.boot, bounds: settings });
    this.#writer = new OutboxWriter({
      keeper,
      log,
      room: this.#room,
      book: this.#book,
      bounds: settings,
      boot: this.boot,
      retryDelayMs: settings.retryDelayMs,
      heldMs: () => this.#heldMs,
      onStored: () => this.#waiters.wake(),
    });
    this.#care = setInterval(() => this.#lookAfter(), settings.careIntervalMs).unref();
  }

  /** Opens the folder, made when absent. @throws EdgeError STATE_DIR, STATE_IN_USE, DISK_FULL */
  static async open(options: SqliteOutboxOptions): Promise<SqliteOutbox> {
    const { folder, log } = options;
    const settings = { ...DEFAULTS, ...options };
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const place = { file: join(folder, "outbox.db"), log, nowMs: () => settings.clock.nowMs() };
      const keeper = await DatabaseKeeper.open(place, folder);
      const moved = await takeOverSegments(folder, keeper.current);
      if (moved > 0) log.info({ moved }, "the events of the former outbox were taken over");
      const outbox = new SqliteOutbox(keeper, settings);
      await outbox.#room.recover();
      outbox.#tellGaps(true);
      return outbox;
    } catch (error) {
      throw storageError(error);
    }
  }

  get end(): OutboxPosition {
    return this.#keeper.current.state.nextPosition;
  }

  get depth(): number {
    return this.#keeper.current.count + this.#writer.waiting;
  }

  async append(draft: EventDraft, agentAtMs: number): Promise<void> {
    const bytes = Buffer.byteLength(JSON.stringify(draft)) + STAMP_BYTES;
    if (bytes > MAX_EVENT_BYTES) throw new EdgeError("EVENT_TOO_LARGE", `a ${draft.type} of ${bytes} bytes`);
    if (this.#isClosed) throw new EdgeError("STATE_DIR", "the outbox is closed");
    await new Promise<void>((resolve, reject) => {
      const settle = (fault: Error | null): void => (fault ? reject(fault) : resolve());
      this.#writer.push({ draft, agentAtMs, bytes, settle });
    });
  }

  async read(window: OutboxWindow): Promise<OutboxBatch | null> {
    const { from, before = Number.MAX_SAFE_INTEGER, maxEvents, maxBytes } = window;
    for (;;) {
      const rows = await this.#select(from, before, maxEvents);
      const [first] = rows;
      if (!first) return null;
      const batch = batchOf(first, rows, maxBytes);
      if (batch) return batch;
      this.#keeper.current.transaction(() => this.#keeper.current.giveUpDamaged(first));
      this.#book.note(1);
    }
  }

  async acknowledge({ first, last }: OutboxBatch): Promise<void> {
    await this.#writer.remove(first, last);
  }

  async waitFor(from: OutboxPosition, signal: AbortSignal): Promise<void> {
    if (from < this.end) signal.throwIfAborted();
    else await this.#waiters.wait(signal);
  }

  async stats(): Promise<OutboxStats> {
    const [oldest] = await this.#select(0, Number.MAX_SAFE_INTEGER, 1);
    return {
      depth: this.depth,
      oldestAtMs: oldest?.agentAtMs ?? null,
      bytes: this.#keeper.current.sqlite.diskBytes,
      lost: this.#book.lost,
    };
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#care);
    await this.#caring;
    await this.#writer.close();
    await this.#keeper.settled();
    const database = this.#keeper.current;
    for (const step of [
      () => void this.#book.tell(true),
      () => {
        database.state.heldMs = this.#heldMs;
        database.transaction(() => database.saveState());
      },
      () => database.close(),
    ]) {
      try {
        step();
      } catch (err) {
        this.#log.error({ err: storageError(err) }, "the outbox was not closed cleanly");
      }
    }
  }

  get #heldMs(): number {
    return this.#settings.monotonicMs() - this.#heldSinceMs;
  }

  async #select(from: OutboxPosition, before: OutboxPosition, limit: number): Promise<EventRow[]> {
    await this.#keeper.settled();
    try {
      return this.#keeper.current.select(from, before, limit);
    } catch (error) {
      if ((await this.#keeper.faultOf(error)) !== "damaged") throw storageError(error);
      await this.#keeper.repair(error);
      this.#tellGaps(true);
      return this.#keeper.current.select(from, before, limit);
    }
  }

  /** Age, gaps, free pages and the reserve. What fails here is tried again the next time. */
  #lookAfter(): void {
    this.#caring ??= this.#lookAfterOnce()
      .catch((err: unknown) => this.#noteCareFault(err))
      .finally(() => (this.#caring = null));
  }

  /** A full disk fails every second: one line a minute says so. */
  async #noteCareFault(fault: unknown): Promise<void> {
    if (this.#careFaults++ % 60 === 0) {
      this.#log.warn({ err: fault }, "the outbox could not look after itself");
    }
    if ((await this.#keeper.faultOf(fault)) !== "damaged") return;
    try {
      await this.#keeper.repair(fault);
    } catch (err) {
      this.#log.error({ err }, "the outbox's file cannot be written anew");
    }
  }

  async #lookAfterOnce(): Promise<void> {
    await this.#keeper.settled();
    await this.#room.recover();
    const database = this.#keeper.current;
    const aged = this.#heldMs - this.#settings.maxAgeMs;
    if (aged > 0) this.#book.note(database.transaction(() => database.giveUpHeldBefore(aged, AGED_SLICE)));
    this.#tellGaps(false);
    this.#room.shrink();
  }

  #tellGaps(now: boolean): void {
    if (this.#book.tell(now)) this.#waiters.wake();
  }
}

/** The first rows of one boot, as many as fit; null when the first is damaged. */
function batchOf(first: EventRow, rows: readonly EventRow[], maxBytes: number): OutboxBatch | null {
  const events: EdgeEvent[] = [];
  let last = first.position;
  let bytes = 0;
  for (const { boot, json, crc, position } of rows) {
    bytes += Buffer.byteLength(json);
    if (boot !== first.boot || (events.length > 0 && bytes > maxBytes) || crc32(json) !== crc) break;
    events.push(JSON.parse(json) as EdgeEvent);
    last = position;
  }
  return events.length === 0 ? null : { boot: first.boot, events, first: first.position, last };
}
