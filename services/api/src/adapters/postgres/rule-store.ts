import type { LineCounts, Rule } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { Versioned } from "../../application/versioned.ts";
import type { RuleStore } from "../../application/zones-and-rules.ts";
import type { RuleSettings } from "../../domain/rule-fit.ts";
import { classOf } from "./class-codes.ts";
import { lineCountQuestion } from "./queries/line-count-question.ts";

interface RuleRow {
  readonly id: string;
  readonly camera_id: string;
  readonly zone_id: string;
  readonly settings: RuleSettings;
  readonly version: number;
}

/** The column is a 32-bit integer. */
const LAST_DATASTREAM_NO = 2_147_483_647;

const COLUMNS = "id, camera_id, zone_id, settings, version";
const toRule = (row: RuleRow): Rule => ({
  ...row.settings,
  id: row.id,
  cameraId: row.camera_id,
  zoneId: row.zone_id,
  version: row.version,
});

export class PostgresRuleStore implements RuleStore {
  readonly #pool: Pool;
  readonly #questions: Pool;

  /** @param questions where counts are read, apart from what rules need */
  constructor(pool: Pool, questions: Pool) {
    this.#pool = pool;
    this.#questions = questions;
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

  async isDatastream(no: string): Promise<boolean> {
    if (!/^[1-9][0-9]{0,9}$/.test(no) || Number(no) > LAST_DATASTREAM_NO) return false;
    const found = await this.#pool.query("SELECT 1 FROM datastream WHERE no = $1", [no]);
    return found.rowCount === 1;
  }

  async countCrossings(range: {
    ruleId: string;
    fromMs: number;
    toMs: number;
  }): Promise<LineCounts["byClass"]> {
    const { text, values } = lineCountQuestion(range.ruleId, range);
    const found = await this.#questions.query<{
      class_code: number;
      left_to_right: number;
      right_to_left: number;
    }>(text, [...values]);
    return found.rows.map((row) => ({
      objectClass: classOf(row.class_code),
      leftToRight: row.left_to_right,
      rightToLeft: row.right_to_left,
    }));
  }
}
