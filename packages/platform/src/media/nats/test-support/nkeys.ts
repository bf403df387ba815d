/** Keys and JWTs as `nsc` makes them, for tests. */
import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";

const PREFIX = { operator: 14 << 3, account: 0, user: 20 << 3 } as const;
const SEED_PREFIX = 18 << 3;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

export interface Nkey {
  readonly seed: string;
  /** The public key in its text form. */
  readonly name: string;
  readonly key: KeyObject;
}

export function makeNkey(kind: keyof typeof PREFIX, raw = randomBytes(32)): Nkey {
  const prefix = PREFIX[kind];
  const der = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), raw]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  const publicRaw = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const head = Buffer.from([SEED_PREFIX | (prefix >> 5), (prefix & 31) << 3]);
  return {
    seed: encode(Buffer.concat([head, raw])),
    name: encode(Buffer.concat([Buffer.from([prefix]), publicRaw])),
    key,
  };
}

/** A JWT on `subject`, signed by `issuer` (NATS JWT v2). */
export function makeJwt(issuer: Nkey, subject: Nkey, nats: Readonly<Record<string, unknown>>): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    jti: randomBytes(16).toString("hex"),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.name,
    sub: subject.name,
    name: "test",
    nats: { version: 2, ...nats },
  };
  const body = `${part({ typ: "JWT", alg: "ed25519-nkey" })}.${part(claims)}`;
  return `${body}.${sign(null, Buffer.from(body), issuer.key).toString("base64url")}`;
}

export function credsFile(jwt: string, seed: string): string {
  return `-----BEGIN NATS USER JWT-----
${jwt}
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;
}

/** RFC 4648 §6 of the bytes and their CRC-16/XMODEM. */
function encode(body: Buffer): string {
  let crc = 0;
  for (const byte of body) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  const bytes = Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]);
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  return (bits.match(/.{1,5}/g) ?? [])
    .map((five) => ALPHABET[Number.parseInt(five.padEnd(5, "0"), 2)])
    .join("");
}
