import { createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { connectFields, readCreds } from "./nats-credentials.ts";

/** A seed of the nkeys documentation's form, made for this test; its public key stands for nobody. */
const SEED = seedOf(Buffer.alloc(32, 7));
const creds = (seed: string): string => `-----BEGIN NATS USER JWT-----
eyJ0eXAiOiJKV1QifQ.eyJuYW1lIjoiYSJ9.c2ln
------END NATS USER JWT------

************************* IMPORTANT *************************
NKEY Seed printed below can be used to sign and prove identity.

-----BEGIN USER NKEY SEED-----
${seed}
------END USER NKEY SEED------
`;

/** nkeys: two prefix bytes, the seed, CRC-16, in base 32. */
function seedOf(raw: Buffer): string {
  const [seed, user] = [18 << 3, 20 << 3];
  const body = Buffer.concat([Buffer.from([seed | (user >> 5), (user & 31) << 3]), raw]);
  let crc = 0;
  for (const byte of body) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1) & 0xffff;
  }
  const bytes = Buffer.concat([body, Buffer.from([crc & 0xff, crc >> 8])]);
  let bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  bits = bits.padEnd(Math.ceil(bits.length / 5) * 5, "0");
  return bits
    .match(/.{5}/g)!
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[Number.parseInt(five, 2)])
    .join("");
}

describe("NATS credentials", () => {
  it("signs the server's nonce with the user's key", () => {
    expect(SEED).toMatch(/^SU/);
    const credentials = readCreds(creds(SEED));
    const fields = connectFields(credentials, "nonce-of-the-server");
    expect(fields["jwt"]).toBe("eyJ0eXAiOiJKV1QifQ.eyJuYW1lIjoiYSJ9.c2ln");
    if (credentials.kind !== "creds") throw new Error("not creds");
    const publicKey = createPublicKey(credentials.key);
    const signature = Buffer.from(fields["sig"] ?? "", "base64url");
    expect(verify(null, Buffer.from("nonce-of-the-server"), publicKey, signature)).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a seed that is cut", creds(SEED.slice(0, -1))],
    [
      "a seed with a wrong letter",
      creds(`${SEED.slice(0, 20)}${SEED[20] === "A" ? "B" : "A"}${SEED.slice(21)}`),
    ],
    ["a seed of another kind", creds(SEED.replace(/^SU/, "SA"))],
  ])("refuses %s and shows nothing of it", (_, text) => {
    expect(() => readCreds(text)).toThrow(expect.objectContaining({ code: "NATS_CREDENTIALS_INVALID" }));
    try {
      readCreds(text);
    } catch (error) {
      expect(String(error)).not.toContain(SEED.slice(2, 12));
    }
  });
});
