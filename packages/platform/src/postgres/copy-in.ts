import { HuishiError } from "@huishi/kernel";
import type pg from "pg";

interface WireConnection {
  readonly stream: NodeJS.WritableStream & { cork(): void; uncork(): void };
  query(text: string): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/**
 * Runs a COPY ... FROM STDIN with bytes that are in the statement's format already, and returns the rows the server
 * took. A chunk is asked for when the socket has taken the one before. What the source throws makes the COPY fail,
 * leaves the connection usable, and is thrown.
 */
export function copyIn(
  client: pg.ClientBase,
  statement: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    client.query(new CopyIn(statement, chunks, resolve, reject) as unknown as pg.Submittable);
  });
}

/** CopyData: the letter, then the length with itself but without the letter (PostgreSQL documentation §55.7). */
function frameOf(length: number): Buffer {
  const frame = Buffer.alloc(5);
  frame.write("d");
  frame.writeInt32BE(length + 4, 1);
  return frame;
}

class CopyIn {
  /** pg wraps this to disarm its query timeout. */
  callback: (error?: Error | null) => void = () => {};
  readonly #statement: string;
  readonly #chunks: AsyncIterator<Uint8Array>;
  readonly #resolve: (rows: number) => void;
  readonly #reject: (error: Error) => void;
  #sourceFault: Error | null = null;
  #rows = 0;
  #isOver = false;

  constructor(
    statement: string,
    chunks: AsyncIterable<Uint8Array>,
    resolve: (rows: number) => void,
    reject: (error: Error) => void,
  ) {
    this.#statement = statement;
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.#resolve = resolve;
    this.#reject = reject;
  }

  submit(connection: WireConnection): void {
    connection.query(this.#statement);
  }

  handleCopyInResponse(connection: WireConnection): void {
    void this.#send(connection);
  }

  /** Nothing is sent any more once the server has answered with an error (§55.2.6). */
  async #send(connection: WireConnection): Promise<void> {
    try {
      for (;;) {
        const next = await this.#chunks.next();
        if (this.#isOver) return;
        if (next.done) {
          connection.endCopyFrom();
          return;
        }
        await write(connection, next.value);
      }
    } catch (thrown) {
      if (this.#isOver) return;
      this.#sourceFault = thrown as Error;
      connection.sendCopyFail("the source of the rows failed");
    }
  }

  handleCommandComplete(message: { text: string }): void {
    this.#rows = Number(/^COPY (\d+)/.exec(message.text)?.[1] ?? 0);
  }

  handleReadyForQuery(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.callback(null);
    this.#resolve(this.#rows);
  }

  handleError(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    const reported = this.#sourceFault ?? error;
    this.callback(reported);
    void this.#rejectAfterSource(reported);
  }

  /** The source's own clean-up must not hide why it ended. */
  async #rejectAfterSource(reported: Error): Promise<void> {
    try {
      await this.#chunks.return?.();
    } catch {
      // `reported` came first
    }
    this.#reject(reported);
  }

  /** Messages that COPY ... FROM STDIN never brings. */
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {
    this.#sourceFault ??= new HuishiError("COPY_VALUE", "the server answered COPY with data");
  }
}

function write(connection: WireConnection, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    connection.stream.cork();
    connection.stream.write(frameOf(chunk.byteLength));
    // A broken connection is reported through handleError.
    connection.stream.write(chunk, () => resolve());
    connection.stream.uncork();
  });
}
