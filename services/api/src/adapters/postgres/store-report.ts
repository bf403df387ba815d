import type { Store } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { StoreReport } from "../../application/store-report.ts";
import { millisOf } from "./queries/question.ts";

interface SeriesRow {
  readonly name: string;
  readonly chunk_interval_ms: number;
  readonly chunks: number;
  readonly compressed: number;
  readonly bytes: number;
  readonly rows_estimate: number | null;
  readonly oldest_ms: number | null;
  readonly newest_ms: number | null;
}

/**
 * Chunks and partitions of all series. A partition made ahead of time has no page yet: it is counted, but is neither the
 * oldest nor the newest. A table that was never analysed has reltuples -1.
 */
const SERIES = `
  SELECT s.name, (extract(epoch FROM s.chunk_interval) * 1000)::float8 AS chunk_interval_ms,
         count(c.chunk)::integer AS chunks, count(*) FILTER (WHERE c.compressed)::integer AS compressed,
         coalesce(sum(c.bytes), 0)::float8 AS bytes,
         (sum(k.reltuples) FILTER (WHERE k.reltuples >= 0))::float8 AS rows_estimate,
         ${millisOf("min(c.from_at) FILTER (WHERE c.compressed OR pg_relation_size(k.oid) > 0)")} AS oldest_ms,
         ${millisOf("max(c.to_at) FILTER (WHERE c.compressed OR pg_relation_size(k.oid) > 0)")} AS newest_ms
  FROM series AS s
  LEFT JOIN LATERAL huishi_store.series_chunks(s.name) AS c ON true
  LEFT JOIN pg_class AS k ON k.oid = c.chunk::regclass
  GROUP BY s.name, s.chunk_interval ORDER BY s.name`;

export class PostgresStoreReport implements StoreReport {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readStore(): Promise<Store> {
    const [series, whole] = await Promise.all([
      this.#pool.query<SeriesRow>(SERIES),
      this.#pool.query<{ mode: Store["mode"]; bytes: number }>(
        "SELECT huishi_store.mode() AS mode, pg_database_size(current_database())::float8 AS bytes",
      ),
    ]);
    const [{ mode, bytes } = { mode: "plain" as const, bytes: 0 }] = whole.rows;
    return { mode, databaseBytes: bytes, series: series.rows.map(toSeries) };
  }
}

const toSeries = (row: SeriesRow): Store["series"][number] => ({
  name: row.name,
  chunkIntervalMs: row.chunk_interval_ms,
  chunks: row.chunks,
  compressedChunks: row.compressed,
  bytes: row.bytes,
  rowsEstimate: row.rows_estimate === null ? null : Math.round(row.rows_estimate),
  oldestMs: row.oldest_ms,
  newestMs: row.newest_ms,
});
