/** A PUBLISH that waits for its PUBACK. */
interface Waiting {
  readonly packetId: number;
  isSettled: boolean;
}

/**
 * PUBACKs go out in the order in which the PUBLISHes came in, whenever each is settled (MQTT 3.1.1 §4.6 and MQTT 5
 * §4.6: a client MUST send PUBACK packets in that order).
 */
export class OrderedPubacks {
  readonly #send: (packetIds: readonly number[]) => void;
  #waiting: Waiting[] = [];

  constructor(send: (packetIds: readonly number[]) => void) {
    this.#send = send;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting.length;
  }

  /** Notes a PUBLISH. What it returns is called once, when the PUBACK may go. */
  expect(packetId: number): () => void {
    const waiting: Waiting = { packetId, isSettled: false };
    this.#waiting.push(waiting);
    return () => {
      waiting.isSettled = true;
      if (this.#waiting[0] === waiting) this.#release();
    };
  }

  #release(): void {
    const unsettled = this.#waiting.findIndex(({ isSettled }) => !isSettled);
    const count = unsettled === -1 ? this.#waiting.length : unsettled;
    const released = this.#waiting.slice(0, count);
    this.#waiting = this.#waiting.slice(count);
    this.#send(released.map(({ packetId }) => packetId));
  }
}
