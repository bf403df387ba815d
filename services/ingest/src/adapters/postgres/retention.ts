import { type Pool, withTransaction } from "@huishi/platform";
import type { RetentionResult } from "../../application/store-upkeep.ts";

/** A table under a retention policy. */
interface Target {
  readonly dataset: string;
  readonly table: string;
  readonly time_column: string;
  /** camera_no where a hold may name one camera; elsewhere such a hold covers every row of its time. */
  readonly hold_column: string | null;
  readonly max_age: string;
  readonly is_table: boolean;
}

interface Chunk {
  readonly chunk: string;
  readonly from_at: string;
  readonly to_at: string;
  readonly whole: boolean;
  readonly held: boolean;
}

/** Each policy and the tables it governs. In tsl a rollup is a continuous aggregate and has chunks of its own. */
const TARGETS = `
    SELECT p.dataset, s.name AS table, s.time_column, s.hold_column, p.max_age::text AS max_age, true AS is_table
    FROM retention_policy AS p JOIN series AS s ON s.name = p.dataset
    UNION ALL
    SELECT p.dataset, r.name || CASE WHEN huishi_store.mode() = 'tsl' THEN '' ELSE '_rolled' END, 'bucket', NULL,
           p.max_age::text, huishi_store.mode() <> 'tsl'
    FROM retention_policy AS p JOIN rollup AS r
      ON (p.dataset, r.bucket) IN (('minute', interval '1 minute'), ('hour', interval '1 hour'))`;

/**
 * Chunks that the age reaches: wholly beyond it or cut by it, and whether a hold touches them. One made lately holds
 * what came lately: a device whose clock is years behind must not lose what it has just reported.
 */
const OLD_CHUNKS = `
  SELECT c.chunk, c.from_at::text AS from_at, c.to_at::text AS to_at, c.to_at <= now() - $3::interval AS whole, EXISTS (
    SELECT 1 FROM legal_hold AS h WHERE h.released_at IS NULL AND (h.dataset IS NULL OR h.dataset = $2)
      AND h.from_at < c.to_at AND h.to_at > c.from_at) AS held
  FROM huishi_store.series_chunks($1) AS c
  WHERE c.from_at < now() - $3::interval AND c.made_at < now() - $3::interval`;

/**
 * Deletes what was captured and came longer ago than its policy's `max_age`, unless a legal hold covers it: whole chunks where nothing is
 * held, row by row in the chunk that the age cuts through and where something is. Nothing younger than `min_age` is
 * touched, since `max_age` is never below it.
 */
export async function enforceRetention(pool: Pool): Promise<RetentionResult> {
  let droppedChunks = 0;
  let deletedRows = 0;
  const { rows: targets } = await pool.query<Target>(TARGETS);
  for (const target of targets) {
    const { rows: chunks } = await pool.query<Chunk>(OLD_CHUNKS, [
      target.table,
      target.dataset,
      target.max_age,
    ]);
    for (const chunk of chunks) {
      if (chunk.whole && !chunk.held) {
        await dropChunk(pool, target, chunk);
        droppedChunks += 1;
      } else deletedRows += await deleteRows(pool, target, chunk);
    }
  }
  deletedRows += await deleteDeadLetters(pool);
  deletedRows += await deleteClips(pool);
  return { droppedChunks, deletedRows };
}

/** The lock that a drop needs is waited for but shortly: writers must not queue behind it. */
async function dropChunk(pool: Pool, { table }: Target, { chunk, from_at, to_at }: Chunk): Promise<void> {
  await withTransaction(pool, async (client) => {
    await client.query("SET LOCAL lock_timeout = '5s'");
    await client.query("SELECT huishi_store.drop_chunk($1, $2, $3::timestamptz, $4::timestamptz)", [
      table,
      chunk,
      from_at,
      to_at,
    ]);
  });
}

/** What no hold covers, in SQL: a row `t` of the target, the dataset as $2. */
function notHeld({ time_column: time, hold_column: hold }: Target): string {
  const camera = hold === null ? "true" : `(h.camera_no IS NULL OR h.camera_no = t.${hold})`;
  return `NOT EXISTS (SELECT 1 FROM legal_hold AS h WHERE h.released_at IS NULL
    AND (h.dataset IS NULL OR h.dataset = $2) AND t.${time} >= h.from_at AND t.${time} < h.to_at AND ${camera})`;
}

/** Where rows tell when they came, that counts as well. The age as $1. */
function cameLongAgo(table: string): string {
  if (table === "edge_event") return "t.ingested_at < now() - $1::interval";
  if (table !== "observation") return "true";
  return "t.captured_at + t.ingest_lag_ms * interval '1 millisecond' < now() - $1::interval";
}

async function deleteRows(pool: Pool, target: Target, { from_at, to_at }: Chunk): Promise<number> {
  const { table, time_column: time } = target;
  // Rows of a continuous aggregate go by the chunk only.
  if (!target.is_table) return 0;
  const result = await pool.query(
    `DELETE FROM ${table} AS t WHERE t.${time} < now() - $1::interval AND ${notHeld(target)} AND ${cameLongAgo(table)}
       AND t.${time} >= $3::timestamptz AND t.${time} < $4::timestamptz`,
    [target.max_age, target.dataset, from_at, to_at],
  );
  return result.rowCount ?? 0;
}

/** Their files go when their rows are gone (application/clip-room.ts). */
async function deleteClips(pool: Pool): Promise<number> {
  const result = await pool.query(
    `DELETE FROM clip USING retention_policy AS p
     WHERE p.dataset = 'clip' AND clip.state IN ('ready', 'failed') AND clip.to_at < now() - p.max_age
       AND clip.finished_at < now() - p.max_age AND NOT huishi_store.clip_held(clip)`,
  );
  return result.rowCount ?? 0;
}

async function deleteDeadLetters(pool: Pool): Promise<number> {
  const result = await pool.query(
    `DELETE FROM dead_letter USING retention_policy AS p
     WHERE p.dataset = 'dead_letter' AND received_at < now() - p.max_age AND NOT EXISTS (
       SELECT 1 FROM legal_hold AS h WHERE h.released_at IS NULL AND (h.dataset IS NULL OR h.dataset = 'dead_letter')
         AND received_at >= h.from_at AND received_at < h.to_at)`,
  );
  return result.rowCount ?? 0;
}
