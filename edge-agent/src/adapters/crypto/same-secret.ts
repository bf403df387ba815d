import { createHash, timingSafeEqual } from "node:crypto";

/** Compares secrets of any length in a time that tells nothing of them. */
export function isSameSecret(given: string | Uint8Array, right: string | Uint8Array): boolean {
  const digest = (secret: string | Uint8Array): Buffer => createHash("sha256").update(secret).digest();
  return timingSafeEqual(digest(given), digest(right));
}
