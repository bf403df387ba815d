/** Prints one line a step, with the time it took: what a person at the terminal sees of the start. */
export class Progress {
  readonly #write: (text: string) => void;

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Runs `work` and prints its title, what `describe` makes of its result, and the seconds it took. */
  async step<T>(
    title: string,
    work: () => Promise<T>,
    describe: (result: T) => string = () => "ready",
  ): Promise<T> {
    const startedMs = performance.now();
    const result = await work();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    this.#write(`  ${title} ... ${describe(result)} (${seconds} s)\n`);
    return result;
  }

  line(text: string): void {
    this.#write(`${text}\n`);
  }
}
