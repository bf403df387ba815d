import { createHash, randomBytes } from "node:crypto";
import type { Pool } from "@huishi/platform";

export interface TestAgent {
  readonly id: string;
  /** The MQTT password. */
  readonly secret: string;
}

let counter = 0;
const nextId = (kind: string): string => `${kind}-${(counter += 1)}-${randomBytes(3).toString("hex")}`;

/** Writes an agent as a claim would have made it. */
export async function createAgent(pool: Pool, id: string = nextId("agent")): Promise<TestAgent> {
  const secret = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(secret).digest();
  await pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ($1, $1, $2)", [id, hash]);
  return { id, secret };
}

export interface TestCamera {
  readonly id: string;
  /** The narrow key that detections and tracks use. */
  readonly no: number;
}

/** Writes a camera of that agent. */
export async function createCamera(
  pool: Pool,
  agentId: string,
  id: string = nextId("camera"),
): Promise<TestCamera> {
  const result = await pool.query<{ no: number }>(
    "INSERT INTO camera (id, agent_id, name, condition) VALUES ($1, $2, $1, 'online') RETURNING no",
    [id, agentId],
  );
  return { id, no: (result.rows[0] as { no: number }).no };
}
