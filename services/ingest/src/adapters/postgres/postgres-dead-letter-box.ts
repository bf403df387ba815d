import type { Pool } from "@huishi/platform";
import type { DeadLetterBox, RequestedLetter } from "../../application/dead-letter-replay.ts";

/** Letters in one look: whole messages may be half a megabyte each. */
const MAX_LETTERS = 16;

export class PostgresDeadLetterBox implements DeadLetterBox {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async requested(): Promise<RequestedLetter[]> {
    const { rows } = await this.#pool.query<RequestedLetter>({
      name: "requested-dead-letters",
      text: `SELECT id, agent_id AS "agentId", topic, boot, payload FROM dead_letter
             WHERE state = 'requested' ORDER BY id LIMIT ${MAX_LETTERS}`,
    });
    return rows;
  }

  async settle(id: string, state: "replayed" | "refused", outcome: string): Promise<void> {
    await this.#pool.query(
      "UPDATE dead_letter SET state = $2, outcome = $3 WHERE id = $1 AND state = 'requested'",
      [id, state, outcome.slice(0, 2_000)],
    );
  }
}
