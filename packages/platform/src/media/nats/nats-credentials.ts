import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import { HuishiError } from "@huishi/kernel";

/** Who we are to the NATS server; nothing of it is ever logged or stands in an argument. */
export type NatsCredentials =
  | { readonly kind: "none" }
  | { readonly kind: "password"; readonly user: string; readonly password: string }
  | { readonly kind: "creds"; readonly jwt: string; readonly key: KeyObject };

/** PKCS #8 of an Ed25519 private key is this and the 32 bytes of its seed (RFC 8410 §7). */
const ED25519_PKCS8 = Buffer.from("302e020100300506032b657004220420", "hex");
/** First five bits `S` (seed), the next byte's worth `U` (user): nkeys, `PrefixByteSeed` 18 << 3, `PrefixByteUser` 20 << 3. */
const SEED_PREFIX = 18 << 3;
const USER_PREFIX = 20 << 3;

/**
 * Reads a `.creds` file as `nsc` writes it: a JWT and the seed of the user's key, each in a block of its own.
 *
 * @throws HuishiError NATS_CREDENTIALS_INVALID, which shows nothing of the file
 */
export function readCreds(text: string): NatsCredentials {
  const blocks = [...text.matchAll(/-{3,}BEGIN [A-Z ]+-{3,}\s*([\w.=-]+)\s*-{3,}END [A-Z ]+-{3,}/g)];
  const [jwt, seed] = blocks.map((block) => block[1]);
  if (jwt === undefined || seed === undefined) throw invalid();
  return { kind: "creds", jwt, key: keyOfSeed(seed) };
}

/** What goes into CONNECT beside the fixed fields. */
export function connectFields(
  credentials: NatsCredentials,
  nonce: string | undefined,
): Record<string, string> {
  if (credentials.kind === "none") return {};
  if (credentials.kind === "password") return { user: credentials.user, pass: credentials.password };
  const sig = sign(null, Buffer.from(nonce ?? ""), credentials.key).toString("base64url");
  return { jwt: credentials.jwt, sig };
}

function keyOfSeed(seed: string): KeyObject {
  const bytes = base32(seed);
  const isSeed = bytes.byteLength === 36 && ((bytes[0] ?? 0) & 0xf8) === SEED_PREFIX;
  const kind = (((bytes[0] ?? 0) & 7) << 5) | (((bytes[1] ?? 0) & 0xf8) >> 3);
  if (!isSeed || kind !== USER_PREFIX || crc16(bytes.subarray(0, 34)) !== bytes.readUInt16LE(34))
    throw invalid();
  const der = Buffer.concat([ED25519_PKCS8, bytes.subarray(2, 34)]);
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

/** RFC 4648 §6, without padding. */
function base32(text: string): Buffer {
  const bytes: number[] = [];
  let bits = 0;
  let value = 0;
  for (const letter of text.replace(/=+$/, "")) {
    const digit = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(letter);
    if (digit < 0) throw invalid();
    value = ((value << 5) | digit) & 0xfff;
    bits += 5;
    if (bits < 8) continue;
    bits -= 8;
    bytes.push((value >> bits) & 0xff);
  }
  return Buffer.from(bytes);
}

/** CRC-16/XMODEM, the last two bytes of an nkey. */
function crc16(bytes: Uint8Array): number {
  let crc = 0;
  for (const byte of bytes) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  return crc;
}

function invalid(): HuishiError {
  return new HuishiError(
    "NATS_CREDENTIALS_INVALID",
    "the NATS credentials file holds no user JWT and seed: make it anew with nsc",
  );
}
