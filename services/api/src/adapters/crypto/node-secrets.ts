import { createHash, randomBytes } from "node:crypto";
import type { Secrets } from "../../application/secrets.ts";

/** The operating system's randomness and SHA-256 (FIPS 180-4). */
export const nodeSecrets: Secrets = {
  randomBytes: (count) => randomBytes(count),
  sha256: (text) => createHash("sha256").update(text, "utf8").digest(),
};
