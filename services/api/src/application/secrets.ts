/** Randomness and digests, handed in so that use cases can be driven by plain values. */
export interface Secrets {
  randomBytes(count: number): Uint8Array;
  sha256(text: string): Buffer;
}

/** A random token of `bytes` bytes as base64url, and the digest under which it is stored. */
export function newToken(secrets: Secrets, bytes = 32): { token: string; tokenHash: Buffer } {
  const token = Buffer.from(secrets.randomBytes(bytes)).toString("base64url");
  return { token, tokenHash: secrets.sha256(token) };
}
