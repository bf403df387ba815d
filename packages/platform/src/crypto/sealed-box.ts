import { HuishiError } from "@huishi/kernel";
import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";

const VERSION = 1;
const KEY_BYTES = 32;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_BYTES + IV_BYTES;
const INFO = "huishi sealed box 1";
/** DER before the raw key (RFC 8410 §4, §7). */
const X25519_SPKI = Buffer.from("302a300506032b656e032100", "hex");
const X25519_PKCS8 = Buffer.from("302e020100300506032b656e04220420", "hex");

export interface SealKeyPair {
  /** 32 bytes, X25519. */
  readonly publicKey: Buffer;
  /** 32 bytes; never leaves its owner. */
  readonly privateKey: Buffer;
}

export function newSealKeyPair(): SealKeyPair {
  const { publicKey, privateKey } = generateKeyPairSync("x25519");
  return {
    publicKey: publicKey.export({ format: "der", type: "spki" }).subarray(-KEY_BYTES),
    privateKey: privateKey.export({ format: "der", type: "pkcs8" }).subarray(-KEY_BYTES),
  };
}

/**
 * Seals a message to a public key: only the owner of the private one can open it, the sealer neither. An ephemeral
 * X25519 key agrees on a secret (RFC 7748 §6.1), HKDF-SHA-256 (RFC 5869) makes a key of it that is bound to both
 * public keys, AES-256-GCM encrypts.
 *
 * Layout: version (1 byte), ephemeral public key (32), iv (12), ciphertext, tag (16).
 *
 * @param context what the message is for; opening it for anything else fails
 */
export function seal(publicKey: Uint8Array, message: Uint8Array, context: string): Buffer {
  const ephemeral = newSealKeyPair();
  const key = sharedKey(ephemeral.privateKey, publicKey, [ephemeral.publicKey, publicKey]);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(context, "utf8"));
  const encrypted = Buffer.concat([cipher.update(message), cipher.final()]);
  return Buffer.concat([Buffer.of(VERSION), ephemeral.publicKey, iv, encrypted, cipher.getAuthTag()]);
}

/** @throws HuishiError SEAL_BROKEN for anything that was not sealed to this key and context, without saying why */
export function openSealed(keys: SealKeyPair, sealed: Uint8Array, context: string): Buffer {
  const bytes = Buffer.from(sealed);
  try {
    if (bytes.byteLength < HEADER_BYTES + TAG_BYTES || bytes[0] !== VERSION) throw new Error("no sealed box");
    const ephemeral = bytes.subarray(1, 1 + KEY_BYTES);
    const key = sharedKey(keys.privateKey, ephemeral, [ephemeral, keys.publicKey]);
    const iv = bytes.subarray(1 + KEY_BYTES, HEADER_BYTES);
    const decipher = createDecipheriv("aes-256-gcm", key, iv, { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(context, "utf8"));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    return Buffer.concat([decipher.update(bytes.subarray(HEADER_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new HuishiError("SEAL_BROKEN", "the sealed message cannot be opened");
  }
}

function sharedKey(
  privateKey: Uint8Array,
  publicKey: Uint8Array,
  parties: readonly Uint8Array[],
): Uint8Array {
  // Node refuses an all-zero result, as RFC 7748 §6.1 asks for keys of small order.
  const secret = diffieHellman({ privateKey: privateOf(privateKey), publicKey: publicOf(publicKey) });
  return new Uint8Array(hkdfSync("sha256", secret, Buffer.concat(parties), INFO, KEY_BYTES));
}

const publicOf = (raw: Uint8Array): KeyObject =>
  createPublicKey({ key: Buffer.concat([X25519_SPKI, raw]), format: "der", type: "spki" });
const privateOf = (raw: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([X25519_PKCS8, raw]), format: "der", type: "pkcs8" });
