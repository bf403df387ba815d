import { availableParallelism } from "node:os";
import { HuishiError } from "@huishi/kernel";
import type { CameraFeed, InferencePool } from "../../application/ports.ts";
import { InferenceFeed, type InferenceFeedOptions } from "./inference-feed.ts";
import { InferenceProcess } from "./inference-process.ts";
import type { ChildConfig } from "./messages.ts";

export interface ForkedInferencePoolOptions extends ChildConfig {
  /** Default: one a core. Several single-thread processes beat one with many threads. */
  readonly processes?: number;
  /** A process died or a camera's decoder failed; both are started again. For the log. */
  readonly onFault?: (error: HuishiError) => void;
  /** A process has its detector; `provider` is what it runs on (`cpu`, `cuda`, `wasm`...). For the log. */
  readonly onReady?: (ready: { readonly name: string; readonly provider: string }) => void;
}

/**
 * Inference in forked children, started as cameras come. A camera stays with its process; a process that dies is
 * replaced, its cameras go on in the new one with a new session, the others notice nothing.
 */
export class ForkedInferencePool implements InferencePool {
  readonly #options: ForkedInferencePoolOptions;
  readonly #maxProcesses: number;
  #processes: InferenceProcess[] = [];
  #lastFeedId = 0;
  #lastSession = 0;
  #closed = false;

  constructor(options: ForkedInferencePoolOptions = {}) {
    this.#options = options;
    this.#maxProcesses = options.processes ?? availableParallelism();
  }

  /** Process ids of the running children. */
  get pids(): number[] {
    return this.#processes.flatMap(({ pid }) => pid ?? []);
  }

  /**
   * Opens a camera. `onFault` of the options is never called: a dead process is replaced under the feed.
   *
   * @throws HuishiError MODEL_MISSING, MODEL_CORRUPT, MODEL_UNKNOWN, INFERENCE_CLOSED
   */
  async open(options: InferenceFeedOptions): Promise<CameraFeed> {
    if (this.#closed) throw new HuishiError("INFERENCE_CLOSED", "The inference processes were stopped.");
    const process = this.#leastLoaded();
    const feed = new InferenceFeed(++this.#lastFeedId, options, process);
    // At once, so that cameras that come at the same time are spread.
    process.add(feed);
    try {
      await process.started();
    } catch (error) {
      await feed.close();
      await this.#discard(process);
      throw error;
    }
    return feed;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#processes.map((process) => process.close()));
  }

  #leastLoaded(): InferenceProcess {
    const idle = this.#processes.find((process) => process.feedCount === 0);
    if (idle) return idle;
    if (this.#processes.length < this.#maxProcesses) return this.#start();
    return this.#processes.reduce((least, process) =>
      process.feedCount < least.feedCount ? process : least,
    );
  }

  #start(): InferenceProcess {
    const { detector, onFault, onReady } = this.#options;
    const process = new InferenceProcess({
      name: `inference process ${this.#processes.length + 1}`,
      ...(detector && { detector }),
      nextSession: () => ++this.#lastSession,
      onFault: (error) => onFault?.(error),
      ...(onReady && { onReady }),
    });
    this.#processes.push(process);
    return process;
  }

  /** A process that never came up is not kept: the next camera tries anew. */
  async #discard(process: InferenceProcess): Promise<void> {
    this.#processes = this.#processes.filter((one) => one !== process);
    await process.close();
  }
}
