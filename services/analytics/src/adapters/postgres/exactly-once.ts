import { HuishiError, messageOf } from "@huishi/kernel";
import { isValueFault, type Pool, type PoolClient, sqlStateOf, withTransaction } from "@huishi/platform";

interface Attempt {
  readonly xid: string;
  readonly result: unknown;
}

/**
 * Transactions that may be given again after any error and still happen once. When the connection breaks during
 * COMMIT nobody knows whether it was done; the server does, and is asked first when the same batch comes again
 * (PostgreSQL 15 §9.27.8, `pg_xact_status`, "determine whether a transaction committed or aborted after the
 * application and database server become disconnected while a COMMIT is in progress").
 */
export class ExactlyOnce {
  readonly #pool: Pool;
  readonly #inDoubt = new WeakMap<object, Attempt>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /**
   * @param batch identity of the work: the same object when it is given again.
   * @throws HuishiError RECORD_REFUSED when the database will never take it; anything else may pass by itself.
   */
  async run<T>(batch: object, work: (client: PoolClient) => Promise<T>): Promise<T> {
    const doubtful = this.#inDoubt.get(batch);
    if (doubtful && (await this.#isCommitted(doubtful.xid))) {
      this.#inDoubt.delete(batch);
      return doubtful.result as T;
    }
    let attempt: Attempt | undefined;
    try {
      return await withTransaction(this.#pool, async (client) => {
        const found = await client.query<{ xid: string }>("SELECT pg_current_xact_id()::text AS xid");
        const result = await work(client);
        attempt = { xid: found.rows[0]?.xid ?? "0", result };
        return result;
      });
    } catch (error) {
      if (attempt) this.#inDoubt.set(batch, attempt);
      throw asRefusal(error);
    }
  }

  async #isCommitted(xid: string): Promise<boolean> {
    const found = await this.#pool.query<{ status: string | null }>(
      "SELECT pg_xact_status($1::xid8) AS status",
      [xid],
    );
    const status = found.rows[0]?.status ?? null;
    if (status === "in progress") {
      throw new HuishiError("COMMIT_IN_PROGRESS", "the transaction before is not finished yet: asking again");
    }
    return status === "committed";
  }
}

function asRefusal(error: unknown): unknown {
  const isUnfit = error instanceof HuishiError && error.code === "COPY_VALUE";
  if (!isUnfit && !isValueFault(error)) return error;
  return new HuishiError("RECORD_REFUSED", `the database refuses a record: ${messageOf(error)}`, {
    cause: error,
    details: { sqlState: sqlStateOf(error) },
  });
}
