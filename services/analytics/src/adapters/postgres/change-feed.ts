import { HuishiError, messageOf } from "@huishi/kernel";
import { Client } from "pg";
import type { ChangeFeed, PlanChange } from "../../application/ports.ts";

/** Without a notification the outbox is still read this often. */
const POLL_MS = 1_000;
/** After a notification: its row may wait behind an older transaction that is still open, so look again soon. */
const FIRST_LOOK_MS = 20;

interface Row {
  readonly upto: string;
  readonly kind: PlanChange["kind"] | null;
  readonly key: string;
  readonly what: string | null;
}

/**
 * The change outbox (0001_initial.sql, table `change`), woken by NOTIFY. The cursor is a transaction id: only
 * finished transactions are read (`tx < pg_snapshot_xmin`), so that a row that commits late is not skipped.
 */
export class PostgresChangeFeed implements ChangeFeed {
  readonly #databaseUrl: string;

  constructor(databaseUrl: string) {
    this.#databaseUrl = databaseUrl;
  }

  async run(
    signal: AbortSignal,
    listener: { onReady(): Promise<void>; onChanges(changes: readonly PlanChange[]): Promise<void> },
  ): Promise<void> {
    const client = new Client({
      connectionString: this.#databaseUrl,
      application_name: "huishi-analytics-changes",
      connectionTimeoutMillis: 5_000,
      statement_timeout: 10_000,
      query_timeout: 15_000,
      keepAlive: true,
    });
    const bell = new Bell();
    const lost = new AbortController();
    client.on("error", (error) => lost.abort(error));
    client.on("end", () => lost.abort(new Error("the server closed the connection")));
    client.on("notification", () => bell.ring());
    const end = AbortSignal.any([signal, lost.signal]);
    end.addEventListener("abort", () => bell.ring(), { once: true });
    try {
      await client.connect();
      await this.#follow(client, bell, end, listener);
    } finally {
      await client.end().catch(() => undefined);
    }
    if (!signal.aborted) {
      throw new HuishiError(
        "CHANGE_FEED_LOST",
        `the database connection that brings edited rules broke (${messageOf(lost.signal.reason)}): connecting again`,
      );
    }
  }

  async #follow(
    client: Client,
    bell: Bell,
    end: AbortSignal,
    listener: { onReady(): Promise<void>; onChanges(changes: readonly PlanChange[]): Promise<void> },
  ): Promise<void> {
    await client.query("LISTEN huishi_change");
    let cursor = (await changesSince(client, null)).upto;
    await listener.onReady();
    let waitMs = POLL_MS;
    while (!end.aborted) {
      const isRung = await bell.wait(waitMs);
      if (end.aborted) return;
      waitMs = isRung ? FIRST_LOOK_MS : Math.min(POLL_MS, waitMs * 2);
      const { upto, changes } = await changesSince(client, cursor);
      cursor = upto;
      if (changes.length > 0) await listener.onChanges(changes);
    }
  }
}

/** Changes of finished transactions from `cursor` on; with null only where the outbox stands now. */
async function changesSince(
  client: Client,
  cursor: string | null,
): Promise<{ upto: string; changes: PlanChange[] }> {
  const { rows } = await client.query<Row>(
    `WITH finished AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xmin)
     SELECT finished.xmin::text AS upto, change.kind, change.key, change.what
     FROM finished
     LEFT JOIN change
       ON change.tx >= $1::xid8 AND change.tx < finished.xmin AND change.kind <> 'alarm'
     ORDER BY change.tx, change.id`,
    [cursor],
  );
  const changes: PlanChange[] = [];
  for (const { kind, key, what } of rows) if (kind !== null) changes.push({ kind, key, what });
  return { upto: rows[0]?.upto ?? cursor ?? "0", changes };
}

/** Wakes one waiter; a ring while nobody waits is kept. */
class Bell {
  #isRung = false;
  #wake: (() => void) | null = null;

  ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }

  /** True when it rang, false after `timeoutMs` of silence. */
  async wait(timeoutMs: number): Promise<boolean> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    const isRung = this.#isRung;
    this.#isRung = false;
    return isRung;
  }
}
