// The edge agent's identity belongs to one database. Where that database is another one or a new one, the identity is
// worth nothing, and the agent claims a new one.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Queryable } from "./demo-rule.ts";

/** Removes the identity that the agent has stored when the database does not know it, or has it revoked. */
export async function dropStaleIdentity(database: Queryable, agentStateDir: string): Promise<void> {
  const file = join(agentStateDir, "identity.json");
  const agentId = await storedAgentId(file);
  if (agentId === null) return;
  const { rows } = await database.query("SELECT 1 FROM agent WHERE id = $1 AND revoked_at IS NULL", [
    agentId,
  ]);
  if (rows.length === 0) await rm(file);
}

async function storedAgentId(file: string): Promise<string | null> {
  try {
    const { agentId } = JSON.parse(await readFile(file, "utf8")) as { agentId?: unknown };
    return typeof agentId === "string" ? agentId : null;
  } catch {
    return null;
  }
}
