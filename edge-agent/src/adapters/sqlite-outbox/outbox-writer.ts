import { type EventSeverity, severityOf } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import type { Log, OutboxPosition } from "../../application/ports.ts";
import { EdgeError } from "../../domain/faults.ts";
import { type Bounds, giveUpAbove } from "./bounds.ts";
import type { DatabaseKeeper } from "./database-keeper.ts";
import type { DiskRoom } from "./disk-room.ts";
import type { LossBook } from "./loss-book.ts";
import type { Loss, LossReason } from "./loss.ts";
import { type PendingEvent, PendingEvents } from "./pending-events.ts";
import { storageError } from "./storage-fault.ts";

export interface WriterParts {
  readonly keeper: DatabaseKeeper;
  readonly room: DiskRoom;
  readonly book: LossBook;
  readonly bounds: Bounds;
  readonly boot: string;
  readonly log: Log;
  readonly retryDelayMs: number;
  /** The outbox's running time. */
  heldMs(): number;
  onStored(): void;
}

/** Events that wait in memory while the disk cannot be written. */
const MAX_PENDING = { maxEvents: 20_000, maxBytes: 32 * 1024 * 1024 };
/** What shares one transaction and fsync: a few milliseconds of a blocked event loop. */
const MAX_GROUP = { maxEvents: 500, maxBytes: 128 * 1024 };
/** Acknowledged or given up in one transaction. */
const SLICE = 500;

interface Acknowledged {
  readonly first: OutboxPosition;
  readonly last: OutboxPosition;
  readonly done: () => void;
}

/** The one loop that writes: appends and acknowledgements of the same moment share a transaction. */
export class OutboxWriter {
  readonly #parts: WriterParts;
  readonly #pending = new PendingEvents(MAX_PENDING);
  readonly #acknowledged: Acknowledged[] = [];
  readonly #closing = new AbortController();
  #inHand = 0;
  #writing: Promise<void> | null = null;

  constructor(parts: WriterParts) {
    this.#parts = parts;
  }

  /** Events that are not written yet. */
  get waiting(): number {
    return this.#pending.size + this.#inHand;
  }

  push(event: PendingEvent): void {
    const gaveWay = this.#pending.push(event);
    if (gaveWay.length > 0) {
      this.#parts.book.noteUnwritten(gaveWay.map((each) => lossOf(each, "disk_full")));
      for (const { settle } of gaveWay) {
        settle(new EdgeError("OUTBOX_FULL", "too many events wait to be written"));
      }
    }
    this.#write();
  }

  /** Resolves when the events are out of the file. */
  remove(first: OutboxPosition, last: OutboxPosition): Promise<void> {
    return new Promise((done) => {
      this.#acknowledged.push({ first, last, done });
      this.#write();
    });
  }

  /** Stores what waits, once more; what cannot be stored is refused to its writer. */
  async close(): Promise<void> {
    this.#closing.abort(new Error("outbox closes"));
    await this.#writing;
  }

