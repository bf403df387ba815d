import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { checkUsernameToken, parseDurationMs } from "./soap.ts";
import { child, parseXml } from "./xml.ts";

const NOW = Date.parse("2026-05-01T00:00:00Z");

function header(password: string, createdMs = NOW, username = "user", type = "#PasswordDigest") {
  const created = new Date(createdMs).toISOString();
  const nonce = Buffer.from("0123456789abcdef");
  const digest = createHash("sha1").update(nonce).update(created).update(password).digest("base64");
  const xml = `<h><Security><UsernameToken><Username>${username}</Username><Password Type="http://x${type}">${digest}</Password><Nonce>${nonce.toString("base64")}</Nonce><Created>${created}</Created></UsernameToken></Security></h>`;
  return parseXml(xml);
}

describe("WS-UsernameToken", () => {
  const credentials = { username: "user", password: "secret" };
  it("accepts the right digest within five minutes", () => {
    expect(checkUsernameToken(header("secret"), credentials, NOW)).toBe("accepted");
    expect(checkUsernameToken(header("secret", NOW - 200_000), credentials, NOW)).toBe("accepted");
  });

  it("refuses a wrong password, user, form, and an old token", () => {
    expect(checkUsernameToken(header("other"), credentials, NOW)).toBe("wrong");
    expect(checkUsernameToken(header("secret", NOW, "admin"), credentials, NOW)).toBe("wrong");
    expect(checkUsernameToken(header("secret", NOW - 400_000), credentials, NOW)).toBe("wrong");
    expect(checkUsernameToken(header("secret", NOW, "user", "#PasswordText"), credentials, NOW)).toBe(
      "wrong",
    );
    expect(checkUsernameToken(child(header("secret"), "Nothing"), credentials, NOW)).toBe("missing");
  });
});

describe("parseDurationMs", () => {
  it("reads durations and absolute times", () => {
    expect(parseDurationMs("PT1M30S", NOW)).toBe(90_000);
    expect(parseDurationMs("PT0.5S", NOW)).toBe(500);
    expect(parseDurationMs("P1DT1H", NOW)).toBe(25 * 3600_000);
    expect(parseDurationMs("2026-05-01T00:01:00Z", NOW)).toBe(60_000);
    expect(parseDurationMs("P", NOW)).toBeUndefined();
    expect(parseDurationMs("soon", NOW)).toBeUndefined();
    expect(parseDurationMs(undefined, NOW)).toBeUndefined();
  });
});
