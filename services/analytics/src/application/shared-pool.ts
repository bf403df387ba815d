import type { CameraFeed, FeedOptions, InferencePool } from "./ports.ts";

export interface SharedPoolOptions {
  readonly start: () => Promise<InferencePool>;
  /** How long the processes go on after the last feed closed, so that an edited rule costs no restart. */
  readonly lingerMs: number;
}

/**
 * The inference processes while somebody needs them: started with the first feed, ended after the last one. At
 * rest they cost no memory.
 */
export class SharedPool implements InferencePool {
  readonly #options: SharedPoolOptions;
  #pool: Promise<InferencePool> | null = null;
  #started: InferencePool | null = null;
  #users = 0;
  #linger: NodeJS.Timeout | null = null;

  constructor(options: SharedPoolOptions) {
    this.#options = options;
  }

  async open(options: FeedOptions): Promise<CameraFeed> {
    const pool = this.#join();
    let feed: CameraFeed;
    try {
      feed = await (await pool).open(options);
    } catch (error) {
      this.#leave();
      throw error;
    }
    return leasedFeed(feed, () => this.#leave());
  }

  get pids(): readonly number[] {
    return this.#started?.pids ?? [];
  }

  async close(): Promise<void> {
    if (this.#linger) clearTimeout(this.#linger);
    await this.#stop();
  }

  #join(): Promise<InferencePool> {
    this.#users += 1;
    if (this.#linger) clearTimeout(this.#linger);
    this.#linger = null;
    if (!this.#pool) {
      const starting = this.#options.start();
      this.#pool = starting;
      // A pool that could not start is forgotten: the next feed tries anew.
      starting.then(
        (pool) => {
          if (this.#pool === starting) this.#started = pool;
        },
        () => {
          if (this.#pool === starting) this.#pool = null;
        },
      );
    }
    return this.#pool;
  }

  #leave(): void {
    this.#users -= 1;
    if (this.#users > 0) return;
    this.#linger = setTimeout(() => void this.#stop(), this.#options.lingerMs);
    this.#linger.unref();
  }

  async #stop(): Promise<void> {
    const pool = this.#pool;
    this.#pool = null;
    this.#started = null;
    await (await pool?.catch(() => null))?.close();
  }
}

/** The feed, telling once when it is closed. */
function leasedFeed(feed: CameraFeed, onClosed: () => void): CameraFeed {
  let closing: Promise<void> | null = null;
  return {
    ...(feed.classes && { classes: feed.classes }),
    push: (unit) => feed.push(unit),
    snapshot: (capturedAtMs) => feed.snapshot(capturedAtMs),
    close: () => (closing ??= feed.close().finally(onClosed)),
  };
}
