import type { Agent, FoundDevice } from "@huishi/contracts";
import { keyIdOf, type Pool, withTransaction } from "@huishi/platform";
import type { AgentKeys, AgentStore } from "../../application/agents.ts";

interface AgentRow {
  readonly id: string;
  readonly name: string;
  readonly online: boolean;
  readonly status_at: Date | null;
  readonly created_at: Date;
  readonly revoked_at: Date | null;
  readonly cameras: number;
}

interface FoundDeviceRow {
  readonly agent_id: string;
  readonly device_key: string;
  readonly how: FoundDevice["how"];
  readonly address: string;
  readonly onvif_url: string | null;
  readonly rtsp_port: number | null;
  readonly name: string | null;
  readonly hardware: string | null;
  readonly first_at: Date;
  readonly told_at: Date;
  readonly gone: boolean;
  readonly adopted: boolean;
}
const MAX_FOUND_DEVICES = 1_000;

/** Agents, and the one-time codes that claim them. */
export class PostgresAgentStore implements AgentStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async saveClaimCode(code: { codeHash: Buffer; expiresAtMs: number }): Promise<void> {
    await this.#pool.query("INSERT INTO agent_claim (code_hash, expires_at) VALUES ($1, $2)", [
      code.codeHash,
      new Date(code.expiresAtMs),
    ]);
  }

  claim(claim: {
    codeHash: Buffer;
    agentId: string;
    name: string;
    secretHash: Buffer;
    nowMs: number;
    keys: AgentKeys | null;
  }): Promise<boolean> {
    return withTransaction(this.#pool, async (client) => {
      const used = await client.query(
        "UPDATE agent_claim SET used_at = $2 WHERE code_hash = $1 AND used_at IS NULL AND expires_at > $2",
        [claim.codeHash, new Date(claim.nowMs)],
      );
      if (used.rowCount !== 1) return false;
      await client.query("INSERT INTO agent (id, name, secret_hash) VALUES ($1, $2, $3)", [
        claim.agentId,
        claim.name,
        claim.secretHash,
      ]);
      await client.query("UPDATE agent_claim SET agent_id = $2 WHERE code_hash = $1", [
        claim.codeHash,
        claim.agentId,
      ]);
      for (const kind of ["sign", "seal"] as const) {
        const key = claim.keys?.[kind];
        if (!key) continue;
        await client.query(
          "INSERT INTO agent_key (agent_id, kind, key_id, public_key) VALUES ($1, $2, $3, $4)",
          [claim.agentId, kind, keyIdOf(key), key],
        );
      }
      return true;
    });
  }

  async listAgents(): Promise<Agent[]> {
    const found = await this.#pool.query<AgentRow>(
      `SELECT a.id, a.name, a.online, a.status_at, a.created_at, a.revoked_at,
              (SELECT count(*)::int FROM camera c WHERE c.agent_id = a.id) AS cameras
       FROM agent a ORDER BY a.created_at, a.id`,
    );
    return found.rows.map((row) => ({
      id: row.id,
      name: row.name,
      online: row.online,
      statusAtMs: row.status_at?.getTime() ?? null,
      createdAtMs: row.created_at.getTime(),
      revoked: row.revoked_at !== null,
      cameras: row.cameras,
    }));
  }

  async listFoundDevices(agentId?: string): Promise<FoundDevice[]> {
    const found = await this.#pool.query<FoundDeviceRow>(
      `SELECT f.*, EXISTS (SELECT FROM camera c WHERE c.agent_id = f.agent_id AND c.address = f.address) AS adopted
       FROM found_device f WHERE $1::text IS NULL OR f.agent_id = $1
       ORDER BY f.told_at DESC, f.device_key LIMIT ${MAX_FOUND_DEVICES}`,
      [agentId ?? null],
    );
    return found.rows.map((row) => ({
      agentId: row.agent_id,
      deviceKey: row.device_key,
      how: row.how,
      address: row.address,
      onvifUrl: row.onvif_url,
      rtspPort: row.rtsp_port,
      name: row.name,
      hardware: row.hardware,
      state: row.adopted ? "adopted" : row.gone ? "gone" : "quarantined",
      firstAtMs: row.first_at.getTime(),
      toldAtMs: row.told_at.getTime(),
    }));
  }
}
