import type { Pool } from "@huishi/platform";
import type { AgentDirectory, AgentPresence } from "../../application/ports.ts";

/** Agents and their cameras in PostgreSQL. */
export class PostgresAgentDirectory implements AgentDirectory {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async secretHashOf(agentId: string): Promise<Uint8Array | null> {
    const result = await this.#pool.query<{ secret_hash: Buffer }>(
      "SELECT secret_hash FROM agent WHERE id = $1 AND revoked_at IS NULL",
      [agentId],
    );
    return result.rows[0]?.secret_hash ?? null;
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
      `UPDATE agent SET online = $2, status = coalesce($3::jsonb, status),
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
