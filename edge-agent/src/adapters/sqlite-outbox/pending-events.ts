import { type EventSeverity, severityOf } from "@huishi/contracts";
import type { EventDraft } from "../../application/ports.ts";

/** An event that waits to be written. */
export interface PendingEvent {
  readonly draft: EventDraft;
  readonly agentAtMs: number;
  readonly bytes: number;
  readonly settle: (fault: Error | null) => void;
}

const SEVERITIES: readonly EventSeverity[] = [0, 1, 2, 3];

interface Entry {
  readonly order: number;
  readonly event: PendingEvent;
}

/**
 * Events that wait in memory while the disk cannot be written, first in first out, bounded in number and bytes
 * (policy: dropLowestSeverity). When it is full, the oldest event of the lowest severity gives way; an event that
 * would be that one itself is not taken.
 */
export class PendingEvents {
  readonly #maxEvents: number;
  readonly #maxBytes: number;
  readonly #queues: Entry[][] = SEVERITIES.map(() => []);
  #order = 0;
  #bytes = 0;
  #size = 0;

  constructor(bounds: { readonly maxEvents: number; readonly maxBytes: number }) {
    this.#maxEvents = bounds.maxEvents;
    this.#maxBytes = bounds.maxBytes;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns the events that gave way, `event` itself when it was not taken */
  push(event: PendingEvent): PendingEvent[] {
    const severity = severityOf(event.draft.type);
    this.#queues[severity]?.push({ order: this.#order++, event });
    this.#count(event, 1);
    const gaveWay: PendingEvent[] = [];
    while (this.#size > this.#maxEvents || this.#bytes > this.#maxBytes) {
      const lowest = this.#queues.find((queue) => queue.length > 0) as Entry[];
      // Among the highest alone the newest gives way: what waits longest of the gravest stays.
      const entry = (lowest === this.#queues[3] ? lowest.pop() : lowest.shift()) as Entry;
      this.#count(entry.event, -1);
      gaveWay.push(entry.event);
    }
    return gaveWay;
  }

  /** Takes from the front, in the order of arrival; one event at least where there is one. */
  take(limits: { readonly maxEvents: number; readonly maxBytes: number }): PendingEvent[] {
    const taken: PendingEvent[] = [];
    for (let bytes = 0; taken.length < limits.maxEvents;) {
      const queue = this.#firstQueue();
      const entry = queue?.[0];
      if (!queue || !entry || (taken.length > 0 && bytes + entry.event.bytes > limits.maxBytes)) break;
      queue.shift();
      bytes += entry.event.bytes;
      this.#count(entry.event, -1);
      taken.push(entry.event);
    }
    return taken;
  }

  #firstQueue(): Entry[] | undefined {
    let first: Entry[] | undefined;
    for (const queue of this.#queues) {
      const order = queue[0]?.order ?? Infinity;
      if (order < (first?.[0]?.order ?? Infinity)) first = queue;
    }
    return first;
  }

  #count(event: PendingEvent, by: 1 | -1): void {
    this.#size += by;
    this.#bytes += by * event.bytes;
  }
}
