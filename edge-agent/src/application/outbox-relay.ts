import { type Clock, sleep } from "@huishi/kernel";
import { DrainRate } from "../domain/drain-rate.ts";
import type { EventDraft, EventLink, Log, Outbox, OutboxPosition } from "./ports.ts";
import { type BatchLink, RelayLane } from "./relay-lane.ts";

/** Batches on their way and events in each: small ones are quick, large ones drain. */
const LIVE = { window: 8, maxEvents: 50 };
/** Both lanes share one connection: on a thin line a full window of the backlog would be seconds of delay for the present. */
const BACKLOG = { window: 4, maxEvents: 200, patienceMs: 2_000 };
/** Before what was not acknowledged is sent again over a connection that still stands. */
const RESEND_DELAY_MS = 1_000;

export interface RelayOptions {
  /** What live events go over, where that is more than the link; default the link. */
  readonly live?: BatchLink;
  /** Told how long each acknowledgement took, milliseconds. */
  onAcknowledged?(tookMs: number): void;
}

/**
 * Takes events from the outbox to the centre. After a short outage everything goes in one lane, in order. After a
 * long one, what is recorded now goes in a lane of its own beside the backlog, so that the centre sees the present at
 * once: that lane begins with what was recorded since the connection. How long is long depends on the line: what drains
 * in about two seconds is short. Each lane keeps the order of the appends, so that the order of a device is kept within the backlog and within
 * what is live; alarms in the backlog do not overtake the events that led to them.
 */
export class OutboxRelay {
  readonly #outbox: Outbox;
  readonly #link: EventLink;
  readonly #rate = new DrainRate();
  readonly #live: BatchLink;
  readonly #onAcknowledged: (tookMs: number) => void;

  constructor(outbox: Outbox, link: EventLink, { live = link, onAcknowledged }: RelayOptions = {}) {
    this.#outbox = outbox;
    this.#link = link;
    this.#live = live;
    this.#onAcknowledged = onAcknowledged ?? (() => undefined);
  }

  /** Relays until the signal aborts. A lost connection costs a resend of what was not acknowledged. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#link.waitUntilConnected(signal);
      const isComplete = await this.#relayWhileConnected(signal);
      if (!isComplete && this.#link.isConnected) await sleep(RESEND_DELAY_MS, signal);
    }
  }

  /** @returns false when a batch was not acknowledged */
  async #relayWhileConnected(signal: AbortSignal): Promise<boolean> {
    let from: OutboxPosition = 0;
    const connectedAt = this.#outbox.end;
    while (this.#link.isConnected) {
      signal.throwIfAborted();
      const lanes = this.#lanesFrom(from, connectedAt);
      if (!(await runTogether(lanes, signal))) return false;
      from = (lanes.at(-1) as RelayLane).from;
    }
    return false;
  }

  /**
   * One lane, or the backlog and behind it what is recorded from now on, or since the connection where that is not
   * far behind itself. The last one ends when it is far behind.
   */
  #lanesFrom(from: OutboxPosition, connectedAt: OutboxPosition): RelayLane[] {
    const onAcknowledged = (events: number, sentAtMs: number, atMs: number): void => {
      this.#rate.acknowledged(events, sentAtMs, atMs);
      this.#onAcknowledged(atMs - sentAtMs);
    };
    const parts = { outbox: this.#outbox, onAcknowledged };
    const live = { ...parts, ...LIVE, link: this.#live };
    if (!this.#isFarBehind(from)) {
      return [new RelayLane({ ...live, from, isOver: (at) => this.#isFarBehind(at) })];
    }
    const isPresent = from < connectedAt && !this.#isFarBehind(connectedAt);
    const before = isPresent ? connectedAt : this.#outbox.end;
    const backlog = new RelayLane({ ...parts, ...BACKLOG, link: this.#link, from, before });
    const isOver = (at: OutboxPosition): boolean => backlog.isDone && this.#isFarBehind(at);
    return [backlog, new RelayLane({ ...live, from: before, isOver })];
  }

  #isFarBehind(from: OutboxPosition): boolean {
    // Places overestimate: some of their events are gone.
    const short = this.#rate.shortBacklog;
    return this.#outbox.end - from > short && this.#outbox.depth > short;
  }
}

/** @returns whether each lane came to its end with everything acknowledged; one that does not stops the others */
async function runTogether(lanes: readonly RelayLane[], signal: AbortSignal): Promise<boolean> {
  const failed = new AbortController();
  const lost = new Error("a batch was not acknowledged");
  const both = AbortSignal.any([signal, failed.signal]);
  const runs = lanes.map((lane) =>
    lane.run(both).then(
      (isComplete) => void (isComplete || failed.abort(lost)),
      (error: unknown) => failed.abort(error),
    ),
  );
  await Promise.all(runs);
  signal.throwIfAborted();
  if (failed.signal.aborted && failed.signal.reason !== lost) throw failed.signal.reason;
  return !failed.signal.aborted;
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
