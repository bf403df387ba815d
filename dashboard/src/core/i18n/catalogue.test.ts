import { describe, expect, it } from "vitest";
import { chooseLanguage, createWords } from "./catalogue.ts";
import { en } from "./en.ts";
import { zhCn } from "./zh-cn.ts";

type Entry = [path: string, value: string | ((...args: string[]) => string)];
function entries(node: object, path = ""): Entry[] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]): Entry[] =>
    typeof value === "object" && value !== null
      ? entries(value, `${path}.${key}`)
      : [[`${path}.${key}`, value as Entry[1]]],
  );
}
const english = new Map(entries(en));
const chinese = new Map(entries(zhCn));
const HAN = /\p{Script=Han}/u;
/** Entries that are the same in both languages. */
const SIGNS = new Set([".languageName", ".common.none", ".alarms.occurrences", ".editor.summary"]);

describe("catalogues", () => {
  it("have the same keys", () => expect([...chinese.keys()].sort()).toEqual([...english.keys()].sort()));

  it("say the same with the same values in it, each in its own script", () => {
    const written = (entry: Entry[1] | undefined): string =>
      typeof entry === "function" ? entry("%1", "%2", "%3") : (entry ?? "");
    for (const [path, entry] of english) {
      const [inEnglish, inChinese] = [written(entry), written(chinese.get(path))];
      expect(typeof chinese.get(path), path).toBe(typeof entry);
      expect(inChinese.match(/%\d/g)?.sort() ?? [], path).toEqual(inEnglish.match(/%\d/g)?.sort() ?? []);
      expect(inChinese === "", path).toBe(inEnglish === "");
      if (SIGNS.has(path) || inEnglish === "") continue;
      expect(inChinese, path).toMatch(HAN);
      expect(inEnglish, path).not.toMatch(HAN);
    }
  });
});

describe("chooseLanguage", () => {
  it("remembers, then listens to the browser, then speaks English", () => {
    expect(chooseLanguage("en", ["zh-CN"])).toBe("en");
    expect(chooseLanguage(null, ["fr", "zh-Hant-TW", "en"])).toBe("zh-CN");
    expect(chooseLanguage("tlh", ["en-GB"])).toBe("en");
    expect(chooseLanguage(null, [])).toBe("en");
  });
});

describe("words", () => {
  const words = createWords("en", en);
  it("writes ages that people can read", () => {
    expect(words.age(3_900)).toBe("3 s");
    expect(words.age(61_000)).toBe("1 min 1 s");
    expect(words.age(3_600_000 + 120_000)).toBe("1 h 2 min");
    expect(words.age(90_000_000)).toBe("1 d 1 h");
    expect(words.age(-50)).toBe("0 s");
  });

  it("shows a class or a code that it does not know as it is", () => {
    expect(words.alarmClass("moon_landing")).toBe("moon_landing");
    expect(words.error("MOON", "The moon is full.")).toBe("The moon is full.");
    expect(createWords("zh-CN", zhCn).alarmClass("intrusion")).toBe("区域入侵");
  });

  it("translates what simulated cameras say of themselves, and nothing that a person wrote", () => {
    const chinese = createWords("zh-CN", zhCn);
    expect(chinese.note("demo footage")).toBe("演示录像");
    expect(chinese.note("plays vtest.avi")).toBe("播放 vtest.avi");
    expect(chinese.note("ask for the key")).toBe("ask for the key");
  });

  it("names the days from Monday on", () => expect(words.weekday(1)).toBe("Mon"));
});
