import { backoffDelayMs, sleep } from "@huishi/kernel";
import type { Pool } from "@huishi/platform";
import type { ObservationRow } from "./event-rows.ts";

const FLUSH_MS = 500;
/** Datastreams in one statement. */
const MAX_GROUP = 5_000;

/** In order of their number, so that two writers never wait for each other in a circle. */
const WRITE = `
  UPDATE datastream AS d SET last_value = t.value, last_at = t.at, last_ingested_at = t.ingested_at
  FROM (SELECT no, value, to_timestamp(at_ms / 1000.0) AS at, to_timestamp(ingested_ms / 1000.0) AS ingested_at
        FROM unnest($1::integer[], $2::float8[], $3::bigint[], $4::bigint[]) AS u (no, value, at_ms, ingested_ms)
        JOIN (SELECT no FROM datastream WHERE no = ANY($1::integer[]) ORDER BY no FOR NO KEY UPDATE) AS locked USING (no)) AS t
  WHERE d.no = t.no AND (d.last_at IS NULL OR d.last_at <= t.at)`;

/** What lies in the rows but was not written before the last process ended. */
const RECOVER = `
  UPDATE datastream AS d SET last_value = o.value, last_at = o.captured_at,
    last_ingested_at = o.captured_at + o.ingest_lag_ms * interval '1 millisecond'
  FROM datastream AS each CROSS JOIN LATERAL (
    SELECT value, captured_at, ingest_lag_ms FROM observation
    WHERE datastream_no = each.no AND captured_at > coalesce(each.last_at, now() - interval '2 days')
      AND captured_at > now() - interval '2 days'
    ORDER BY captured_at DESC LIMIT 1) AS o
  WHERE d.no = each.no`;

/**
 * The latest value of each datastream, a cache beside the rows: written every half second, not with every commit,
 * since a busy sensor would otherwise cost an update a row. What a crash takes is read from the rows at the start.
 */
export class LatestValues {
  readonly #pool: Pool;
  readonly #onFault: (fault: unknown) => void;
  readonly #waiting = new Map<number, ObservationRow>();

  constructor(pool: Pool, onFault: (fault: unknown) => void) {
    this.#pool = pool;
    this.#onFault = onFault;
  }

  /** Takes committed rows; the newest capture time wins. */
  note(rows: readonly ObservationRow[]): void {
    for (const row of rows) {
      const [atMs, , , datastreamNo] = row;
      const known = this.#waiting.get(datastreamNo);
      if (!known || known[0] <= atMs) this.#waiting.set(datastreamNo, row);
    }
  }

  /** Recovers once, then writes until the signal aborts, and once more. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#tryUntilDone(() => this.#pool.query(RECOVER), signal);
    while (!signal.aborted) {
      await sleep(FLUSH_MS, signal).catch(() => {});
      await this.#tryUntilDone(() => this.#flush(), signal);
    }
  }

  async #tryUntilDone(work: () => Promise<unknown>, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await work();
        return;
      } catch (fault) {
        if (signal.aborted) return;
        this.#onFault(fault);
        const delayMs = backoffDelayMs(attempt, { baseDelayMs: 200, maxDelayMs: 5_000 }, Math.random);
        await sleep(delayMs, signal).catch(() => {});
      }
    }
  }

  async #flush(): Promise<void> {
    while (this.#waiting.size > 0) {
      const group = [...this.#waiting].slice(0, MAX_GROUP);
      await this.#pool.query({
        name: "write-latest-values",
        text: WRITE,
        values: [
          group.map(([no]) => no),
          group.map(([, [, value]]) => value),
          group.map(([, [atMs]]) => atMs),
          group.map(([, [atMs, , , , , , ingestLagMs]]) => atMs + ingestLagMs),
        ],
      });
      // A value that came meanwhile stays for the next time.
      for (const [no, written] of group) if (this.#waiting.get(no) === written) this.#waiting.delete(no);
    }
  }
}
