import { createPublicKey, verify } from "node:crypto";
import { describe, expect, it } from "vitest";
import { connectFields, readCreds } from "./nats-credentials.ts";
import { credsFile, makeJwt, makeNkey } from "./test-support/nkeys.ts";

const account = makeNkey("account");
const user = makeNkey("user");
const jwt = makeJwt(account, user, { type: "user" });
const { seed } = user;
const replaced = (at: number): string =>
  `${seed.slice(0, at)}${seed[at] === "A" ? "B" : "A"}${seed.slice(at + 1)}`;

describe("NATS credentials", () => {
  it("signs the server's nonce with the user's key", () => {
    expect(seed).toMatch(/^SU/);
    const fields = connectFields(readCreds(credsFile(jwt, seed)), "nonce-of-the-server");
    expect(fields["jwt"]).toBe(jwt);
    const signature = Buffer.from(fields["sig"] ?? "", "base64url");
    const publicKey = createPublicKey(user.key);
    expect(verify(null, Buffer.from("nonce-of-the-server"), publicKey, signature)).toBe(true);
  });

  it.each([
    ["nothing", ""],
    ["a seed that is cut", credsFile(jwt, seed.slice(0, -1))],
    ["a seed with a wrong letter", credsFile(jwt, replaced(20))],
    ["a seed with a letter that there is not", credsFile(jwt, `${seed.slice(0, 20)}1${seed.slice(21)}`)],
    ["an account's seed", credsFile(jwt, account.seed)],
  ])("refuses %s and shows nothing of it", (_, text) => {
    let said = "";
    try {
      readCreds(text);
    } catch (error) {
      expect(error).toMatchObject({ code: "NATS_CREDENTIALS_INVALID" });
      said = String(error);
    }
    expect(said).not.toBe("");
    expect(said).not.toContain(seed.slice(2, 12));
  });
});
