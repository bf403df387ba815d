import { type SuperviseOptions, supervise } from "@huishi/kernel";
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from "./embedded-postgres.ts";

const RETRY: Omit<SuperviseOptions, "onFailure"> = {
  baseDelayMs: 250,
  // A full disk, which is the long fault, is worth a look every few seconds.
  maxDelayMs: 3_000,
  healthyAfterMs: 5_000,
};

/**
 * An embedded PostgreSQL that is started again when it dies: killed, out of memory, a full disk. Address and password
 * stay what they were, so everybody's connections come back by themselves.
 */
export class KeptPostgres {
  readonly databaseUrl: string;
  readonly #options: EmbeddedPostgresOptions;
  readonly #stop = new AbortController();
  readonly #keeping: Promise<void>;
  #server: EmbeddedPostgres;
  #isUp = true;

  private constructor(options: EmbeddedPostgresOptions, first: EmbeddedPostgres) {
    this.databaseUrl = first.databaseUrl;
    this.#options = options;
    this.#server = first;
    this.#keeping = supervise(
      { name: "embedded PostgreSQL", run: (signal) => this.#run(signal) },
      this.#stop.signal,
      {
        ...RETRY,
        onFailure: ({ error, retryDelayMs }) =>
          options.logger.error(
            { err: error, retryDelayMs },
            "the embedded PostgreSQL ended: it is started again",
          ),
      },
    );
  }

  /** Errors of the first start are those of `EmbeddedPostgres.start`. */
  static async start(options: EmbeddedPostgresOptions): Promise<KeptPostgres> {
    return new KeptPostgres(options, await EmbeddedPostgres.start(options));
  }

  /** Process id of the server that runs now, or ran last. */
  get pid(): number {
    return this.#server.pid;
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the database stops"));
    await this.#server.stop();
    await this.#keeping;
    // A start that was under way when the signal came.
    await this.#server.stop();
  }

  async #run(signal: AbortSignal): Promise<void> {
    if (!this.#isUp) {
      this.#server = await EmbeddedPostgres.start({ ...this.#options, port: this.#server.port });
      this.#isUp = true;
    }
    const { code, signal: how } = await this.#server.exited;
    this.#isUp = false;
    if (!signal.aborted) throw new Error(`the server ended with ${how ?? String(code)}`);
  }
}
