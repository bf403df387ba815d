import { sequenceAdvance } from "@huishi/media";

/** Packets that wait for one that is late; with more, the late one is given up. */
const MAX_WAITING = 64;

/** Puts UDP's RTP packets in order of their sequence numbers (RFC 3550 §5.1); repeated ones are dropped. */
export class InOrder {
  readonly #onPacket: (packet: Uint8Array) => void;
  readonly #waiting = new Map<number, Uint8Array>();
  #next: number | null = null;

  constructor(onPacket: (packet: Uint8Array) => void) {
    this.#onPacket = onPacket;
  }

  push(packet: Uint8Array): void {
    if (packet.length < 12) return;
    const sequence = ((packet[2] as number) << 8) | (packet[3] as number);
    this.#next ??= sequence;
    const ahead = sequenceAdvance(this.#next, sequence);
    // Far off: the sender began anew.
    if (Math.abs(ahead) > 1000) this.#restart(sequence);
    else if (ahead < 0) return;
    this.#waiting.set(sequence, packet);
    if (this.#waiting.size > MAX_WAITING) this.#skip();
    this.#drain();
  }

  #drain(): void {
    while (this.#next !== null) {
      const packet = this.#waiting.get(this.#next);
      if (!packet) return;
      this.#waiting.delete(this.#next);
      this.#next = (this.#next + 1) & 0xffff;
      this.#onPacket(packet);
    }
  }

  #restart(sequence: number): void {
    this.#waiting.clear();
    this.#next = sequence;
  }

  /** The oldest that waits is next: what lies before it is lost. */
  #skip(): void {
    const from = this.#next as number;
    let nearest = Number.POSITIVE_INFINITY;
    for (const sequence of this.#waiting.keys()) nearest = Math.min(nearest, sequenceAdvance(from, sequence));
    this.#next = (from + nearest) & 0xffff;
  }
}
