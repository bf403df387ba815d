import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signWith,
  verify as verifyWith,
} from "node:crypto";

const KEY_BYTES = 32;
/** DER before the raw key (RFC 8410 §4, §7). */
const ED25519_SPKI = Buffer.from("302a300506032b6570032100", "hex");
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");

export interface SignKeyPair {
  /** 32 bytes, Ed25519. */
  readonly publicKey: Buffer;
  /** 32 bytes; never leaves its owner. */
  readonly privateKey: Buffer;
}

export function newSignKeyPair(): SignKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  return {
    publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-KEY_BYTES),
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).subarray(-KEY_BYTES),
  };
}

/** Ed25519 (RFC 8032); 64 bytes. */
export function signMessage({ privateKey }: SignKeyPair, message: string): Buffer {
  const key = createPrivateKey({
    key: Buffer.concat([ED25519_PKCS8, privateKey]),
    format: "der",
    type: "pkcs8",
  });
  return signWith(null, Buffer.from(message, "utf8"), key);
}

/** False for a key that is none, too. */
export function isSignedBy(publicKey: Uint8Array, message: string, signature: Uint8Array): boolean {
  try {
    const key = createPublicKey({
      key: Buffer.concat([ED25519_SPKI, publicKey]),
      format: "der",
      type: "spki",
    });
    return verifyWith(null, Buffer.from(message, "utf8"), key, signature);
  } catch {
    return false;
  }
}

/** Names a public key: the first 16 hex digits of its SHA-256. */
export const keyIdOf = (publicKey: Uint8Array): string =>
  createHash("sha256").update(publicKey).digest("hex").slice(0, 16);
