import { HuishiError } from "@huishi/kernel";
import { hash, verify } from "@node-rs/argon2";
import type { PasswordHasher } from "../../application/identity.ts";

/** argon2id with the parameters of OWASP's Password Storage Cheat Sheet (19 MiB, 2 passes, 1 lane). */
const PARAMETERS = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const;
/** Hashing takes a thread of libuv's pool (4 by default); half of them stay free for everything else. */
const MAX_RUNNING = 2;
const MAX_WAITING = 32;

/** Hashes passwords a few at a time; more than can wait are refused with BUSY. */
export class Argon2Hasher implements PasswordHasher {
  #running = 0;
  #waiting: (() => void)[] = [];
  #decoy: Promise<string> | null = null;

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hash(password.normalize("NFKC"), PARAMETERS));
  }

  verify(passwordHash: string, password: string): Promise<boolean> {
    return this.#inTurn(() => verify(passwordHash, password.normalize("NFKC")));
  }

  async verifyDecoy(password: string): Promise<void> {
    await this.verify(await this.prepareDecoy(), password);
  }

  /** Makes the decoy's hash ahead of its first use, so that the first use costs no more than the others. */
  prepareDecoy(): Promise<string> {
    this.#decoy ??= hash("a password that nobody has", PARAMETERS);
    return this.#decoy;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_RUNNING) {
      if (this.#waiting.length >= MAX_WAITING) {
        throw new HuishiError("BUSY", "Too many sign-ins at once; try again in a few seconds.");
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running += 1;
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#running -= 1;
    }
  }
}
