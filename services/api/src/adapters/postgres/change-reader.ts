import type { Change } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { ChangeReader, ChangeRow } from "../../application/change-feed.ts";
import { type Cursor, CURSOR_START } from "../../domain/cursor.ts";
import type { PostgresAlarmStore } from "./alarm-store.ts";
import type { PostgresCameraStore } from "./camera-store.ts";
import type { PostgresRuleStore } from "./rule-store.ts";
import type { PostgresZoneStore } from "./zone-store.ts";

interface OutboxRow {
  readonly tx: string;
  readonly id: string;
  readonly kind: ChangeRow["kind"];
  readonly key: string;
  readonly what: string | null;
  readonly settled: boolean;
}

export interface ChangeSources {
  readonly alarms: Pick<PostgresAlarmStore, "findAlarms">;
  readonly cameras: Pick<PostgresCameraStore, "findCameras">;
  readonly zones: Pick<PostgresZoneStore, "findZones">;
  readonly rules: Pick<PostgresRuleStore, "findRules">;
}

/**
 * Reads the transactional outbox. A row is settled when its transaction is older than every one that still
 * runs (PostgreSQL §9.27.9, pg_snapshot_xmin): only then can nothing appear before it any more.
 */
export class PostgresChangeReader implements ChangeReader {
  readonly #pool: Pool;
  readonly #sources: ChangeSources;

  constructor(pool: Pool, sources: ChangeSources) {
    this.#pool = pool;
    this.#sources = sources;
  }

  async head(): Promise<Cursor> {
    const found = await this.#pool.query<{ tx: string; id: string }>(
      `SELECT tx, id FROM change WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
       ORDER BY tx DESC, id DESC LIMIT 1`,
    );
    const row = found.rows[0];
    return row === undefined ? CURSOR_START : { tx: BigInt(row.tx), id: BigInt(row.id) };
  }

  async read(after: Cursor, limit: number): Promise<{ rows: ChangeRow[]; unsettled: boolean }> {
    const found = await this.#pool.query<OutboxRow>(
      `SELECT tx, id, kind, key, what, tx < pg_snapshot_xmin(pg_current_snapshot()) AS settled
       FROM change WHERE (tx, id) > ($1::xid8, $2::bigint) ORDER BY tx, id LIMIT $3`,
      [String(after.tx), String(after.id), limit],
    );
    const rows = found.rows
      .filter((row) => row.settled)
      .map(({ tx, id, kind, key, what }) => ({ tx: BigInt(tx), id: BigInt(id), kind, key, what }));
    return { rows, unsettled: rows.length < found.rows.length };
  }

  async reaches(cursor: Cursor): Promise<boolean> {
    const found = await this.#pool.query<{ reached: boolean }>(
      `SELECT EXISTS (SELECT 1 FROM change WHERE (tx, id) <= ($1::xid8, $2::bigint))
          AND EXISTS (SELECT 1 FROM change WHERE (tx, id) >= ($1::xid8, $2::bigint)) AS reached`,
      [String(cursor.tx), String(cursor.id)],
    );
    return found.rows[0]?.reached ?? false;
  }

  async describe(rows: readonly ChangeRow[]): Promise<Change[]> {
    const latest = latestOfEach(rows);
    const keysOf = (kind: ChangeRow["kind"]): string[] =>
      latest.filter((row) => row.kind === kind).map((row) => row.key);
    const load = async <T extends { id: string }>(
      kind: ChangeRow["kind"],
      find: (ids: readonly string[]) => Promise<T[]>,
    ): Promise<Map<string, T>> => {
      const keys = keysOf(kind);
      return new Map(keys.length === 0 ? [] : (await find(keys)).map((row) => [row.id, row]));
    };
    const [alarms, cameras, zones, rules] = await Promise.all([
      load("alarm", (ids) => this.#sources.alarms.findAlarms(ids)),
      load("camera", (ids) => this.#sources.cameras.findCameras(ids)),
      load("zone", (ids) => this.#sources.zones.findZones(ids)),
      load("rule", (ids) => this.#sources.rules.findRules(ids)),
    ]);
    return latest.flatMap((row): Change[] => {
      if (row.kind === "deleted") {
        return [{ kind: "deleted", what: row.what as "camera" | "zone" | "rule", id: row.key }];
      }
      const alarm = row.kind === "alarm" ? alarms.get(row.key) : undefined;
      if (alarm) return [{ kind: "alarm", alarm }];
      const camera = row.kind === "camera" ? cameras.get(row.key) : undefined;
      if (camera) return [{ kind: "camera", camera }];
      const zone = row.kind === "zone" ? zones.get(row.key) : undefined;
      if (zone) return [{ kind: "zone", zone }];
      const rule = row.kind === "rule" ? rules.get(row.key) : undefined;
      return rule ? [{ kind: "rule", rule }] : [];
    });
  }

  /**
   * Deletes the outbox up to the first change younger than `beforeMs`, as a prefix in cursor order, and keeps
   * the newest row always: it marks where the stream stands. Returns how many rows went.
   */
  async prune(beforeMs: number): Promise<number> {
    const deleted = await this.#pool.query(
      `WITH boundary AS (
         SELECT tx, id FROM (
           (SELECT tx, id FROM change WHERE at >= $1 ORDER BY tx, id LIMIT 1)
           UNION ALL (SELECT tx, id FROM change ORDER BY tx DESC, id DESC LIMIT 1)
         ) AS edge ORDER BY tx, id LIMIT 1)
       DELETE FROM change USING boundary WHERE (change.tx, change.id) < (boundary.tx, boundary.id)`,
      [new Date(beforeMs)],
    );
    return deleted.rowCount ?? 0;
  }
}

/** Each thing once, at the place of its last change. */
function latestOfEach(rows: readonly ChangeRow[]): ChangeRow[] {
  const latest = new Map<string, ChangeRow>();
  for (const row of rows) {
    const key = `${row.kind}/${row.what ?? ""}/${row.key}`;
    latest.delete(key);
    latest.set(key, row);
  }
  return [...latest.values()];
}
