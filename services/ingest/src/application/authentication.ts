import { createHash, timingSafeEqual } from "node:crypto";
import { type Clock, isId } from "@huishi/kernel";
import type { AgentDirectory, AgentSecrets } from "./ports.ts";

/** A good answer is remembered this long: a reconnecting city asks the database once an agent, and yet a revoked
 * agent is refused within five seconds, even where the notification of it was lost. */
const CACHE_MS = 4_000;
const MAX_CACHED = 10_000;

/** `revoked` is said to nobody but the agent itself: it knows its secret. */
export type Judgement = "genuine" | "revoked" | "unknown";

/** Who may sign in: an agent with its own secret, unless it is revoked. */
export class Authentication {
  readonly #directory: AgentDirectory;
  readonly #clock: Clock;
  readonly #known = new Map<string, { secrets: AgentSecrets; untilMs: number }>();

  constructor(directory: AgentDirectory, clock: Clock) {
    this.#directory = directory;
    this.#clock = clock;
  }

  /**
   * A new secret that signs in kills the old one, before anything is answered. Rejects only when the directory cannot
   * be asked.
   */
  async judge(agentId: string, secret: Uint8Array): Promise<Judgement> {
    if (!isId(agentId)) return "unknown";
    const given = createHash("sha256").update(secret).digest();
    const remembered = this.#remembered(agentId);
    const known = remembered ?? (await this.#ask(agentId));
    // Both compared always: an unknown agent takes as long as a wrong secret.
    const isCurrent = isEqual(given, known?.current);
    const isNext = isEqual(given, known?.next);
    // A secret that was made since is not in memory yet.
    if (remembered && !isCurrent && !isNext) {
      this.forget(agentId);
      return this.judge(agentId, secret);
    }
    if (!isCurrent && !isNext) return "unknown";
    if (known?.isRevoked) return "revoked";
    if (isNext) {
      await this.#directory.adoptSecret(agentId, given);
      this.forget(agentId);
    }
    return "genuine";
  }

  /** Forgets what is known of an agent. */
  forget(agentId: string): void {
    this.#known.delete(agentId);
  }

  #remembered(agentId: string): AgentSecrets | null {
    const known = this.#known.get(agentId);
    if (known && known.untilMs > this.#clock.nowMs()) return known.secrets;
    this.#known.delete(agentId);
    return null;
  }

  async #ask(agentId: string): Promise<AgentSecrets | null> {
    const secrets = await this.#directory.secretsOf(agentId);
    if (secrets && !secrets.isRevoked) {
      if (this.#known.size >= MAX_CACHED) this.#known.delete(this.#known.keys().next().value as string);
      this.#known.set(agentId, { secrets, untilMs: this.#clock.nowMs() + CACHE_MS });
    }
    return secrets;
  }
}

function isEqual(given: Buffer, expected: Uint8Array | null | undefined): boolean {
  const isComparable = expected?.byteLength === given.byteLength;
  const equal = timingSafeEqual(given, isComparable ? expected : given);
  return equal && isComparable;
}
