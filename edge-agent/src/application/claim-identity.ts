import type { Claim } from "@huishi/contracts";
import { type BackoffOptions, backoffDelayMs, sleep } from "@huishi/kernel";
import { EdgeError, edgeFaultCode } from "../domain/faults.ts";
import type { Log } from "./ports.ts";

/** Who this agent is, and where it reports to. Kept by its own state folder only. */
export interface Identity extends Claim {
  /** What the agent is changing to: not known yet whether the centre has heard of it. */
  readonly nextSecret?: string;
}

export interface IdentityStore {
  load(): Promise<Identity | null>;
  save(identity: Identity): Promise<void>;
}

/** Asks the centre for an identity. Throws CLAIM_REFUSED for a code it does not take, SERVER_UNREACHABLE else. */
export type ClaimRequester = (signal: AbortSignal) => Promise<Identity>;

const RETRY: BackoffOptions = { baseDelayMs: 1_000, maxDelayMs: 30_000 };

/**
 * The agent's identity: the stored one, else one claimed with the one-time code, as often as it takes until
 * the centre is there. A refused code ends it: it will not become right.
 */
export async function obtainIdentity(options: {
  readonly store: IdentityStore;
  readonly claim: ClaimRequester | null;
  readonly log: Log;
  readonly signal: AbortSignal;
}): Promise<Identity> {
  const stored = await options.store.load();
  if (stored) return stored;
  if (!options.claim) throw new EdgeError("CLAIM_MISSING", "this agent was never claimed");
  for (let attempt = 0; ; attempt++) {
    try {
      const identity = await options.claim(options.signal);
      await options.store.save(identity);
      options.log.info({ agentId: identity.agentId }, "agent claimed");
      return identity;
    } catch (error) {
      options.signal.throwIfAborted();
      if (edgeFaultCode(error) !== "SERVER_UNREACHABLE") throw error;
      const retryDelayMs = backoffDelayMs(attempt, RETRY, Math.random);
      options.log.warn({ err: error, retryDelayMs }, "the centre cannot be reached to claim this agent");
      await sleep(retryDelayMs, options.signal);
    }
  }
}