  #write(): void {
    this.#writing ??= this.#writeAll().finally(() => (this.#writing = null));
  }

  async #writeAll(): Promise<void> {
    // Writers of the same moment join the first group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.size > 0 || this.#acknowledged.length > 0) {
      const group = this.#pending.take(MAX_GROUP);
      this.#inHand = group.length;
      await this.#store(group);
      this.#inHand = 0;
      this.#parts.onStored();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Writes a group, as often as it takes; gives up, and tells the writers why, only when the outbox closes. */
  async #store(group: PendingEvent[]): Promise<void> {
    const { keeper, room, log, retryDelayMs } = this.#parts;
    for (let attempt = 0; ; attempt++) {
      await keeper.settled();
      try {
        this.#commit(group);
        room.checkpoint();
        return;
      } catch (error) {
        const fault = await keeper.faultOf(error);
        if (fault === "no_room" && this.#makeRoom(group)) continue;
        if (attempt % 30 === 0) {
          log.error({ err: storageError(error), waiting: group.length }, "outbox cannot be written");
        }
        if (fault === "other" || this.#closing.signal.aborted) return this.#abandon(group, error);
        await this.#mend(fault === "damaged" ? error : null);
        await sleep(retryDelayMs, this.#closing.signal).catch(() => undefined);
      }
    }
  }

  /** One transaction: what is acknowledged goes, the group comes, what is above the bounds goes. */
  #commit(group: readonly PendingEvent[]): void {
    const { keeper, bounds, boot, book } = this.#parts;
    const database = keeper.current;
    if (!database.sqlite.isInPlace) throw Object.assign(new Error("the outbox's file is gone"), { errno: 0 });
    const acknowledged = this.#firstAcknowledged();
    const given = database.transaction(() => {
      for (const { first, last } of acknowledged) database.removeRange(first, last);
      book.write(database);
      if (group.length === 0) return 0;
      database.state.heldMs = this.#parts.heldMs();
      for (const { draft, agentAtMs } of group) database.append(boot, draft, agentAtMs);
      const count = giveUpAbove(database, bounds);
      database.saveState();
      return count;
    });
    this.#settleAcknowledged(acknowledged);
    book.written();
    book.note(given);
    for (const { settle } of group) settle(null);
  }

  /**
   * Frees room on a full disk for a group: what is acknowledged, then the lowest severity that stands in the file,
   * then the lowest of the group itself. The highest is never given up for a full disk: it waits.
   *
   * @returns whether it is worth while to try again
   */
  #makeRoom(group: PendingEvent[]): boolean {
    const { keeper, room, book } = this.#parts;
    room.enterFull();
    const database = keeper.current;
    const groupLowest = Math.min(3, ...group.map(({ draft }) => severityOf(draft.type))) as EventSeverity;
    const acknowledged = this.#firstAcknowledged();
    try {
      const given = database.transaction(() => {
        for (const { first, last } of acknowledged) database.removeRange(first, last);
        const lowest = database.lowestSeverity;
        if (acknowledged.length > 0 || lowest === null || lowest > Math.min(2, groupLowest)) return 0;
        return database.giveUp(lowest, SLICE, "disk_full");
      });
      this.#settleAcknowledged(acknowledged);
      book.note(given);
      if (given > 0 || acknowledged.length > 0) {
        room.checkpoint();
        return true;
      }
    } catch {
      return false;
    }
    if (groupLowest === 3) return false;
    this.#giveUpOfGroup(group, groupLowest);
    return true;
  }

  #giveUpOfGroup(group: PendingEvent[], severity: EventSeverity): void {
    const isLowest = ({ draft }: PendingEvent): boolean => severityOf(draft.type) === severity;
    const lowest = group.filter(isLowest);
    group.splice(0, group.length, ...group.filter((event) => !isLowest(event)));
    this.#inHand = group.length;
    this.#parts.book.noteUnwritten(lowest.map((event) => lossOf(event, "disk_full")));
    for (const { settle } of lowest) settle(new EdgeError("OUTBOX_FULL", "the disk is full"));
  }

  async #mend(damage: unknown): Promise<void> {
    const { keeper, log } = this.#parts;
    try {
      if (damage === null) await keeper.putBack();
      else await keeper.repair(damage);
    } catch (err) {
      log.error({ err }, "the outbox's file cannot be written anew");
    }
  }

  #abandon(group: readonly PendingEvent[], error: unknown): void {
    const fault = storageError(error);
    if (group.length > 0) {
      const reason = fault.code === "DISK_FULL" ? "disk_full" : "damaged";
      this.#parts.book.noteUnwritten(group.map((event) => lossOf(event, reason)));
    }
    for (const { settle } of group) settle(fault);
    // What was acknowledged is sent once more by the next run; the centre knows it.
    this.#settleAcknowledged([...this.#acknowledged]);
  }

  #firstAcknowledged(): Acknowledged[] {
    let events = 0;
    const end = this.#acknowledged.findIndex(({ first, last }) => (events += last - first + 1) > SLICE);
    return this.#acknowledged.slice(0, end < 0 ? undefined : Math.max(1, end));
  }

  #settleAcknowledged(acknowledged: readonly Acknowledged[]): void {
    this.#acknowledged.splice(0, acknowledged.length);
    for (const { done } of acknowledged) done();
  }
}

function lossOf({ draft }: PendingEvent, reason: LossReason): Loss {
  const { type, capturedAtMs } = draft;
  return { reason, type, count: 1, fromMs: capturedAtMs, toMs: capturedAtMs };
}
