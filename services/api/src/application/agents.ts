import {
  type Agent,
  buildClaimText,
  type Claim,
  type ClaimCode,
  claimProofText,
  type FoundDevice,
} from "@huishi/contracts";
import { type Clock, HuishiError, slugify } from "@huishi/kernel";
import { isSignedBy } from "@huishi/platform";
import { formatClaimCode, normaliseClaimCode } from "../domain/claim-code.ts";
import { newToken, type Secrets } from "./secrets.ts";

const CLAIM_CODE_MS = 15 * 60_000;
const CLAIM_CODE_BYTES = 16;

/** Public keys, raw. */
export interface AgentKeys {
  readonly sign: Buffer;
  readonly seal: Buffer;
}

export interface AgentStore {
  saveClaimCode(code: { codeHash: Buffer; expiresAtMs: number }): Promise<void>;
  /** Uses the code up and creates the agent in one transaction; false when no such code is open. */
  claim(claim: {
    codeHash: Buffer;
    agentId: string;
    name: string;
    secretHash: Buffer;
    nowMs: number;
    keys: AgentKeys | null;
  }): Promise<boolean>;
  listAgents(): Promise<Agent[]>;
  /** The latest 1,000 words first; of one agent, or of all. */
  listFoundDevices(agentId?: string): Promise<FoundDevice[]>;
}

export interface AgentsParts {
  readonly store: AgentStore;
  readonly secrets: Secrets;
  readonly clock: Clock;
  /** Where agents reach us by TLS, and the authority that they are to know us by. */
  readonly pin?: { readonly host: string; readonly fingerprint: string } | undefined;
}

/** A one-time code of 128 bit that is good for 15 minutes; stored as its digest. */
export async function issueCode({ store, secrets, clock, pin }: AgentsParts): Promise<ClaimCode> {
  const code = formatClaimCode(secrets.randomBytes(CLAIM_CODE_BYTES));
  const expiresAtMs = clock.nowMs() + CLAIM_CODE_MS;
  await store.saveClaimCode({ codeHash: secrets.sha256(normaliseClaimCode(code)), expiresAtMs });
  return { code, expiresAtMs, ...(pin && { claimText: buildClaimText({ code, ...pin }) }) };
}

/**
 * Exchanges a code for an identity. The secret (256 bit, base64url) is the agent's MQTT password; the centre
 * keeps its sha-256 alone.
 *
 * @throws HuishiError CLAIM_CODE_INVALID, CLAIM_PROOF_INVALID
 */
export async function claimAgent(
  { store, secrets, clock }: AgentsParts,
  request: { code: string; name: string; mqttUrl: string; keys?: ClaimKeys },
): Promise<Claim> {
  const keys = request.keys ? provenKeys(request.code, request.keys) : null;
  const { token: secret, tokenHash: secretHash } = newToken(secrets);
  const suffix = Buffer.from(secrets.randomBytes(4)).toString("hex");
  const agentId = `${slugify(request.name).slice(0, 40).replace(/-+$/, "") || "agent"}-${suffix}`;
  const codeHash = secrets.sha256(normaliseClaimCode(request.code));
  const claimed = await store.claim({
    codeHash,
    agentId,
    name: request.name,
    secretHash,
    nowMs: clock.nowMs(),
    keys,
  });
  if (!claimed) {
    throw new HuishiError(
      "CLAIM_CODE_INVALID",
      "The claim code is unknown, used or older than 15 minutes; ask an administrator for a new one.",
    );
  }
  return { agentId, secret, mqttUrl: request.mqttUrl };
}

interface ClaimKeys {
  readonly sign: string;
  readonly seal: string;
  readonly proof: string;
}

function provenKeys(code: string, { sign, seal, proof }: ClaimKeys): AgentKeys {
  const signKey = Buffer.from(sign, "base64url");
  const text = claimProofText({ code, signKey: sign, sealKey: seal });
  if (isSignedBy(signKey, text, Buffer.from(proof, "base64url"))) {
    return { sign: signKey, seal: Buffer.from(seal, "base64url") };
  }
  throw new HuishiError(
    "CLAIM_PROOF_INVALID",
    "The keys in the claim are not signed by the key that they name.",
  );
}
