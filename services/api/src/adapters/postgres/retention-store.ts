import type { LegalHold, RetentionPolicy } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { HoldDraft, PolicyChange, RetentionStore } from "../../application/retention.ts";
import type { Versioned } from "../../application/versioned.ts";

interface PolicyRow {
  readonly dataset: string;
  readonly min_days: number;
  readonly max_days: number;
  readonly basis: string;
  readonly updated_by: string;
  readonly updated_at: Date;
  readonly version: number;
}

interface HoldRow {
  readonly id: string;
  readonly dataset: string | null;
  readonly camera_id: string | null;
  readonly from_at: Date;
  readonly to_at: Date;
  readonly reason: string;
  readonly placed_by: string;
  readonly placed_at: Date;
  readonly released_by: string | null;
  readonly released_at: Date | null;
  readonly release_reason: string | null;
}

/** Months and years in an interval count as 30 and 365 days (rounded down: never longer than the policy says). */
const daysOf = (column: string): string => `floor(extract(epoch FROM ${column}) / 86400)::integer`;
const POLICY_COLUMNS = `dataset, ${daysOf("min_age")} AS min_days, ${daysOf("max_age")} AS max_days, basis, updated_by,
  updated_at, version`;
const HOLD_COLUMNS =
  "id, dataset, camera_id, from_at, to_at, reason, placed_by, placed_at, released_by, released_at, release_reason";

export class PostgresRetentionStore implements RetentionStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listPolicies(): Promise<RetentionPolicy[]> {
    const found = await this.#pool.query<PolicyRow>(
      `SELECT ${POLICY_COLUMNS} FROM retention_policy ORDER BY dataset`,
    );
    return found.rows.map(toPolicy);
  }

  async updatePolicy(change: PolicyChange): Promise<Versioned<RetentionPolicy>> {
    const { dataset, minDays, maxDays, basis, version, actor } = change;
    const updated = await this.#pool.query<PolicyRow>(
      `UPDATE retention_policy SET min_age = make_interval(days => $2), max_age = make_interval(days => $3), basis = $4,
         updated_by = $5, updated_at = now(), version = version + 1
       WHERE dataset = $1 AND version = $6 RETURNING ${POLICY_COLUMNS}`,
      [dataset, minDays, maxDays, basis, actor, version],
    );
    if (updated.rows[0]) return { outcome: "done", row: toPolicy(updated.rows[0]) };
    const current = (await this.listPolicies()).find((policy) => policy.dataset === dataset);
    return current === undefined ? { outcome: "missing" } : { outcome: "conflict", current };
  }

  async listHolds(asked: { released: boolean; before: string | null; limit: number }): Promise<LegalHold[]> {
    const found = await this.#pool.query<HoldRow>(
      `SELECT ${HOLD_COLUMNS} FROM legal_hold
       WHERE ($1 OR released_at IS NULL) AND ($2::bigint IS NULL OR id < $2) ORDER BY id DESC LIMIT $3`,
      [asked.released, asked.before, asked.limit],
    );
    return found.rows.map(toHold);
  }

  async findHold(id: string): Promise<LegalHold | null> {
    const found = await this.#pool.query<HoldRow>(`SELECT ${HOLD_COLUMNS} FROM legal_hold WHERE id = $1`, [
      id,
    ]);
    return found.rows[0] ? toHold(found.rows[0]) : null;
  }

  async insertHold(hold: HoldDraft & { readonly actor: string }): Promise<LegalHold> {
    const inserted = await this.#pool.query<HoldRow>(
      `INSERT INTO legal_hold (dataset, camera_id, from_at, to_at, reason, placed_by)
       VALUES ($1, $2, $3, $4, $5, $6) RETURNING ${HOLD_COLUMNS}`,
      [hold.dataset, hold.cameraId, new Date(hold.fromMs), new Date(hold.toMs), hold.reason, hold.actor],
    );
    return toHold(inserted.rows[0] as HoldRow);
  }

  async releaseHold(release: { id: string; reason: string; actor: string }): Promise<LegalHold | null> {
    const released = await this.#pool.query<HoldRow>(
      `UPDATE legal_hold SET released_by = $2, released_at = now(), release_reason = $3
       WHERE id = $1 AND released_at IS NULL RETURNING ${HOLD_COLUMNS}`,
      [release.id, release.actor, release.reason],
    );
    return released.rows[0] ? toHold(released.rows[0]) : null;
  }
}

const toPolicy = (row: PolicyRow): RetentionPolicy => ({
  dataset: row.dataset,
  minDays: row.min_days,
  maxDays: row.max_days,
  basis: row.basis,
  updatedBy: row.updated_by,
  updatedAtMs: row.updated_at.getTime(),
  version: row.version,
});

const toHold = (row: HoldRow): LegalHold => ({
  id: row.id,
  dataset: row.dataset,
  cameraId: row.camera_id,
  fromMs: row.from_at.getTime(),
  toMs: row.to_at.getTime(),
  reason: row.reason,
  placedBy: row.placed_by,
  placedAtMs: row.placed_at.getTime(),
  releasedBy: row.released_by,
  releasedAtMs: row.released_at?.getTime() ?? null,
  releaseReason: row.release_reason,
});
