import type { ClaimCode } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { createPool, type Pool } from "@huishi/platform";
import { nodeSecrets } from "./adapters/crypto/node-secrets.ts";
import { PostgresAgentStore } from "./adapters/postgres/agent-store.ts";
import { PostgresIdentityStore } from "./adapters/postgres/identity-store.ts";
import { issueCode } from "./application/agents.ts";
import { newToken } from "./application/secrets.ts";

/**
 * A one-time token (256 bit, 24 hours) for the link that creates the first administrator; null when there is
 * one already. Tokens issued before are void.
 */
export function issueSetupToken(databaseUrl: string): Promise<string | null> {
  return withPool(databaseUrl, async (pool) => {
    const { token, tokenHash } = newToken(nodeSecrets);
    return (await new PostgresIdentityStore(pool).replaceSetupToken(tokenHash)) ? token : null;
  });
}

/** A one-time claim code for an agent that the launcher starts itself (128 bit, 15 minutes). */
export function issueClaimCode(databaseUrl: string): Promise<ClaimCode> {
  return withPool(databaseUrl, (pool) =>
    issueCode({ store: new PostgresAgentStore(pool), secrets: nodeSecrets, clock: systemClock }),
  );
}

async function withPool<T>(databaseUrl: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool(databaseUrl, { max: 1, applicationName: "huishi-first-keys" });
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}
