/** Parent's side of one inference process: keeps it running and gives it back its cameras when it was replaced. */
import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ObjectClass } from "@huishi/contracts";
import { HuishiError, sleep, supervise } from "@huishi/kernel";
import type { FeedChannel, InferenceFeed } from "./inference-feed.ts";
import type { ChildConfig, ToChild, ToParent } from "./messages.ts";

const fromSource = import.meta.url.endsWith(".ts");
const childPath = fileURLToPath(new URL(fromSource ? "./child.ts" : "./child.js", import.meta.url));
const sourceArguments = ["--import", "tsx", "--conditions=huishi-source"];

const RESTART = { baseDelayMs: 500, maxDelayMs: 15_000, healthyAfterMs: 30_000 };
/** Loading the model takes below a second; a busy machine may need much longer. */
const READY_MS = 60_000;
/** An inference takes milliseconds; a process that does not end after so long hangs. */
const STOP_MS = 15_000;
/** Access units in flight to the process: about four seconds of sixteen cameras of 1 Mbit/s. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024;
/** What a message costs beyond its bytes. */
const MESSAGE_BYTES = 256;

/** A child gets no secret; where the libraries of an execution provider lie (CUDA, OpenVINO) it must know. */
function childEnvironment(): NodeJS.ProcessEnv {
  const names = ["PATH", "TMPDIR", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES"];
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

export interface InferenceProcessOptions extends ChildConfig {
  readonly name: string;
  /** Gives each start of the process a number that was never given before: the session of its tracks. */
  readonly nextSession: () => number;
  readonly onFault: (error: HuishiError) => void;
  readonly onReady?: (ready: { readonly name: string; readonly provider: string }) => void;
}

interface Running {
  readonly child: ChildProcess;
  readonly session: number;
  unsentBytes: number;
}

export class InferenceProcess implements FeedChannel {
  readonly #options: InferenceProcessOptions;
  readonly #feeds = new Map<number, InferenceFeed>();
  readonly #snapshots = new Map<number, (jpeg: Uint8Array | null) => void>();
  readonly #abort = new AbortController();
  readonly #firstStart: Promise<void>;
  readonly #supervised: Promise<void>;
  #settleFirstStart: { resolve: () => void; reject: (error: unknown) => void } | null = null;
  #running: Running | null = null;
  #lastSnapshotId = 0;
  #classes: readonly ObjectClass[] = [];

  constructor(options: InferenceProcessOptions) {
    this.#options = options;
    this.#firstStart = new Promise((resolve, reject) => (this.#settleFirstStart = { resolve, reject }));
    this.#firstStart.catch(() => undefined);
    const runnable = { name: options.name, run: (signal: AbortSignal) => this.#run(signal) };
    this.#supervised = supervise(runnable, this.#abort.signal, {
      ...RESTART,
      onFailure: ({ error }) => {
        this.#settleFirstStart?.reject(error);
        options.onFault(error as HuishiError);
      },
    });
  }

  get classes(): readonly ObjectClass[] {
    return this.#classes;
  }

  get feedCount(): number {
    return this.#feeds.size;
  }

  get pid(): number | undefined {
    return this.#running?.child.pid;
  }

  /** @throws HuishiError the reason why the process could not start the first time: MODEL_MISSING, MODEL_CORRUPT... */
  started(): Promise<void> {
    return this.#firstStart;
  }

  add(feed: InferenceFeed): void {
    this.#feeds.set(feed.id, feed);
    this.send({ type: "open", feedId: feed.id, settings: feed.settings });
  }

  release(feed: InferenceFeed): Promise<void> {
    this.#feeds.delete(feed.id);
    this.send({ type: "close", feedId: feed.id });
    return Promise.resolve();
  }

  send(message: ToChild): boolean {
    const running = this.#running;
    if (!running?.child.connected) return false;
    const bytes = MESSAGE_BYTES + (message.type === "unit" ? message.unit.data.byteLength : 0);
    if (message.type === "unit" && running.unsentBytes + bytes > MAX_UNSENT_BYTES) return false;
    running.unsentBytes += bytes;
    running.child.send(message, undefined, undefined, () => {
      running.unsentBytes -= bytes;
    });
    return true;
  }

  snapshot(feedId: number, capturedAtMs: number): Promise<Uint8Array | null> {
    const requestId = ++this.#lastSnapshotId;
    return new Promise((resolve) => {
      this.#snapshots.set(requestId, resolve);
      if (!this.send({ type: "snapshot", feedId, requestId, capturedAtMs }))
        this.#settleSnapshot(requestId, null);
    });
  }

  /** Lets the inference in flight finish, then ends the process. */
  async close(): Promise<void> {
    this.#settleFirstStart?.reject(
      new HuishiError("INFERENCE_CLOSED", "The inference processes were stopped."),
    );
    this.#abort.abort();
    await this.#supervised;
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { detector } = this.#options;
    const config: ChildConfig = detector ? { detector } : {};
    const child = fork(childPath, [JSON.stringify(config)], {
      serialization: "advanced",
      execArgv: fromSource ? sourceArguments : [],
      env: childEnvironment(),
    });
    const running: Running = { child, session: this.#options.nextSession(), unsentBytes: 0 };
    const stopChild = (): void => void this.#stop(child);
    signal.addEventListener("abort", stopChild, { once: true });
    try {
      await this.#serve(running);
    } finally {
      signal.removeEventListener("abort", stopChild);
      this.#running = null;
      for (const requestId of this.#snapshots.keys()) this.#settleSnapshot(requestId, null);
    }
  }

  /** Resolves never: rejects with the reason when the process has ended. */
  #serve(running: Running): Promise<never> {
    const { child } = running;
    return new Promise((_, reject) => {
      let reason: HuishiError | null = null;
      const tooLate = setTimeout(() => {
        reason = new HuishiError(
          "INFERENCE_PROCESS_HANGS",
          `${this.#options.name} was not ready after ${READY_MS / 1000} s; it is started again.`,
        );
        child.kill("SIGKILL");
      }, READY_MS);
      child.on("message", (message: ToParent) => {
        if (message.type === "ready") {
          clearTimeout(tooLate);
          this.#classes = message.classes;
          this.#options.onReady?.({ name: this.#options.name, provider: message.provider });
          this.#begin(running);
        } else if (message.type === "failed") reason = new HuishiError(message.code, message.message);
        else this.#receive(running, message);
      });
      // `exit` may come before the last messages, `close` comes after them.
      child.once("close", (code, killedBy) => {
        clearTimeout(tooLate);
        reject(
          reason ??
            new HuishiError(
              "INFERENCE_PROCESS_DIED",
              `${this.#options.name} ended (${killedBy ?? `exit code ${code}`}); it is started again and its cameras go on.`,
            ),
        );
      });
      child.once("error", (cause) => {
        clearTimeout(tooLate);
        reject(
          new HuishiError(
            "INFERENCE_PROCESS_FAILED",
            `${this.#options.name} could not be started or reached.`,
            { cause },
          ),
        );
      });
    });
  }

  #begin(running: Running): void {
    this.#running = running;
    for (const feed of this.#feeds.values())
      this.send({ type: "open", feedId: feed.id, settings: feed.settings });
    this.#settleFirstStart?.resolve();
    this.#settleFirstStart = null;
  }

  #receive({ session }: Running, message: Exclude<ToParent, { type: "ready" | "failed" }>): void {
    if (message.type === "snapshot") {
      this.#settleSnapshot(message.requestId, message.jpeg);
      return;
    }
    const feed = this.#feeds.get(message.feedId);
    if (!feed) return;
    if (message.type === "frame") feed.options.onFrame({ ...message.result, session });
    else if (message.type === "drop") feed.options.onDrop(message.reason, message.count);
    else
      this.#options.onFault(
        new HuishiError(message.code, message.message, { details: { cameraId: feed.options.cameraId } }),
      );
  }

  #settleSnapshot(requestId: number, jpeg: Uint8Array | null): void {
    this.#snapshots.get(requestId)?.(jpeg);
    this.#snapshots.delete(requestId);
  }

  async #stop(child: ChildProcess): Promise<void> {
    if (child.connected)
      child.send({ type: "stop" } satisfies ToChild, undefined, undefined, () => undefined);
    const gone = new AbortController();
    child.once("close", () => gone.abort());
    try {
      await sleep(STOP_MS, gone.signal);
      child.kill("SIGKILL");
    } catch {
      // It ended in time.
    }
  }
}
