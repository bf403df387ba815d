import type { Pool } from "@huishi/platform";
import type { AgentDirectory, AgentPresence, AgentSecrets } from "../../application/ports.ts";

/** Agents and their cameras in PostgreSQL. */
export class PostgresAgentDirectory implements AgentDirectory {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async secretsOf(agentId: string): Promise<AgentSecrets | null> {
    const result = await this.#pool.query<{
      secret_hash: Buffer;
      next_secret_hash: Buffer | null;
      is_revoked: boolean;
    }>(
      "SELECT secret_hash, next_secret_hash, revoked_at IS NOT NULL AS is_revoked FROM agent WHERE id = $1",
      [agentId],
    );
    const row = result.rows[0];
    return row ? { current: row.secret_hash, next: row.next_secret_hash, isRevoked: row.is_revoked } : null;
  }

  async adoptSecret(agentId: string, hash: Uint8Array): Promise<void> {
    await this.#pool.query(
      "UPDATE agent SET secret_hash = $2, next_secret_hash = NULL WHERE id = $1 AND next_secret_hash = $2",
      [agentId, hash],
    );
  }

  async revokedAmong(agentIds: readonly string[]): Promise<string[]> {
    const result = await this.#pool.query<{ id: string }>(
      `SELECT given.id FROM unnest($1::text[]) AS given (id)
       LEFT JOIN agent ON agent.id = given.id AND agent.revoked_at IS NULL
       WHERE agent.id IS NULL`,
      [agentIds],
    );
    return result.rows.map((row) => row.id);
  }

  async markAllOffline(): Promise<void> {
    await this.#pool.query("UPDATE agent SET online = false WHERE online");
  }

  async writePresence(agentId: string, presence: AgentPresence): Promise<void> {
    await this.#pool.query(
      `WITH told AS (
         UPDATE agent_config SET applied_revision = state.revision, applied_state = state.state,
                applied_code = state.code, applied_message = state.message, applied_at = now()
         FROM jsonb_to_record($3::jsonb -> 'config') AS state (revision bigint, state text, code text, message text)
         WHERE agent_id = $1 AND state.revision IS NOT NULL
           AND (applied_revision, applied_state, applied_code) IS DISTINCT FROM (state.revision, state.state, state.code)
       )
       UPDATE agent SET online = $2, status = coalesce($3::jsonb, status),
              status_at = CASE WHEN $3::jsonb IS NULL THEN status_at ELSE now() END
       WHERE id = $1`,
      [agentId, presence.online, presence.status === null ? null : JSON.stringify(presence.status)],
    );
  }

  async cameraOwners(): Promise<Map<string, string>> {
    const result = await this.#pool.query<{ id: string; agent_id: string }>(
      "SELECT id, agent_id FROM camera",
    );
    return new Map(result.rows.map((row) => [row.id, row.agent_id]));
  }
}
