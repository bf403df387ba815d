import { describe, expect, test } from "vitest";
import { faultWords } from "./checks/finding.ts";
import { judgeClock } from "./checks/centre-checks.ts";
import { judgeRoom } from "./checks/machine-checks.ts";
import { plainText } from "./terminal.ts";
import { languageOf } from "./texts.ts";

describe("what the installer's commands judge", () => {
  test("a clock is in order within 2 s, doubtful to a minute, wrong beyond, either way", () => {
    const centreMs = Date.UTC(2026, 0, 1);
    const levelOf = (offMs: number) => judgeClock(centreMs, centreMs + 500 + offMs).level;
    expect([0, 1_999, -1_999].map(levelOf)).toEqual(["ok", "ok", "ok"]);
    expect([2_000, -59_999].map(levelOf)).toEqual(["warn", "warn"]);
    expect([60_000, -60_000].map(levelOf)).toEqual(["fail", "fail"]);
    expect(judgeClock(NaN, centreMs).level).toBe("warn");
  });

  test("a disk is in order from 2 GiB, full below a quarter of one", () => {
    const levels = [2 * 1024 ** 3, 2 * 1024 ** 3 - 1, 1024 ** 3 / 4 - 1].map(
      (bytes) => judgeRoom(bytes).level,
    );
    expect(levels).toEqual(["ok", "warn", "fail"]);
  });

  test("what was seen is told in both languages, the system's own faults too", () => {
    expect(judgeRoom(3 * 1024 ** 3).saw).toEqual({ en: "3.0 GiB free", zh: "剩余 3.0 GiB" });
    expect(judgeClock(0, 5_500).saw).toEqual({ en: "ahead by about 5.0 s", zh: "约快 5.0 秒" });
    const refused = Object.assign(new Error("connect ECONNREFUSED 10.0.0.7:80"), { code: "ECONNREFUSED" });
    const ours = new Error("the centre does not answer", { cause: refused });
    for (const error of [refused, ours]) expect(faultWords(error).zh).toContain("没有监听此端口");
    expect(faultWords(AbortSignal.abort(new DOMException("late", "TimeoutError")).reason).zh).toBe(
      "等待应答超时",
    );
    expect(faultWords(new Error("odd"))).toEqual({ en: "odd", zh: "odd" });
    expect(faultWords(undefined).en).toBe("undefined");
  });

  test("what a device calls itself cannot steer the terminal", () => {
    expect(plainText("gate\u001b[2J\r\nroot\u202e")).toBe("gate·[2J··root·");
  });

  test("the language follows LC_ALL before LANG", () => {
    expect(languageOf({ LANG: "zh_CN.UTF-8" })).toBe("zh");
    expect(languageOf({ LANG: "zh_CN.UTF-8", LC_ALL: "C" })).toBe("en");
    expect(languageOf({})).toBe("en");
  });
});
