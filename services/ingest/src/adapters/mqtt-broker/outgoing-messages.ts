import { BoundedQueue } from "@huishi/kernel";

/** Beyond this the oldest are dropped: demands are renewed, and an agent without its acknowledgement sends again. */
const MAX_QUEUED = 10_000;
const MAX_WINDOW = 100;
const MAX_PACKET_ID = 0xffff;

export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  readonly retain: boolean;
}

/** Writes one message with this packet id. */
type Send = (message: OutgoingMessage, packetId: number, isRepeated: boolean) => void;

/**
 * What goes to the broker at QoS 1. It outlives connections: what was not acknowledged on one is sent again on the
 * next (MQTT 3.1.1 §4.4). Overflow policy of the queue: `dropOldest`.
 */
export class OutgoingMessages {
  readonly #queue = new BoundedQueue<OutgoingMessage>(MAX_QUEUED, "dropOldest");
  readonly #inFlight = new Map<number, OutgoingMessage>();
  #send: Send | null = null;
  #window = MAX_WINDOW;
  #lastId = 0;

  publish(message: OutgoingMessage): void {
    this.#queue.push(message);
    this.#pump();
  }

  /**
   * A connection is there.
   *
   * @param receiveMaximum of the broker: so many unacknowledged ones it takes
   * @param isResumed the broker remembers the session, and so what it had received
   */
  attach(send: Send, { receiveMaximum, isResumed }: { receiveMaximum: number; isResumed: boolean }): void {
    this.#send = send;
    this.#window = Math.min(receiveMaximum, MAX_WINDOW);
    for (const [packetId, message] of this.#inFlight) send(message, packetId, isResumed);
    this.#pump();
  }

  detach(): void {
    this.#send = null;
  }

  /** A PUBACK came. */
  acknowledged(packetId: number): void {
    if (this.#inFlight.delete(packetId)) this.#pump();
  }

  /** A packet id that is not in use. */
  nextId(): number {
    do this.#lastId = (this.#lastId % MAX_PACKET_ID) + 1;
    while (this.#inFlight.has(this.#lastId));
    return this.#lastId;
  }

  #pump(): void {
    while (this.#send && this.#inFlight.size < this.#window) {
      const message = this.#queue.shift();
      if (!message) return;
      const packetId = this.nextId();
      this.#inFlight.set(packetId, message);
      this.#send(message, packetId, false);
    }
  }
}
