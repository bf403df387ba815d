/** Pull points: subscriptions with bounded queues, long poll and expiry (ONVIF Core 2.0 §9). */
import { BoundedQueue } from "@huishi/kernel";

export interface MotionEvent {
  readonly atMs: number;
  readonly isMotion: boolean;
  /** Initialized: the state at subscription; Changed: a change since (Core §9.5.2). */
  readonly operation: "Initialized" | "Changed";
}

interface Subscription {
  readonly id: string;
  readonly events: BoundedQueue<MotionEvent>;
  expiresAtMs: number;
  /** Wakes the long poll that waits. */
  wake: () => void;
}

const MAX_SUBSCRIPTIONS = 16;
const QUEUED_EVENTS = 200;
const MAX_LIFETIME_MS = 24 * 3600_000;
const MAX_POLL_MS = 60_000;

export class EventBroker {
  readonly #nowMs: () => number;
  readonly #newId: () => string;
  readonly #subscriptions = new Map<string, Subscription>();
  #isMotion = false;

  constructor(nowMs: () => number, newId: () => string) {
    this.#nowMs = nowMs;
    this.#newId = newId;
  }

  get size(): number {
    this.#removeExpired();
    return this.#subscriptions.size;
  }

  /** Tells every subscription of a change; saying the same state again tells nothing. */
  setMotion(isMotion: boolean): void {
    if (isMotion === this.#isMotion) return;
    this.#isMotion = isMotion;
    this.#removeExpired();
    for (const subscription of this.#subscriptions.values()) {
      subscription.events.push({ atMs: this.#nowMs(), isMotion, operation: "Changed" });
      subscription.wake();
    }
  }

  /** Undefined when there are too many. */
  subscribe(lifetimeMs: number): { readonly id: string; readonly expiresAtMs: number } | undefined {
    this.#removeExpired();
    if (this.#subscriptions.size >= MAX_SUBSCRIPTIONS) return undefined;
    const subscription: Subscription = {
      id: this.#newId(),
      events: new BoundedQueue(QUEUED_EVENTS, "dropOldest"),
      expiresAtMs: this.#nowMs() + Math.min(lifetimeMs, MAX_LIFETIME_MS),
      wake: () => undefined,
    };
    subscription.events.push({ atMs: this.#nowMs(), isMotion: this.#isMotion, operation: "Initialized" });
    this.#subscriptions.set(subscription.id, subscription);
    return subscription;
  }

  /** Puts the present state into the queue again (SetSynchronizationPoint, Core §9.2.5). */
  resend(id: string): boolean {
    const subscription = this.#find(id);
    subscription?.events.push({ atMs: this.#nowMs(), isMotion: this.#isMotion, operation: "Initialized" });
    subscription?.wake();
    return subscription !== undefined;
  }

  /** The new end of the subscription, or undefined when it is gone. */
  renew(id: string, lifetimeMs: number): number | undefined {
    const subscription = this.#find(id);
    if (!subscription) return undefined;
    subscription.expiresAtMs = this.#nowMs() + Math.min(lifetimeMs, MAX_LIFETIME_MS);
    return subscription.expiresAtMs;
  }

  unsubscribe(id: string): boolean {
    this.#subscriptions.get(id)?.wake();
    return this.#subscriptions.delete(id);
  }

  /** Waits up to `timeoutMs` for events; undefined when the subscription is gone. A second poll ends the first. */
  async pull(
    id: string,
    limit: number,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ events: MotionEvent[]; expiresAtMs: number } | undefined> {
    const subscription = this.#find(id);
    if (!subscription) return undefined;
    subscription.wake();
    if (subscription.events.size === 0 && timeoutMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(timeoutMs, MAX_POLL_MS));
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", wake);
          resolve();
        };
        subscription.wake = wake;
        signal.addEventListener("abort", wake, { once: true });
        if (signal.aborted) wake();
      });
    }
    if (signal.aborted) return { events: [], expiresAtMs: subscription.expiresAtMs };
    return { events: subscription.events.take(limit), expiresAtMs: subscription.expiresAtMs };
  }

  /** Ends all long polls. */
  close(): void {
    for (const subscription of this.#subscriptions.values()) subscription.wake();
    this.#subscriptions.clear();
  }

  #find(id: string): Subscription | undefined {
    this.#removeExpired();
    return this.#subscriptions.get(id);
  }

  #removeExpired(): void {
    for (const subscription of this.#subscriptions.values()) {
      if (subscription.expiresAtMs <= this.#nowMs()) this.unsubscribe(subscription.id);
    }
  }
}
