import type pg from "pg";

/** Takes what COPY gives. The bytes of `take` are valid during the call only. */
export interface CopySink {
  /** Returns false when the sender must pause; `onRoom` is then called once there is room again. */
  take(bytes: Uint8Array, onRoom: () => void): boolean;
}

interface WireConnection {
  readonly stream: NodeJS.ReadableStream & { destroy(error?: Error): void };
  query(text: string): void;
}

/**
 * Runs a COPY ... TO STDOUT and hands its bytes on as they come; returns the number of rows. While the sink has no
 * room the socket is not read, so the server waits: what is in memory is one read of the socket, or one row.
 *
 * What the sink throws ends the connection (there is no other way to stop a COPY that is under way) and is thrown.
 */
export function copyOut(client: pg.ClientBase, statement: string, sink: CopySink): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(new CopyOut(statement, sink, resolve, reject) as unknown as pg.Submittable);
  });
}

/** One COPY as pg's client drives it: it calls the handlers below as messages arrive. */
class CopyOut {
  /** pg wraps this to disarm its query timeout. */
  callback: (error?: Error | null) => void = () => {};
  readonly #statement: string;
  readonly #sink: CopySink;
  readonly #resolve: (rows: number) => void;
  readonly #reject: (error: Error) => void;
  #sinkFault: Error | null = null;
  #serverFault: Error | null = null;
  #rows = 0;
  #isOver = false;

  constructor(
    statement: string,
    sink: CopySink,
    resolve: (rows: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#statement = statement;
    this.#sink = sink;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: WireConnection): void {
    connection.query(this.#statement);
  }

  handleCopyData(message: { chunk: Uint8Array }, connection: WireConnection): void {
    if (this.#sinkFault !== null) return;
    try {
      if (!this.#sink.take(message.chunk, () => connection.stream.resume())) connection.stream.pause();
    } catch (thrown) {
      this.#sinkFault = thrown as Error;
      connection.stream.destroy();
      // A paused stream still has bytes to give; without this its end would not be seen.
      connection.stream.resume();
    }
  }

  handleCommandComplete(message: { text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    if (this.#serverFault === null) this.#finish(() => this.#resolve(this.#rows));
  }

  /** A server error, or the loss of the connection. */
  handleError(error: Error): void {
    const fault = this.#sinkFault ?? error;
    this.#serverFault = fault;
    this.#finish(() => this.#reject(fault), fault);
  }

  #finish(settle: () => void, error: Error | null = null): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.callback(error);
    settle();
  }

  /** Messages that COPY ... TO STDOUT never brings. */
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
}
