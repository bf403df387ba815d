/** What a full queue does with one more item. */
export type OverflowPolicy = "dropOldest" | "dropNewest" | "refuse";

/**
 * A first-in-first-out queue with a fixed bound. Nothing in Huishi queues without one: the policy is named
 * and every drop is counted, so that a metric can show it.
 */
export class BoundedQueue<T> {
  readonly capacity: number;
  readonly policy: OverflowPolicy;
  #items: T[] = [];
  #head = 0;
  #dropped = 0;

  constructor(capacity: number, policy: OverflowPolicy) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`capacity must be >= 1, got ${capacity}`);
    this.capacity = capacity;
    this.policy = policy;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /** How many items were dropped since the queue was made. */
  get dropped(): number {
    return this.#dropped;
  }

  get isFull(): boolean {
    return this.size >= this.capacity;
  }

  /** Adds an item. Returns false when the item itself was not taken (`refuse`, `dropNewest`). */
  push(item: T): boolean {
    if (this.isFull) {
      if (this.policy === "refuse") return false;
      this.#dropped += 1;
      if (this.policy === "dropNewest") return false;
      this.shift();
    }
    this.#items.push(item);
    return true;
  }

  shift(): T | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined as T;
    this.#head += 1;
    if (this.#head > 64 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes up to `max` items from the front. */
  take(max: number): T[] {
    const end = Math.min(this.#items.length, this.#head + max);
    const taken = this.#items.slice(this.#head, end);
    this.#items = this.#items.slice(end);
    this.#head = 0;
    return taken;
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
