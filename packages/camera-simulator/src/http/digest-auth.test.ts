import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DigestAuthenticator, REALM, parseAuthParameters } from "./digest-auth.ts";

const md5 = (text: string): string => createHash("md5").update(text).digest("hex");

function make(startMs = 1_000_000) {
  let nowMs = startMs;
  const authenticator = new DigestAuthenticator(
    { username: "user", password: "pa:ss" },
    new Uint8Array(32).fill(7),
    () => nowMs,
  );
  const nonce = parseAuthParameters(authenticator.challenge()).get("nonce") as string;
  return { authenticator, nonce, later: (ms: number) => (nowMs += ms) };
}

function answer(
  nonce: string,
  { password = "pa:ss", username = "user", method = "DESCRIBE", qop = true } = {},
): string {
  const secret = md5(`${username}:${REALM}:${password}`);
  const request = md5(`${method}:rtsp://camera/main`);
  const middle = qop ? `${nonce}:00000001:abc:auth` : nonce;
  const extra = qop ? ', qop=auth, nc=00000001, cnonce="abc"' : "";
  return `Digest username="${username}", realm="${REALM}", nonce="${nonce}", uri="rtsp://camera/main", response="${md5(`${secret}:${middle}:${request}`)}"${extra}`;
}

describe("digest authentication", () => {
  it("accepts the right password with qop (RFC 7616) and without (RFC 2069)", () => {
    const { authenticator, nonce } = make();
    expect(authenticator.check(answer(nonce), "DESCRIBE")).toBe("accepted");
    expect(authenticator.check(answer(nonce, { qop: false }), "DESCRIBE")).toBe("accepted");
  });

  it("refuses a wrong password, user, method, and a nonce that it did not make", () => {
    const { authenticator, nonce } = make();
    expect(authenticator.check(answer(nonce, { password: "no" }), "DESCRIBE")).toBe("wrong");
    expect(authenticator.check(answer(nonce, { username: "admin" }), "DESCRIBE")).toBe("wrong");
    expect(authenticator.check(answer(nonce), "PLAY")).toBe("wrong");
    expect(authenticator.check(answer("f4240-made-up"), "DESCRIBE")).toBe("stale");
  });

  it("asks again, without a failure, when the nonce is old", () => {
    const { authenticator, nonce, later } = make();
    later(6 * 60_000);
    expect(authenticator.check(answer(nonce), "DESCRIBE")).toBe("stale");
    expect(authenticator.challenge(true)).toContain("stale=true");
  });

  it("takes Basic only where it is allowed", () => {
    const { authenticator } = make();
    const basic = `Basic ${Buffer.from("user:pa:ss").toString("base64")}`;
    expect(authenticator.check(basic, "GET", true)).toBe("accepted");
    expect(authenticator.check(basic, "GET")).toBe("missing");
    expect(authenticator.check(`Basic ${Buffer.from("user:x").toString("base64")}`, "GET", true)).toBe(
      "wrong",
    );
  });

  it("accepts nothing else, whatever the header", () => {
    const { authenticator } = make();
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("", "Digest ", "Basic "), (text, scheme) => {
        expect(authenticator.check(`${scheme}${text}`, "GET", true)).not.toBe("accepted");
      }),
    );
  });
});
