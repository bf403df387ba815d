import {
  CertificateAuthority,
  type Claim,
  ClaimResponse,
  claimProofText,
  secretChangeText,
} from "@huishi/contracts";
import { messageOf } from "@huishi/kernel";
import { signMessage } from "@huishi/platform";
import { createHash, X509Certificate } from "node:crypto";
import { Check } from "typebox/value";
import { EdgeError } from "../../domain/faults.ts";
import type { AgentKeys } from "../state-files/agent-keys-file.ts";
import { requestJson } from "./json-request.ts";

/** The centre is busy or starting: the code may still be good. */
const RETRY_STATUS = new Set([404, 408, 425, 429]);

/** The centre's HTTP: claiming, and what an agent changes of itself. */
export interface CentrePlace {
  readonly serverUrl: string;
  /** PEM; for `https:`. */
  readonly ca?: string | undefined;
}

/**
 * Claims this agent at the centre (`POST /api/v1/agents/claim`), with its public keys and the proof that they are its
 * own. The code goes in the body, never in a URL.
 *
 * @throws EdgeError CLAIM_REFUSED, SERVER_UNREACHABLE
 */
export async function claimAgent(
  options: CentrePlace & { readonly code: string; readonly name: string; readonly keys: AgentKeys },
  signal: AbortSignal,
): Promise<Claim> {
  const { code, name, keys, ca } = options;
  const url = new URL("/api/v1/agents/claim", options.serverUrl);
  const [signKey, sealKey] = [keys.sign, keys.seal].map(({ publicKey }) =>
    publicKey.toString("base64url"),
  ) as [string, string];
  const proof = signMessage(keys.sign, claimProofText({ code, signKey, sealKey })).toString("base64url");
  const claim = { code, name, keys: { sign: signKey, seal: sealKey, proof } };
  const { status, body } = await requestJson({ url, body: claim, ca }, signal);
  if (status >= 500 || RETRY_STATUS.has(status)) throw unreachable(url, `status ${status}`);
  if (status < 200 || status >= 300) {
    throw new EdgeError("CLAIM_REFUSED", `the centre refused the claim code (status ${status})`, {
      details: { status },
    });
  }
  if (!Check(ClaimResponse, body)) throw unreachable(url, "the answer is not one of a Huishi centre");
  return body;
}

/**
 * The centre's certificate authority, known by its fingerprint: from whomever it comes, it is the right one or refused.
 *
 * @returns PEM
 * @throws EdgeError SERVER_UNREACHABLE, SERVER_PIN_MISMATCH
 */
export async function fetchAuthority(
  serverUrl: string,
  fingerprint: string,
  signal: AbortSignal,
): Promise<string> {
  const url = new URL("/api/v1/ca", serverUrl);
  const { status, body } = await requestJson({ url, unverified: true }, signal);
  if (status >= 500 || RETRY_STATUS.has(status) || !Check(CertificateAuthority, body))
    throw unreachable(url, `status ${status}`);
  let authority: X509Certificate;
  try {
    authority = new X509Certificate(body.pem);
  } catch (cause) {
    throw unreachable(url, messageOf(cause));
  }
  if (createHash("sha256").update(authority.raw).digest("hex") === fingerprint) return authority.toString();
  throw new EdgeError("SERVER_PIN_MISMATCH", `the certificate authority of ${url.host} is not the claim's`);
}

/**
 * Tells the centre the digest of this agent's next secret, signed by its key.
 *
 * @throws EdgeError SECRET_NOT_CHANGED (the centre said no), SERVER_UNREACHABLE (it may have heard it)
 */
export async function announceSecret(
  options: CentrePlace & { readonly agentId: string; readonly secret: string; readonly keys: AgentKeys },
  nowMs: number,
  signal: AbortSignal,
): Promise<void> {
  const { agentId, secret, keys, ca } = options;
  const url = new URL(`/api/v1/agents/${agentId}/secret`, options.serverUrl);
  const secretHash = createHash("sha256").update(secret).digest("hex");
  const text = secretChangeText({ agentId, secretHash, atMs: nowMs });
  const signature = signMessage(keys.sign, text).toString("base64url");
  const { status } = await requestJson({ url, body: { secretHash, atMs: nowMs, signature }, ca }, signal);
  if (status >= 200 && status < 300) return;
  if (status >= 400 && status < 500 && !RETRY_STATUS.has(status))
    throw new EdgeError("SECRET_NOT_CHANGED", `the centre refused the new secret (status ${status})`);
  throw unreachable(url, `status ${status}`);
}

function unreachable(url: URL, why: string): EdgeError {
  return new EdgeError("SERVER_UNREACHABLE", `the centre at ${url.origin} does not answer (${why})`);
}
