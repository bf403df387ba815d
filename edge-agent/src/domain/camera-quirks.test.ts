import { expect, test } from "vitest";
import { quirksOf, tellsOfLockOut } from "./camera-quirks.ts";

test.each([
  [423, ""],
  [429, ""],
  [400, "<env:Value>ter:AccountLocked</env:Value>"],
  [401, "<lockStatus>lock</lockStatus>"],
  [403, "User is locked"],
  [undefined, "Too many failed login attempts"],
  [401, "帐号已被锁定"],
])("status %s with %j is a lock-out", (status, text) => expect(tellsOfLockOut(status, text)).toBe(true));

test.each([
  [401, "Sender not authorized"],
  [401, "<lockStatus>unlock</lockStatus>"],
  [403, "Forbidden"],
  [400, "ter:NotAuthorized"],
])("status %s with %j is none", (status, text) => expect(tellsOfLockOut(status, text)).toBe(false));

test("quirks are found by manufacturer", () => {
  expect(quirksOf("Sony Corporation", "SNC-1").splitsMoves).toBe(true);
  expect(quirksOf("Other")).toEqual({});
});
