// An outbox without a disk, for tests of what uses one. It passes the same contract as the real one.
import { type EdgeEvent, severityOf } from "@huishi/contracts";
import { type Clock, systemClock } from "@huishi/kernel";
import { randomBytes } from "node:crypto";
import { gapEvents, lossOf, sumLosses } from "../adapters/sqlite-outbox/loss.ts";
import { Waiters } from "../adapters/sqlite-outbox/waiters.ts";
import type {
  EventDraft,
  Outbox,
  OutboxBatch,
  OutboxPosition,
  OutboxStats,
  OutboxWindow,
} from "../application/ports.ts";

interface Row {
  readonly position: number;
  readonly boot: string;
  readonly event: EdgeEvent;
}

/** What an outbox of this kind keeps when it is closed and opened again. */
export interface MemoryDisk {
  rows: Row[];
  nextPosition: number;
  nextSeq: number;
}

export const emptyDisk = (): MemoryDisk => ({ rows: [], nextPosition: 1, nextSeq: 0 });

export class MemoryOutbox implements Outbox {
  readonly boot = randomBytes(8).toString("hex");
  readonly #disk: MemoryDisk;
  readonly #maxEvents: number;
  readonly #clock: Clock;
  readonly #waiters = new Waiters();
  #given: Row[] = [];
  #lost = 0;

  constructor(disk: MemoryDisk = emptyDisk(), maxEvents = 1_000_000, clock: Clock = systemClock) {
    this.#disk = disk;
    this.#clock = clock;
    this.#maxEvents = maxEvents;
  }

  get end(): OutboxPosition {
    return this.#disk.nextPosition;
  }

  get depth(): number {
    return this.#disk.rows.length;
  }

  async append(draft: EventDraft, agentAtMs: number): Promise<void> {
    this.#add(draft, agentAtMs);
    this.#giveUp(this.depth - this.#maxEvents);
    this.#waiters.wake();
  }

  async read({ from, before = Infinity, maxEvents, maxBytes }: OutboxWindow): Promise<OutboxBatch | null> {
    const rows = this.#disk.rows.filter(({ position }) => position >= from && position < before);
    const [first] = rows;
    if (!first) return null;
    const taken: Row[] = [];
    let bytes = 0;
    for (const row of rows.slice(0, maxEvents)) {
      bytes += Buffer.byteLength(JSON.stringify(row.event));
      if (row.boot !== first.boot || (taken.length > 0 && bytes > maxBytes)) break;
      taken.push(row);
    }
    const { position: last } = taken.at(-1) as Row;
    return { boot: first.boot, events: taken.map(({ event }) => event), first: first.position, last };
  }

  async acknowledge({ first, last }: OutboxBatch): Promise<void> {
    this.#disk.rows = this.#disk.rows.filter(({ position }) => position < first || position > last);
  }

  async waitFor(from: OutboxPosition, signal: AbortSignal): Promise<void> {
    if (from < this.end) signal.throwIfAborted();
    else await this.#waiters.wait(signal);
  }

  async stats(): Promise<OutboxStats> {
    return {
      depth: this.depth,
      oldestAtMs: this.#disk.rows[0]?.event.agentAtMs ?? null,
      bytes: JSON.stringify(this.#disk.rows).length,
      lost: this.#lost,
    };
  }

  async close(): Promise<void> {
    if (this.#given.length === 0) return;
    this.#giveUp(this.depth + 1 - this.#maxEvents);
    const losses = this.#given.flatMap(({ event }) =>
      lossOf({ ...event, json: JSON.stringify(event) }, "full"),
    );
    for (const gap of gapEvents(sumLosses(losses))) this.#add(gap, this.#clock.nowMs());
    this.#given = [];
  }

  #add(draft: EventDraft, agentAtMs: number): void {
    const event = { ...draft, seq: this.#disk.nextSeq++, agentAtMs } as EdgeEvent;
    this.#disk.rows.push({ position: this.#disk.nextPosition++, boot: this.boot, event });
  }

  #giveUp(count: number): void {
    for (let left = count; left > 0; left--) {
      const severities = this.#disk.rows.map(({ event }) => severityOf(event.type));
      const at = severities.indexOf(Math.min(...severities) as 0);
      this.#given.push(...this.#disk.rows.splice(at, 1));
      this.#lost += 1;
    }
  }
}
