import type { DeadLetter } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { DeadLetterChange, DeadLettersAsked, DeadLetterStore } from "../../application/dead-letters.ts";

interface DeadLetterRow {
  readonly id: string;
  readonly agent_id: string;
  readonly topic: string;
  readonly boot: string | null;
  readonly code: string;
  readonly reason: string;
  readonly payload: Buffer;
  readonly received_at: Date;
  readonly truncated: boolean;
  readonly state: DeadLetter["state"];
  readonly state_by: string | null;
  readonly state_at: Date | null;
  readonly outcome: string | null;
}

const COLUMNS =
  "id, agent_id, topic, boot, code, reason, payload, received_at, truncated, state, state_by, state_at, outcome";

export class PostgresDeadLetterStore implements DeadLetterStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listDeadLetters({ state, before, limit }: DeadLettersAsked): Promise<DeadLetter[]> {
    const found = await this.#pool.query<DeadLetterRow>(
      `SELECT ${COLUMNS} FROM dead_letter
       WHERE ($1::bigint IS NULL OR id < $1) AND ($2::text IS NULL OR state = $2) ORDER BY id DESC LIMIT $3`,
      [before, state, limit],
    );
    return found.rows.map(toDeadLetter);
  }

  async findDeadLetter(id: string): Promise<DeadLetter | null> {
    const found = await this.#pool.query<DeadLetterRow>(`SELECT ${COLUMNS} FROM dead_letter WHERE id = $1`, [
      id,
    ]);
    return found.rows[0] ? toDeadLetter(found.rows[0]) : null;
  }

  async changeDeadLetter(change: DeadLetterChange): Promise<DeadLetter | null> {
    const changed = await this.#pool.query<DeadLetterRow>(
      `UPDATE dead_letter SET state = $3, state_by = $4, state_at = now()
       WHERE id = $1 AND state = ANY($2::text[]) AND NOT ($5 AND truncated) RETURNING ${COLUMNS}`,
      [change.id, change.from, change.to, change.actor, change.wholeOnly],
    );
    return changed.rows[0] ? toDeadLetter(changed.rows[0]) : null;
  }
}

const toDeadLetter = (row: DeadLetterRow): DeadLetter => ({
  id: row.id,
  agentId: row.agent_id,
  topic: row.topic,
  boot: row.boot,
  code: row.code,
  reason: row.reason,
  receivedAtMs: row.received_at.getTime(),
  payload: row.payload.toString("base64"),
  truncated: row.truncated,
  state: row.state,
  stateBy: row.state_by,
  stateAtMs: row.state_at?.getTime() ?? null,
  outcome: row.outcome,
});
