import { HuishiError } from "@huishi/kernel";

/** What an installer scans: where the centre is, the one-time code, and by which authority to know the centre. */
export interface ClaimText {
  readonly code: string;
  /** Host and, where it is not 443, port of the centre's HTTPS. */
  readonly host: string;
  /** SHA-256 of the certificate authority's certificate (DER), 64 lower-case hex digits. */
  readonly fingerprint: string;
}

const PREFIX = "huishi-claim:v1:";
/** The host may hold colons (IPv6, port): code and fingerprint cannot. */
const FORM = /^huishi-claim:v1:([0-9A-Za-z-]{20,64}):([0-9A-Za-z.:[\]-]{1,259}):([0-9a-f]{64})$/;
export const MAX_CLAIM_TEXT = 420;

export const isClaimText = (text: string): boolean => text.startsWith("huishi-claim:");

/** `huishi-claim:v1:<code>:<host>:<fingerprint>`, for a QR code. */
export const buildClaimText = ({ code, host, fingerprint }: ClaimText): string =>
  `${PREFIX}${code}:${host}:${fingerprint}`;

/** @throws HuishiError CLAIM_TEXT_INVALID, without the text: it holds the code */
export function parseClaimText(text: string): ClaimText {
  const [, code, host, fingerprint] = (text.length <= MAX_CLAIM_TEXT && FORM.exec(text.trim())) || [];
  if (code === undefined || host === undefined || fingerprint === undefined || !isHost(host)) {
    throw new HuishiError("CLAIM_TEXT_INVALID", "this is no claim text of Huishi: copy all of it");
  }
  return { code, host, fingerprint };
}

function isHost(host: string): boolean {
  const address = `https://${host}/`;
  return URL.canParse(address) && new URL(address).pathname === "/" && new URL(address).username === "";
}

/** What an agent signs to show that the keys in its claim are its own. Base64url keys. */
export const claimProofText = (claim: { code: string; signKey: string; sealKey: string }): string =>
  ["huishi-claim-proof:v1", claim.code, claim.signKey, claim.sealKey].join("\n");

/** What an agent signs to change its secret. `secretHash`: SHA-256, hex. */
export const secretChangeText = (change: { agentId: string; secretHash: string; atMs: number }): string =>
  ["huishi-secret:v1", change.agentId, change.secretHash, String(change.atMs)].join("\n");

/** What a sealed camera account is good for, and nothing else. */
export const credentialContext = (agentId: string, cameraId: string): string =>
  `huishi-credential:v1:${agentId}:${cameraId}`;
