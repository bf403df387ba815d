import type { AgentCommand, CommandBody, CommandReply } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { ControlStore } from "../../application/agent-control.ts";

/** So many commands of one agent go out at once; the next ones go with the next look. */
const MAX_TAKEN = 100;
/** A command that was sent and never answered counts as expired this long after it had to begin. */
const MAX_WORK_MINUTES = 60;

/** Configurations, commands and replies in PostgreSQL. The database's clock alone decides what is late. */
export class PostgresControlStore implements ControlStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async configOf(agentId: string): Promise<object | null> {
    const found = await this.#pool.query<{ document: object }>(
      "SELECT document FROM agent_config WHERE agent_id = $1",
      [agentId],
    );
    return found.rows[0]?.document ?? null;
  }

  /** What is sent says how long it is good from now on: an agent needs no clock like ours to judge a delay. */
  async takeCommands(agentId: string, again: boolean): Promise<AgentCommand[]> {
    const taken = await this.#pool.query<{ id: string; body: CommandBody; now_ms: string; left_ms: number }>(
      `WITH due AS (
         SELECT id, created_at, (valid_ms - extract(epoch FROM now() - created_at) * 1000)::int AS left_ms
         FROM agent_command
         WHERE agent_id = $1 AND (state = 'wanted' OR ($2 AND state = 'sent'))
           AND created_at + valid_ms * interval '1 millisecond' > now()
         ORDER BY created_at, id LIMIT $3 FOR UPDATE
       ), sent AS (
         UPDATE agent_command SET state = 'sent', sent_at = now() FROM due WHERE agent_command.id = due.id
         RETURNING agent_command.id, body, due.created_at, due.left_ms
       )
       SELECT id, body, left_ms, (extract(epoch FROM now()) * 1000)::bigint::text AS now_ms
       FROM sent ORDER BY created_at, id`,
      [agentId, again, MAX_TAKEN],
    );
    return taken.rows.map(({ id, body, now_ms, left_ms }) => ({
      v: 1,
      id,
      issuedAtMs: Number(now_ms),
      validMs: Math.max(100, left_ms),
      body,
    }));
  }

  async withWork(agentIds: readonly string[]): Promise<string[]> {
    await this.#pool.query(
      `UPDATE agent_command SET state = 'expired', code = 'COMMAND_EXPIRED'
       WHERE (state = 'wanted' AND created_at + valid_ms * interval '1 millisecond' <= now())
          OR (state = 'sent' AND created_at + valid_ms * interval '1 millisecond' + $1 * interval '1 minute' <= now())`,
      [MAX_WORK_MINUTES],
    );
    if (agentIds.length === 0) return [];
    const found = await this.#pool.query<{ agent_id: string }>(
      "SELECT DISTINCT agent_id FROM agent_command WHERE state = 'wanted' AND agent_id = ANY ($1)",
      [agentIds],
    );
    return found.rows.map((row) => row.agent_id);
  }

  /** The first reply stands; a late one is still the truth about what was done. */
  async writeReply(agentId: string, reply: CommandReply): Promise<boolean> {
    const written = await this.#pool.query(
      `UPDATE agent_command SET state = CASE WHEN $3 THEN 'done' ELSE 'failed' END, ok = $3, code = $4,
              message = $5, result = $6::jsonb, replied_at = now()
       WHERE id = $1 AND agent_id = $2 AND replied_at IS NULL`,
      [
        reply.commandId,
        agentId,
        reply.ok,
        reply.code ?? null,
        reply.message ?? null,
        reply.result === undefined ? null : JSON.stringify(reply.result),
      ],
    );
    return written.rowCount === 1;
  }
}
