import type { AgentConfig, AgentConfigRecord, AgentDetail, AgentStatus } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import { createHash } from "node:crypto";
import type { AgentControlStore } from "../../application/agent-control.ts";

interface DetailRow {
  readonly id: string;
  readonly name: string;
  readonly online: boolean;
  readonly status: AgentStatus | null;
  readonly status_at: Date | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
  readonly cameras: number;
  readonly revision: string | null;
}

interface KeyRow {
  readonly kind: "sign" | "seal";
  readonly key_id: string;
  readonly public_key: Buffer;
  readonly created_at: Date;
}

interface ConfigRow {
  readonly document: AgentConfig | null;
  readonly changed_at: Date | null;
  readonly changed_by: string | null;
  readonly applied_revision: string | null;
  readonly applied_state: "applied" | "refused" | null;
  readonly applied_code: string | null;
  readonly applied_message: string | null;
  readonly applied_at: Date | null;
}

/** Configurations, keys and secrets' digests of agents. */
export class PostgresAgentControlStore implements AgentControlStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async agentDetail(agentId: string): Promise<AgentDetail | null> {
    const found = await this.#pool.query<DetailRow>(
      `SELECT a.id, a.name, a.online, a.status, a.status_at, a.created_at, a.revoked_at, c.revision,
              (SELECT count(*)::int FROM camera WHERE agent_id = a.id) AS cameras
       FROM agent a LEFT JOIN agent_config c ON c.agent_id = a.id WHERE a.id = $1`,
      [agentId],
    );
    const row = found.rows[0];
    if (!row) return null;
    const keys = await this.#pool.query<KeyRow>(
      "SELECT kind, key_id, public_key, created_at FROM agent_key WHERE agent_id = $1 AND revoked_at IS NULL ORDER BY kind, created_at",
      [agentId],
    );
    return {
      id: row.id,
      name: row.name,
      online: row.online,
      statusAtMs: row.status_at?.getTime() ?? null,
      createdAtMs: row.created_at.getTime(),
      revoked: row.revoked_at !== null,
      cameras: row.cameras,
      configRevision: row.revision === null ? null : Number(row.revision),
      status: row.status,
      keys: keys.rows.map(({ kind, key_id, public_key, created_at }) => ({
        kind,
        keyId: key_id,
        fingerprint: createHash("sha256").update(public_key).digest("hex"),
        createdAtMs: created_at.getTime(),
      })),
    };
  }

  async configOf(agentId: string): Promise<AgentConfigRecord | null> {
    const found = await this.#pool.query<ConfigRow>(
      `SELECT c.document, c.changed_at, c.changed_by, c.applied_revision, c.applied_state, c.applied_code,
              c.applied_message, c.applied_at
       FROM agent a LEFT JOIN agent_config c ON c.agent_id = a.id WHERE a.id = $1`,
      [agentId],
    );
    const row = found.rows[0];
    if (!row) return null;
    return {
      config: row.document,
      changedAtMs: row.changed_at?.getTime() ?? null,
      changedBy: row.changed_by,
      state: stateOf(row),
    };
  }

  async saveConfig(change: {
    agentId: string;
    expectedRevision: number;
    config: AgentConfig;
    by: string;
  }): Promise<boolean> {
    const { agentId, expectedRevision, config, by } = change;
    const values = [agentId, config.revision, JSON.stringify(config), by];
    const saved =
      expectedRevision === 0
        ? await this.#pool.query(
            `INSERT INTO agent_config (agent_id, revision, document, changed_by) VALUES ($1, $2, $3, $4)
             ON CONFLICT (agent_id) DO NOTHING`,
            values,
          )
        : await this.#pool.query(
            `UPDATE agent_config SET revision = $2, document = $3, changed_by = $4, changed_at = now()
             WHERE agent_id = $1 AND revision = $5`,
            [...values, expectedRevision],
          );
    return saved.rowCount === 1;
  }

  async keyOf(agentId: string, kind: "sign" | "seal"): Promise<Uint8Array | null> {
    const found = await this.#pool.query<{ public_key: Buffer }>(
      `SELECT public_key FROM agent_key WHERE agent_id = $1 AND kind = $2 AND revoked_at IS NULL
       ORDER BY created_at DESC LIMIT 1`,
      [agentId, kind],
    );
    return found.rows[0]?.public_key ?? null;
  }

  async saveNextSecret(agentId: string, secretHash: Uint8Array, atMs: number): Promise<boolean> {
    const saved = await this.#pool.query(
      `UPDATE agent SET next_secret_hash = $2, secret_changed_at = $3
       WHERE id = $1 AND revoked_at IS NULL AND coalesce(secret_changed_at < $3, true)`,
      [agentId, secretHash, new Date(atMs)],
    );
    return saved.rowCount === 1;
  }

  async revoke(agentId: string): Promise<boolean> {
    const revoked = await this.#pool.query(
      `WITH keys AS (UPDATE agent_key SET revoked_at = now() WHERE agent_id = $1 AND revoked_at IS NULL)
       UPDATE agent SET revoked_at = coalesce(revoked_at, now()), next_secret_hash = NULL WHERE id = $1`,
      [agentId],
    );
    return revoked.rowCount === 1;
  }
}

function stateOf(row: ConfigRow): AgentConfigRecord["state"] {
  if (row.applied_state === null || row.applied_at === null) return null;
  return {
    revision: Number(row.applied_revision),
    state: row.applied_state,
    atMs: row.applied_at.getTime(),
    ...(row.applied_code === null ? {} : { code: row.applied_code }),
    ...(row.applied_message === null ? {} : { message: row.applied_message }),
  };
}
