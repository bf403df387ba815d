import { HuishiError } from "@huishi/kernel";
import type { Logger } from "./logger.ts";

export type Closer = () => Promise<void> | void;

/**
 * What was started, to be stopped in reverse order. Each step gets what is left of the deadline; one that fails
 * or hangs is logged and does not keep the others from stopping.
 */
export class Shutdown {
  readonly #closers: { name: string; close: Closer }[] = [];
  readonly #logger: Logger;
  readonly #deadlineMs: number;
  #running: Promise<void> | null = null;

  constructor(logger: Logger, deadlineMs = 20_000) {
    this.#logger = logger;
    this.#deadlineMs = deadlineMs;
  }

  /** Registers what to do at the end; the last registered is closed first. */
  add(name: string, close: Closer): void {
    this.#closers.push({ name, close });
  }

  /** Closes everything once; further calls wait for the same end. */
  run(): Promise<void> {
    this.#running ??= this.#closeAll();
    return this.#running;
  }

  /** On SIGINT and SIGTERM: closes everything, then ends the process; a second signal ends it at once. */
  onSignals(): void {
    const onSignal = (signal: NodeJS.Signals): void => {
      if (this.#running) process.exit(1);
      this.#logger.info({ signal }, "stopping");
      void this.run().then(() => process.exit(0));
    };
    process.on("SIGINT", onSignal);
    process.on("SIGTERM", onSignal);
  }

  async #closeAll(): Promise<void> {
    const endsAtMs = performance.now() + this.#deadlineMs;
    for (const { name, close } of this.#closers.toReversed()) {
      try {
        await withDeadline(name, close, Math.max(1_000, endsAtMs - performance.now()));
      } catch (err) {
        this.#logger.error({ part: name, err }, "a part did not stop cleanly");
      }
    }
  }
}

async function withDeadline(name: string, close: Closer, deadlineMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(new HuishiError("SHUTDOWN_LATE", `${name} did not stop within ${Math.round(deadlineMs)} ms`)),
      deadlineMs,
    );
  });
  try {
    await Promise.race([Promise.resolve(close()), late]);
  } finally {
    clearTimeout(timer);
  }
}
