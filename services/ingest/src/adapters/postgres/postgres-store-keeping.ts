import { sleep } from "@huishi/kernel";
import { type Pool, type PoolClient, rolledSources, rollUp, withTransaction } from "@huishi/platform";
import type { RetentionResult, StoreKeeping } from "../../application/store-upkeep.ts";
import { chunkLengthHours } from "../../domain/chunk-length.ts";
import { enforceRetention } from "./retention.ts";

/** Any fixed number: whoever keeps this store holds this advisory lock. */
const KEEPER_LOCK = "4408040002";
const ASK_AGAIN_MS = 5_000;

/** One series and its newest chunk that says something about the rate. */
interface SeriesMeasure {
  readonly name: string;
  readonly target_bytes: string;
  readonly current_hours: number;
  readonly bytes: string;
  readonly hours: number;
}

/** The newest chunk that is over, else the one under way when an hour of it has passed. */
const MEASURE = `
  SELECT s.name, s.target_bytes, extract(epoch FROM s.chunk_interval)::float8 / 3600 AS current_hours,
         c.bytes, extract(epoch FROM least(c.to_at, now()) - c.from_at)::float8 / 3600 AS hours
  FROM series AS s CROSS JOIN LATERAL (
    SELECT from_at, to_at, bytes FROM huishi_store.series_chunks(s.name)
    WHERE NOT compressed AND from_at < now() - interval '1 hour' ORDER BY from_at DESC LIMIT 2) AS c
  ORDER BY s.name, c.to_at <= now() DESC`;

/** The store's upkeep in PostgreSQL. */
export class PostgresStoreKeeping implements StoreKeeping {
  readonly #pool: Pool;

  /** @param pool with a generous statement timeout: upkeep takes longer than what people wait for */
  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async asOnlyKeeper(work: (signal: AbortSignal) => Promise<void>, signal: AbortSignal): Promise<void> {
    const client = await this.#pool.connect();
    const lost = new AbortController();
    client.on("end", () => lost.abort(new Error("the keeper's connection ended")));
    try {
      while (!(await tryLock(client))) await sleep(ASK_AGAIN_MS, signal);
      const watch = this.#watchLock(client, lost, signal);
      await work(AbortSignal.any([signal, lost.signal]));
      lost.abort(new Error("the keeper's work ended"));
      await watch;
      await client.query("SELECT pg_advisory_unlock($1)", [KEEPER_LOCK]).catch(() => {});
    } finally {
      // Closing it gives the lock back, whatever happened.
      client.release(true);
    }
  }

  /** A session that is gone has lost its lock: looked at now and then, since a dead peer may stay silent. */
  async #watchLock(client: PoolClient, lost: AbortController, signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, lost.signal]);
    while (!until.aborted) {
      await sleep(ASK_AGAIN_MS, until).catch(() => {});
      if (until.aborted) return;
      try {
        await client.query("SELECT 1");
      } catch (fault) {
        lost.abort(fault);
      }
    }
  }

  async rollUp(signal: AbortSignal): Promise<void> {
    for (const source of await rolledSources(this.#pool)) await rollUp(this.#pool, source, signal);
  }

  /** One transaction a series: a busy table holds up no other. */
  async keepPartitions(): Promise<void> {
    const { rows } = await this.#pool.query<{ name: string }>(
      "SELECT name FROM series WHERE huishi_store.mode() = 'plain' ORDER BY name",
    );
    for (const { name } of rows) {
      await withTransaction(this.#pool, async (client) => {
        await client.query("SET LOCAL lock_timeout = '2s'");
        await client.query("SELECT huishi_store.keep_partitions($1)", [name]);
      });
    }
  }

  async sizeChunks(): Promise<void> {
    const { rows } = await this.#pool.query<SeriesMeasure>(MEASURE);
    const newest = new Map(rows.toReversed().map((row) => [row.name, row]));
    for (const row of newest.values()) {
      const hours = chunkLengthHours({
        bytes: Number(row.bytes),
        hours: row.hours,
        targetBytes: Number(row.target_bytes),
        currentHours: row.current_hours,
      });
      if (hours === row.current_hours) continue;
      await this.#pool.query("SELECT huishi_store.set_chunk_interval($1, make_interval(hours => $2))", [
        row.name,
        hours,
      ]);
    }
  }

  enforceRetention(): Promise<RetentionResult> {
    return enforceRetention(this.#pool);
  }
}

async function tryLock(client: PoolClient): Promise<boolean> {
  const result = await client.query<{ locked: boolean }>("SELECT pg_try_advisory_lock($1) AS locked", [
    KEEPER_LOCK,
  ]);
  return result.rows[0]?.locked ?? false;
}
