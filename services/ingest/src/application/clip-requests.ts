import { type Runnable, sleep } from "@huishi/kernel";

const LOOK_MS = 1_000;

/** Which clips agents are asked for. */
export interface ClipRequests {
  /** Carries what agents answered, and what stands still, into the clips. */
  settle(): Promise<void>;
  /** Asks the agents that are online; returns the clips asked for. */
  request(): Promise<readonly string[]>;
}

/** Asks agents for the clips that are wanted, as soon as they are online. */
export class ClipDispatch implements Runnable {
  readonly name = "requests for clips";
  readonly #requests: ClipRequests;
  readonly #onRequested: (clipId: string) => Promise<void>;
  readonly #mayRequest: () => boolean;
  readonly #lookMs: number;

  constructor(options: {
    readonly requests: ClipRequests;
    readonly onRequested: (clipId: string) => Promise<void>;
    /** False while there is no room for what would come. */
    readonly mayRequest?: () => boolean;
    readonly lookMs?: number;
  }) {
    this.#requests = options.requests;
    this.#onRequested = options.onRequested;
    this.#mayRequest = options.mayRequest ?? (() => true);
    this.#lookMs = options.lookMs ?? LOOK_MS;
  }

  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await this.#requests.settle();
      if (this.#mayRequest())
        for (const clipId of await this.#requests.request()) await this.#onRequested(clipId);
      await sleep(this.#lookMs, signal);
    }
  }
}
