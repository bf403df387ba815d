import { type Clock, sleep } from "@huishi/kernel";
import type { EventDraft, EventLink, Log, Outbox, OutboxPosition } from "./ports.ts";

const MAX_BATCH = 50;
const MIN_BATCH = 20;
const MAX_BATCH_BYTES = 256 * 1024;
/** Batches on their way at once. */
const WINDOW = 8;
/** How long a small batch waits for company. */
const GATHER_MS = 20;

/**
 * Takes events from the outbox to the centre, in order, several batches on their way at once. An event leaves
 * the outbox when its acknowledgement is there and those of all events before it: the acknowledgement follows
 * the commit (docs/decisions: ingest is the MQTT endpoint).
 */
export class OutboxRelay {
  readonly #outbox: Outbox;
  readonly #link: EventLink;

  constructor(outbox: Outbox, link: EventLink) {
    this.#outbox = outbox;
    this.#link = link;
  }

  /** Relays until the signal aborts. A lost connection costs a resend from the first unacknowledged event. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#link.waitUntilConnected(signal);
      await this.#relayWhileConnected(signal);
    }
  }

  async #relayWhileConnected(signal: AbortSignal): Promise<void> {
    const onTheWay: { next: OutboxPosition; done: Promise<boolean> }[] = [];
    let from = this.#outbox.start;
    let isLost = false;
    while (!signal.aborted && this.#link.isConnected && !isLost) {
      // The outbox may have given up its oldest events meanwhile.
      from = Math.max(from, this.#outbox.start);
      const batch =
        onTheWay.length < WINDOW ? await this.#nextBatch(from, onTheWay.length === 0, signal) : null;
      if (batch) {
        const done = this.#link.publishBatch(batch).then(
          () => true,
          () => false,
        );
        onTheWay.push({ next: batch.next, done });
        from = batch.next;
        continue;
      }
      const first = onTheWay.shift();
      if (!first) continue;
      if (await first.done) await this.#outbox.acknowledge(first.next);
      else isLost = true;
    }
    for (const { next, done } of onTheWay) {
      const wasAcknowledged = await done;
      if (wasAcknowledged && !isLost) await this.#outbox.acknowledge(next);
      else isLost = true;
    }
  }

  async #nextBatch(from: OutboxPosition, mayWait: boolean, signal: AbortSignal) {
    const limits = { maxEvents: MAX_BATCH, maxBytes: MAX_BATCH_BYTES };
    const batch = await this.#outbox.read(from, limits);
    if (batch && batch.events.length >= MIN_BATCH) return batch;
    if (!mayWait) return batch;
    if (!batch) await this.#outbox.waitFor(from, signal);
    await sleep(GATHER_MS, signal);
    return this.#outbox.read(from, limits);
  }
}

/** Writes events to the outbox; a fault there is logged, and the event stays in the outbox's memory. */
export class EventRecorder {
  readonly #outbox: Outbox;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #pending = new Set<Promise<void>>();
  #lost = 0;

  constructor(outbox: Outbox, clock: Clock, log: Log) {
    this.#outbox = outbox;
    this.#clock = clock;
    this.#log = log;
  }

  record(event: EventDraft): void {
    const write = this.#outbox
      .append(event, this.#clock.nowMs())
      .catch((err: unknown) => this.#noteLoss(err))
      .finally(() => this.#pending.delete(write));
    this.#pending.add(write);
  }

  /** A full outbox loses thousands: they are counted, and told in thousands. */
  #noteLoss(err: unknown): void {
    if (this.#lost++ % 1000 === 0) this.#log.error({ err, lost: this.#lost }, "event was not stored");
  }

  /** Resolves when everything recorded so far is stored. */
  async settle(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
