/** Those who wait for something to happen; each wakes once, or leaves with its signal's reason. */
export class Waiters {
  readonly #waiting = new Set<() => void>();

  async wait(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const done = (): void => {
        this.#waiting.delete(done);
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(done);
        reject(signal.reason as Error);
      };
      this.#waiting.add(done);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  wake(): void {
    for (const done of this.#waiting) done();
  }
}
