import type { Identity, IdentityStore } from "./claim-identity.ts";
import type { Log } from "./ports.ts";

export interface AgentSecretOptions {
  readonly identity: Identity;
  readonly store: IdentityStore;
  readonly log: Log;
  /** 256 bit, base64url. */
  newSecret(): string;
  /** Tells the centre. Throws SECRET_NOT_CHANGED when the centre said no; anything else leaves it open. */
  announce(secret: string, signal: AbortSignal): Promise<void>;
}

/**
 * The secret that this agent signs in with, and how it changes without ever locking the agent out: the next one is on
 * the disk before the centre hears of it, both are good until the next one signed in, and which one is right after a
 * crash in between is found out by trying the next one first.
 */
export class AgentSecret {
  readonly #options: AgentSecretOptions;
  #identity: Identity;
  /** The next one was refused: the old one's turn. */
  #isNextRefused = false;
  #offered = "";

  constructor(options: AgentSecretOptions) {
    this.#options = options;
    this.#identity = options.identity;
  }

  /** What to sign in with now. */
  get current(): string {
    const { secret, nextSecret } = this.#identity;
    return nextSecret === undefined || this.#isNextRefused ? secret : nextSecret;
  }

  /** The same, for the connection whose outcome is told by `accepted` and `refused`. */
  offer(): string {
    return (this.#offered = this.current);
  }

  /** The offered one signed in: the other one is of no use any more. */
  async accepted(): Promise<void> {
    const { secret, nextSecret, ...rest } = this.#identity;
    if (nextSecret === undefined) return;
    const isChanged = this.#offered === nextSecret;
    this.#identity = { ...rest, secret: isChanged ? nextSecret : secret };
    this.#isNextRefused = false;
    if (isChanged) this.#options.log.info({}, "signed in with the new secret; the old one is dead");
    await this.#options.store
      .save(this.#identity)
      .catch((err: unknown) => this.#options.log.warn({ err }, "the agent's identity could not be stored"));
  }

  /** The centre refused the offered one. */
  refused(): void {
    if (this.#identity.nextSecret !== undefined)
      this.#isNextRefused = this.#offered === this.#identity.nextSecret;
  }

  /** Throws what `announce` threw; then the old one goes on, or the next sign-in finds out. */
  async rotate(signal: AbortSignal): Promise<void> {
    const { store, announce, newSecret } = this.#options;
    const nextSecret = this.#identity.nextSecret ?? newSecret();
    const changing = { ...this.#identity, nextSecret };
    await store.save(changing);
    await announce(nextSecret, signal);
    this.#isNextRefused = false;
    this.#identity = changing;
  }
}
