import { HuishiError } from "@huishi/kernel";
import type { Writable } from "node:stream";
import type pg from "pg";
import { BinaryCopyEncoder, type CopyColumn, type CopyRow } from "./binary-copy.ts";

/** A chunk is written out when it has grown to this size. */
const CHUNK_BYTES = 256 * 1024;

/** A connection copies again and again: fresh memory each time costs more than the rows in it. */
const usedBuffers = new WeakMap<pg.ClientBase, Buffer>();

/** What we use of pg's wire connection (pg/lib/connection.js); its own types leave these out. */
interface WireConnection {
  readonly stream: Writable;
  query(text: string): void;
  sendCopyFail(reason: string): void;
}

export interface CopyTarget {
  /** Name, possibly with its schema: `detection` or `public.detection`. */
  readonly table: string;
  readonly columns: readonly CopyColumn[];
  /**
   * A statement that runs behind the COPY, in its transaction and in the same trip: outside a transaction the two are
   * one of their own (PostgreSQL documentation §55.2.2.1, "Multiple Statements in a Simple Query").
   */
  readonly behind?: string;
}

/**
 * Copies rows into a table through COPY ... FROM STDIN (FORMAT binary) and returns how many the server took.
 * All or nothing: COPY_VALUE (a value does not fit) and the server's errors leave no row behind, and the
 * connection stays usable. COPY knows no ON CONFLICT.
 */
export function copyRows(
  client: pg.ClientBase,
  target: CopyTarget,
  rows: Iterable<CopyRow>,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const encoder = new BinaryCopyEncoder(target.columns, usedBuffers.get(client));
    usedBuffers.delete(client);
    const copied = (count: number): void => {
      // Not after a fault: the socket may still hold it.
      usedBuffers.set(client, encoder.buffer);
      resolve(count);
    };
    const copy = new CopyIn(statementOf(target), { encoder, rows, resolve: copied, reject });
    client.query(copy as unknown as pg.Submittable);
  });
}

function statementOf({ table, columns, behind }: CopyTarget): string {
  const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const names = columns.map((column) => quote(column.name)).join(", ");
  const copy = `COPY ${table.split(".").map(quote).join(".")} (${names}) FROM STDIN (FORMAT binary)`;
  return behind === undefined ? copy : `${copy}; ${behind}`;
}

/** One COPY as pg's client drives it: it calls the handlers below as messages arrive. */
class CopyIn {
  /** pg wraps this to disarm its query timeout. */
  callback: (error?: Error | null) => void = () => {};
  readonly #statement: string;
  readonly #encoder: BinaryCopyEncoder;
  readonly #rows: Iterator<CopyRow>;
  readonly #resolve: (copied: number) => void;
  readonly #reject: (error: Error) => void;
  #rowFault: Error | null = null;
  #copied = 0;
  #over = false;

  constructor(
    statement: string,
    parts: {
      encoder: BinaryCopyEncoder;
      rows: Iterable<CopyRow>;
      resolve: (copied: number) => void;
      reject: (error: Error) => void;
    },
  ) {
    this.#statement = statement;
    this.#encoder = parts.encoder;
    this.#rows = parts.rows[Symbol.iterator]();
    this.#resolve = parts.resolve;
    this.#reject = parts.reject;
  }

  /**
   * The rows follow the statement at once, in one write where they fit: when the server does not take it, it skips
   * them (§55.2.6: CopyData and CopyDone outside a COPY are ignored).
   */
  submit(connection: WireConnection): void {
    connection.stream.cork();
    connection.query(this.#statement);
    this.#encoder.begin();
    this.#sendNextChunk(connection);
    connection.stream.uncork();
  }

  handleCopyInResponse(): void {}

  /** Sends chunk after chunk; the next one is made when the socket has taken the one before. */
  #sendNextChunk(connection: WireConnection): void {
    if (this.#over) return;
    let isLast: boolean;
    try {
      isLast = this.#fillChunk();
    } catch (thrown) {
      this.#rowFault = thrown as Error;
      connection.sendCopyFail("a row could not be encoded");
      return;
    }
    const chunk = this.#encoder.takeChunk();
    connection.stream.write(chunk, (error) => {
      if (error || this.#over) return;
      if (!isLast) this.#sendNextChunk(connection);
    });
  }

  /** Returns true when the rows are at their end. */
  #fillChunk(): boolean {
    while (this.#encoder.byteLength < CHUNK_BYTES) {
      const next = this.#rows.next();
      if (next.done) {
        this.#encoder.finish();
        return true;
      }
      this.#encoder.addRow(next.value);
    }
    return false;
  }

  handleCommandComplete(message: { text: string }): void {
    const count = /^COPY (\d+)/.exec(message.text)?.[1];
    if (count !== undefined) this.#copied = Number(count);
  }

  handleReadyForQuery(): void {
    if (this.#over) return;
    this.#over = true;
    this.callback(null);
    this.#resolve(this.#copied);
  }

  /**
   * A server error, or the loss of the connection. What was sent meanwhile is thrown away by the server until it
   * is ready again (PostgreSQL documentation §55.2.6): nothing more must be sent.
   */
  handleError(error: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#rows.return?.();
    const reported = this.#rowFault ?? error;
    this.callback(reported);
    this.#reject(reported);
  }

  /** Messages that COPY ... FROM STDIN never brings. */
  handleRowDescription(): void {}
  handleDataRow(): void {}
  handlePortalSuspended(): void {}
  handleEmptyQuery(): void {}
  handleCopyData(): void {
    this.#rowFault ??= new HuishiError("COPY_VALUE", "the server answered COPY with data");
  }
}
