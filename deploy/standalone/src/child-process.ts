import { HuishiError, supervise } from "@huishi/kernel";
import { type ChildProcess, fork } from "node:child_process";

/** The part of a logger that is needed here. */
interface ChildLog {
  warn(fields: Record<string, unknown>, message: string): void;
}

export interface ChildOptions {
  readonly name: string;
  /** The script to run: a `.js` of the build, or a `.ts` source when this itself runs from source. */
  readonly entry: URL;
  readonly args?: readonly string[];
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  /** Sent to the child over IPC right after its start: the way of secrets, which must not stand in arguments. */
  readonly message?: unknown;
  readonly log: ChildLog;
  /** File descriptor that takes what the child prints. */
  readonly outputFd: number;
  readonly env?: Readonly<Record<string, string>>;
}

const STOP_DEADLINE_MS = 8_000;
const READY_DEADLINE_MS = 180_000;

/**
 * A child process that is kept running until `stop`. It is started in a process group of its own, so that
 * Ctrl-C reaches the parent alone and the parent stops its children in order; a child ends by itself when its
 * IPC channel closes, so that a killed parent leaves nobody behind.
 */
export class SupervisedChild {
  readonly #options: ChildOptions;
  readonly #abort = new AbortController();
  #child: ChildProcess | null = null;
  #loop: Promise<void> = Promise.resolve();

  constructor(options: ChildOptions) {
    this.#options = options;
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /**
   * Starts the child and resolves with its first IPC message; the loop that restarts it goes on behind. A message
   * `{ error: { code, message } }` rejects with that error and ends the loop.
   */
  async start(): Promise<unknown> {
    let settle: { resolve: (message: unknown) => void; reject: (error: unknown) => void };
    const first = new Promise<unknown>((resolve, reject) => (settle = { resolve, reject }));
    const { name, log } = this.#options;
    this.#loop = supervise(
      { name, run: (signal) => this.#runOnce(signal, (message) => settle.resolve(message)) },
      this.#abort.signal,
      {
        baseDelayMs: 500,
        maxDelayMs: 15_000,
        healthyAfterMs: 30_000,
        onFailure: ({ error, retryDelayMs }) =>
          log.warn({ child: name, err: error, retryDelayMs }, "child process ended; it is started again"),
      },
    );
    const deadline = setTimeout(
      () => settle.reject(new HuishiError("CHILD_NOT_READY", `${name} did not get ready`)),
      READY_DEADLINE_MS,
    );
    try {
      const message = await first;
      const failure = (message as { error?: { code: string; message: string } }).error;
      if (failure) throw new HuishiError(failure.code, failure.message);
      return message;
    } catch (error) {
      await this.stop();
      throw error;
    } finally {
      clearTimeout(deadline);
    }
  }

  async stop(): Promise<void> {
    this.#abort.abort(new Error("stopping"));
    await this.#loop;
  }

  #runOnce(signal: AbortSignal, onFirstMessage: (message: unknown) => void): Promise<void> {
    const { entry, args = [], nodeOptions = [], message, env, outputFd } = this.#options;
    const fromSource = entry.pathname.endsWith(".ts");
    const child = fork(entry, [...args], {
      detached: true,
      execArgv: [...(fromSource ? ["--import", "tsx", "--conditions=huishi-source"] : []), ...nodeOptions],
      stdio: ["ignore", outputFd, outputFd, "ipc"],
      env: { ...process.env, ...env },
    });
    this.#child = child;
    if (message !== undefined) child.send(message as object);
    child.once("message", onFirstMessage);
    return new Promise((_resolve, reject) => {
      let killTimer: NodeJS.Timeout | undefined;
      const onAbort = (): void => {
        child.kill("SIGTERM");
        killTimer = setTimeout(() => child.kill("SIGKILL"), STOP_DEADLINE_MS);
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
      child.once("error", reject);
      child.once("exit", (code, killedBy) => {
        clearTimeout(killTimer);
        signal.removeEventListener("abort", onAbort);
        this.#child = null;
        reject(new Error(`ended with ${killedBy ?? `code ${code}`}`));
      });
    });
  }
}
