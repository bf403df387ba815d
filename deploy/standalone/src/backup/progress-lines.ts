/** Prints how far a long work is: a line every two seconds, with percentage and rate. */
export class ProgressLines {
  readonly #write: (text: string) => void;
  readonly #nowMs: () => number;
  #phase = "";
  #startedMs = 0;
  #printedMs = 0;

  constructor(write: (text: string) => void, nowMs: () => number = () => performance.now()) {
    this.#write = write;
    this.#nowMs = nowMs;
  }

  /**
   * @param fraction 0 to 1 of this phase
   * @param bytes done in this phase; 0 where bytes say nothing
   */
  report(phase: string, fraction: number, bytes: number, what: string | null = null): void {
    const now = this.#nowMs();
    if (phase !== this.#phase) {
      this.#phase = phase;
      this.#startedMs = now;
      this.#printedMs = now;
    }
    if (now - this.#printedMs < 2000) return;
    this.#printedMs = now;
    const rate = bytes / 1e6 / ((now - this.#startedMs) / 1000);
    const speed = bytes > 0 ? `, ${megabytes(bytes)}, ${rate.toFixed(1)} MB/s` : "";
    this.#write(`  ${phase} ${Math.floor(fraction * 100)} %${speed}${what === null ? "" : ` (${what})`}\n`);
  }

  line(text: string): void {
    this.#write(`${text}\n`);
  }
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
