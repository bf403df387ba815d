/** After the broker was lost, its agents have this long to be heard of again: as long as a dial may take. */
const DOUBT_MS = 15_000;

/**
 * Which agents are online by their retained status at the broker. While the broker is away nobody says otherwise, so
 * those of whom nothing is heard again in time count as gone: after it came back without its retained messages, or
 * not at all.
 */
export class BrokerAgents {
  readonly #onGone: (agentId: string) => void;
  readonly #doubtMs: number;
  readonly #online = new Set<string>();
  /** Each with the timer of the loss that made it doubtful: further losses do not put it off. */
  readonly #doubted = new Map<string, NodeJS.Timeout>();
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(onGone: (agentId: string) => void, doubtMs = DOUBT_MS) {
    this.#onGone = onGone;
    this.#doubtMs = doubtMs;
  }

  /** @returns whether that is news: it was offline, or in doubt */
  online(agentId: string): boolean {
    const isNews = !this.#online.has(agentId) || this.#doubted.has(agentId);
    this.#online.add(agentId);
    this.#doubted.delete(agentId);
    return isNews;
  }

  /** It said goodbye itself. */
  forget(agentId: string): void {
    this.#online.delete(agentId);
    this.#doubted.delete(agentId);
  }

  /** It counts as gone from now on. */
  offline(agentId: string): void {
    this.forget(agentId);
    this.#onGone(agentId);
  }

  /** The broker was lost: whoever is not heard of again is gone. */
  doubt(): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      for (const [agentId, its] of this.#doubted) if (its === timer) this.offline(agentId);
    }, this.#doubtMs);
    timer.unref();
    this.#timers.add(timer);
    for (const agentId of this.#online) {
      if (!this.#doubted.has(agentId)) this.#doubted.set(agentId, timer);
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
  }
}
