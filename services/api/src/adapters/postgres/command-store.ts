import type { CommandReply } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { CommandStore, NewCommand } from "../../application/agent-commands.ts";

interface OutcomeRow {
  readonly state: string;
  readonly ok: boolean | null;
  readonly code: string | null;
  readonly message: string | null;
  readonly result: Record<string, unknown> | null;
}

/** Commands in PostgreSQL, where ingest fetches them and writes down their replies. */
export class PostgresCommandStore implements CommandStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async agentState(agentId: string): Promise<{ online: boolean; revoked: boolean } | null> {
    const found = await this.#pool.query<{ online: boolean; revoked: boolean }>(
      "SELECT online, revoked_at IS NOT NULL AS revoked FROM agent WHERE id = $1",
      [agentId],
    );
    return found.rows[0] ?? null;
  }

  async agentOfCamera(cameraId: string): Promise<string | null> {
    const found = await this.#pool.query<{ agent_id: string }>("SELECT agent_id FROM camera WHERE id = $1", [
      cameraId,
    ]);
    return found.rows[0]?.agent_id ?? null;
  }

  async add({ id, agentId, body, validMs, by }: NewCommand): Promise<void> {
    await this.#pool.query(
      "INSERT INTO agent_command (id, agent_id, body, valid_ms, created_by) VALUES ($1, $2, $3, $4, $5)",
      [id, agentId, JSON.stringify(body), Math.ceil(validMs), by],
    );
  }

  async outcomeOf(id: string): Promise<CommandReply | null> {
    const found = await this.#pool.query<OutcomeRow>(
      "SELECT state, ok, code, message, result FROM agent_command WHERE id = $1",
      [id],
    );
    const row = found.rows[0];
    if (!row || row.state === "wanted" || row.state === "sent") return null;
    return {
      v: 1,
      commandId: id,
      ok: row.ok ?? false,
      ...(row.result === null ? {} : { result: row.result }),
      ...(row.code === null ? {} : { code: row.code }),
      ...(row.message === null ? {} : { message: row.message }),
    };
  }

  async giveUp(id: string): Promise<void> {
    await this.#pool.query(
      "UPDATE agent_command SET state = 'expired', code = 'COMMAND_EXPIRED' WHERE id = $1 AND state = 'wanted'",
      [id],
    );
  }
}
