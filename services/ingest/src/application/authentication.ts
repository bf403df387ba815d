import { createHash, timingSafeEqual } from "node:crypto";
import { type Clock, isId } from "@huishi/kernel";
import type { AgentDirectory } from "./ports.ts";

/** A good answer is remembered this long: a reconnecting city asks the database once an agent, and yet a revoked
 * agent is refused within five seconds. */
const CACHE_MS = 4_000;
const MAX_CACHED = 10_000;

/** Who may sign in: an agent with its own secret, unless it is revoked. */
export class Authentication {
  readonly #directory: AgentDirectory;
  readonly #clock: Clock;
  readonly #known = new Map<string, { hash: Uint8Array; untilMs: number }>();

  constructor(directory: AgentDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /** Rejects only when the directory cannot be asked. */
  async isGenuine(agentId: string, secret: Uint8Array): Promise<boolean> {
    if (!isId(agentId)) return false;
    const expected = await this.#hashOf(agentId);
    const given = createHash("sha256").update(secret).digest();
    // Compared even when there is nothing to compare with: an unknown agent takes as long as a wrong secret.
    const isEqual = timingSafeEqual(given, expected?.byteLength === given.byteLength ? expected : given);
    return isEqual && expected?.byteLength === given.byteLength;
  }

  /** Forgets what is known of an agent. */
  forget(agentId: string): void {
    this.#known.delete(agentId);
  }

  async #hashOf(agentId: string): Promise<Uint8Array | null> {
    const known = this.#known.get(agentId);
    if (known && known.untilMs > this.#clock.nowMs()) return known.hash;
    this.#known.delete(agentId);
    const hash = await this.#directory.secretHashOf(agentId);
    if (hash) {
      if (this.#known.size >= MAX_CACHED) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(agentId, { hash, untilMs: this.#clock.nowMs() + CACHE_MS });
    }
    return hash;
  }
}
