import { backoffDelayMs, sleep } from "@huishi/kernel";
import { REVOCATION_CHECK_MS } from "./entrance.ts";

/** Overflow policy: the oldest answer is forgotten and asked for again. */
const MAX_REMEMBERED = 20_000;

export interface AdmittedAgentsOptions {
  revokedAmong(agentIds: readonly string[]): Promise<readonly string[]>;
  /** An agent that was admitted no longer is. */
  onRevoked(agentId: string): void;
  onFault(fault: unknown): void;
  /** Default 4 s. */
  readonly checkMs?: number;
}

/**
 * Whose messages count where a broker has signed the agents in: agents that the directory knows and has not revoked.
 * Answers are remembered; those admitted are looked up again every four seconds in one question, the others are
 * forgotten by then.
 */
export class AdmittedAgents {
  readonly #options: AdmittedAgentsOptions;
  readonly #answers = new Map<string, boolean>();
  readonly #asking = new Map<string, Promise<boolean>>();
  readonly #stop = new AbortController();
  readonly #timer: NodeJS.Timeout;

  constructor(options: AdmittedAgentsOptions) {
    this.#options = options;
    this.#timer = setInterval(() => void this.#check(), options.checkMs ?? REVOCATION_CHECK_MS);
    this.#timer.unref();
  }

  /** What is known at this moment; undefined when it must be asked for, which this begins. */
  peek(agentId: string): boolean | undefined {
    const answer = this.#answers.get(agentId);
    if (answer === undefined) this.#ask(agentId).catch(() => {});
    return answer;
  }

  /** Waits for the directory as long as it takes. Rejects only when closed. */
  async isAdmitted(agentId: string): Promise<boolean> {
    return this.#answers.get(agentId) ?? (await this.#ask(agentId));
  }

  /** The directory said so before it was asked. */
  revoke(agentId: string): void {
    const wasAdmitted = this.#answers.get(agentId) === true;
    this.#answers.set(agentId, false);
    if (wasAdmitted) this.#options.onRevoked(agentId);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#stop.abort(new Error("closing"));
  }

  #ask(agentId: string): Promise<boolean> {
    const asking = this.#asking.get(agentId) ?? this.#askUntilAnswered(agentId);
    this.#asking.set(agentId, asking);
    return asking;
  }

  async #askUntilAnswered(agentId: string): Promise<boolean> {
    try {
      for (let attempt = 0; ; attempt++) {
        this.#stop.signal.throwIfAborted();
        try {
          const isAdmitted = (await this.#options.revokedAmong([agentId])).length === 0;
          if (this.#answers.size >= MAX_REMEMBERED)
            this.#answers.delete(this.#answers.keys().next().value as string);
          this.#answers.set(agentId, isAdmitted);
          return isAdmitted;
        } catch (fault) {
          this.#options.onFault(fault);
          const delayMs = backoffDelayMs(attempt, { baseDelayMs: 100, maxDelayMs: 2_000 }, Math.random);
          await sleep(delayMs, this.#stop.signal);
        }
      }
    } finally {
      this.#asking.delete(agentId);
    }
  }

  async #check(): Promise<void> {
    const admitted: string[] = [];
    for (const [agentId, isAdmitted] of this.#answers) {
      if (isAdmitted) admitted.push(agentId);
      else this.#answers.delete(agentId);
    }
    if (admitted.length === 0) return;
    try {
      for (const agentId of await this.#options.revokedAmong(admitted)) {
        this.#answers.set(agentId, false);
        this.#options.onRevoked(agentId);
      }
    } catch (fault) {
      this.#options.onFault(fault);
    }
  }
}
