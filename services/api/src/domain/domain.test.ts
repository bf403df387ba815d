import { ALARM_STATES } from "@huishi/contracts";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideMove, legalMoves } from "./alarm-moves.ts";
import { isOwnOrigin, isSameOrigin } from "./browser-trust.ts";
import { formatClaimCode, normaliseClaimCode } from "./claim-code.ts";
import { compareCursors, formatCursor, parseCursor } from "./cursor.ts";
import { Backlog, MEDIA_PAUSE_BYTES, MediaPace } from "./media-pace.ts";
import { isAllowed, RIGHTS } from "./rights.ts";
import { type AttemptRecord, decideAttempt, FREE_FAILURES, lockAfter, NO_ATTEMPTS } from "./sign-in-lock.ts";
import { TokenBucket } from "./token-bucket.ts";

describe("alarm moves", () => {
  it("name the state and what is legal when they are refused", () => {
    expect(decideMove("new", "acknowledge")).toEqual({ legal: true, to: "acknowledged" });
    expect(decideMove("acknowledged", "acknowledge")).toEqual({
      legal: false,
      state: "acknowledged",
      legalMoves: ["falseAlarm"],
    });
    expect(ALARM_STATES.map((state) => legalMoves(state).length)).toEqual([2, 1, 0]);
  });
});

describe("rights", () => {
  it("let an administrator do everything and an operator view, steer and move alarms", () => {
    expect(RIGHTS.filter((right) => isAllowed("administrator", right))).toEqual([...RIGHTS]);
    expect(RIGHTS.filter((right) => isAllowed("operator", right))).toEqual(["view", "moveAlarms", "steer"]);
  });
});

describe("the sign-in lock", () => {
  it("closes after five failures and doubles up to a quarter of an hour", () => {
    let record: AttemptRecord = NO_ATTEMPTS;
    let nowMs = 0;
    const locks: number[] = [];
    for (let i = 0; i < 14; i++) {
      const decision = decideAttempt(record, nowMs);
      if (!decision.allowed) throw new Error("the lock should be over");
      record = decision.record;
      const lockMs = record.lockedUntilMs === null ? 0 : record.lockedUntilMs - nowMs;
      if (lockMs > 0)
        expect(decideAttempt(record, nowMs + lockMs - 1)).toEqual({ allowed: false, retryAfterMs: 1 });
      locks.push(lockMs / 1000);
      nowMs += lockMs;
    }
    expect(locks).toEqual([0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900, 900, 900, 900]);
    expect(lockAfter(FREE_FAILURES - 1)).toBe(0);
  });
});

describe("cursors", () => {
  it("survive being written and read, and order as (tx, id)", () => {
    const cursors = fc.record({
      tx: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      id: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    });
    fc.assert(
      fc.property(cursors, cursors, (a, b) => {
        expect(parseCursor(formatCursor(a))).toEqual(a);
        expect(Math.sign(compareCursors(a, b))).toBe(-Math.sign(compareCursors(b, a)) + 0);
      }),
    );
  });

  it.each(["", "1", "-1-1", "1-1-1", "99999999999999999999-0", "1-9223372036854775808", "x-1"])(
    "are refused when they are none: %s",
    (text) => {
      expect(() => parseCursor(text)).toThrow(expect.objectContaining({ code: "VALIDATION_FAILED" }));
    },
  );
});

describe("claim codes", () => {
  it("carry all 128 bits and are read back however they are typed", () => {
    const bytes = fc.uint8Array({ minLength: 16, maxLength: 16 });
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const code = formatClaimCode(a);
        expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){5}[0-9A-HJKMNP-TV-Z]$/);
        expect(normaliseClaimCode(code.toLowerCase().replaceAll("-", " ").replaceAll("0", "o"))).toBe(
          normaliseClaimCode(code),
        );
        expect(formatClaimCode(b) === code).toBe(Buffer.from(a).equals(b));
      }),
    );
  });
});

describe("the pace of live pictures", () => {
  it("never gives a picture whose references are missing, and marks each gap", () => {
    const units = fc.array(
      fc.record({ keyframe: fc.boolean(), backlog: fc.integer({ min: 0, max: 2 * MEDIA_PAUSE_BYTES }) }),
    );
    fc.assert(
      fc.property(units, (sequence) => {
        const pace = new MediaPace();
        let isWhole = false;
        let hadGap = false;
        for (const { keyframe, backlog } of sequence) {
          const verdict = pace.decide(keyframe, backlog);
          if (verdict === "drop") {
            hadGap ||= isWhole;
            isWhole = false;
            continue;
          }
          expect(backlog).toBeLessThanOrEqual(MEDIA_PAUSE_BYTES);
          if (!isWhole) expect(keyframe).toBe(true);
          if (hadGap) expect(verdict).toBe("sendAfterGap");
          isWhole = true;
          hadGap = false;
        }
      }),
    );
  });

  it("tells how long the oldest byte has waited", () => {
    const backlog = new Backlog();
    backlog.queued(100);
    expect(backlog.tick(1_000, 100)).toBe(0);
    backlog.queued(100);
    expect(backlog.tick(2_000, 150)).toBe(1_000);
    expect(backlog.tick(3_000, 90)).toBe(1_000);
    expect(backlog.tick(4_000, 0)).toBe(0);
    backlog.queued(10);
    expect(backlog.tick(9_000, 10)).toBe(0);
  });
});

describe("the token bucket", () => {
  it("lets a burst through, then the steady rate", () => {
    const bucket = new TokenBucket({ perSecond: 2, burst: 3, nowMs: 0 });
    expect([1, 2, 3, 4].map(() => bucket.take(0))).toEqual([true, true, true, false]);
    expect([bucket.take(500), bucket.take(500)]).toEqual([true, false]);
  });
});

describe("a browser's own page", () => {
  it("is known by Origin and Fetch Metadata; agents without either are let through", () => {
    const host = "wall.example:8080";
    const same = (origin?: string, secFetchSite?: string): boolean =>
      isSameOrigin({ host, origin, secFetchSite }, null);
    expect(same()).toBe(true);
    expect(same("http://wall.example:8080", "same-origin")).toBe(true);
    expect(same("http://wall.example", undefined)).toBe(false);
    expect(same("http://wall.example:8080", "cross-site")).toBe(false);
    expect(same("null")).toBe(false);
    expect(
      isOwnOrigin({ origin: "https://city.example", host: "10.0.0.5:3000" }, "https://city.example"),
    ).toBe(true);
  });
});
