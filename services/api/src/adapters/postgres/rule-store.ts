import { type LineCounts, OBJECT_CLASSES, type Rule } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { Versioned } from "../../application/versioned.ts";
import type { RuleStore } from "../../application/zones-and-rules.ts";
import type { RuleSettings } from "../../domain/rule-fit.ts";

interface RuleRow {
  readonly id: string;
  readonly camera_id: string;
  readonly zone_id: string;
  readonly settings: RuleSettings;
  readonly version: number;
}

const COLUMNS = "id, camera_id, zone_id, settings, version";
const CLASS_OF_CODE = new Map<number, string>(
  Object.entries(OBJECT_CLASSES).map(([name, code]) => [code, name]),
);

const toRule = (row: RuleRow): Rule => ({
  ...row.settings,
  id: row.id,
  cameraId: row.camera_id,
  zoneId: row.zone_id,
  version: row.version,
});

export class PostgresRuleStore implements RuleStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listRules(cameraId: string): Promise<Rule[]> {
    const found = await this.#pool.query<RuleRow>(
      `SELECT ${COLUMNS} FROM rule WHERE camera_id = $1 ORDER BY settings ->> 'name', id`,
      [cameraId],
    );
    return found.rows.map(toRule);
  }

  async findRule(id: string): Promise<Rule | null> {
    return (await this.findRules([id]))[0] ?? null;
  }

  async findRules(ids: readonly string[]): Promise<Rule[]> {
    const found = await this.#pool.query<RuleRow>(`SELECT ${COLUMNS} FROM rule WHERE id = ANY($1::text[])`, [
      ids,
    ]);
    return found.rows.map(toRule);
  }

  async insertRule(rule: Rule): Promise<void> {
    const { id, cameraId, zoneId, version, ...settings } = rule;
    await this.#pool.query(
      "INSERT INTO rule (id, camera_id, zone_id, settings, version) VALUES ($1, $2, $3, $4, $5)",
      [id, cameraId, zoneId, JSON.stringify(settings), version],
    );
  }

  async updateRule(rule: {
    id: string;
    zoneId: string;
    settings: RuleSettings;
    version: number;
  }): Promise<Versioned<Rule>> {
    const updated = await this.#pool.query<RuleRow>(
      `UPDATE rule SET zone_id = $2, settings = $3, version = version + 1 WHERE id = $1 AND version = $4
       RETURNING ${COLUMNS}`,
      [rule.id, rule.zoneId, JSON.stringify(rule.settings), rule.version],
    );
    const row = updated.rows[0];
    if (row !== undefined) return { outcome: "done", row: toRule(row) };
    const current = await this.findRule(rule.id);
    return current === null ? { outcome: "missing" } : { outcome: "conflict", current };
  }

  async deleteRule(id: string): Promise<boolean> {
    const deleted = await this.#pool.query("DELETE FROM rule WHERE id = $1", [id]);
    return deleted.rowCount === 1;
  }

  async countCrossings(range: {
    ruleId: string;
    fromMs: number;
    toMs: number;
  }): Promise<LineCounts["byClass"]> {
    const found = await this.#pool.query<{
      class_code: number;
      left_to_right: number;
      right_to_left: number;
    }>(
      `SELECT class_code,
              count(*) FILTER (WHERE left_to_right)::int AS left_to_right,
              count(*) FILTER (WHERE NOT left_to_right)::int AS right_to_left
       FROM line_crossing WHERE rule_id = $1 AND crossed_at >= $2 AND crossed_at < $3
       GROUP BY class_code ORDER BY class_code`,
      [range.ruleId, new Date(range.fromMs), new Date(range.toMs)],
    );
    return found.rows.map((row) => ({
      objectClass: CLASS_OF_CODE.get(row.class_code) ?? `class ${row.class_code}`,
      leftToRight: row.left_to_right,
      rightToLeft: row.right_to_left,
    }));
  }
}
