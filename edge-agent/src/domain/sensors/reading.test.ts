import fc from "fast-check";
import { expect, test } from "vitest";
import { parsePointer, valueAt } from "./json-pointer.ts";
import { observationTime, parseObservationTime } from "./observation-time.ts";
import { rawNumber } from "./raw-value.ts";
import { parseTopicFilter, TopicTree } from "./topic-filter.ts";

test("pointers reach what RFC 6901 §5 says", () => {
  const document = { foo: ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, " ": 7, "c%d": 2 };
  const at = (pointer: string): unknown => valueAt(document, parsePointer(pointer));
  expect([at("/foo/0"), at("/"), at("/a~1b"), at("/m~0n"), at("/ "), at("/c%d")]).toEqual([
    "bar",
    0,
    1,
    8,
    7,
    2,
  ]);
  expect(at("")).toBe(document);
  expect([at("/foo/2"), at("/foo/01"), at("/foo/length"), at("/none/deeper"), at("/__proto__")]).toEqual(
    Array(5).fill(undefined),
  );
  expect(() => parsePointer("foo")).toThrow(expect.objectContaining({ code: "SENSOR_CONFIG_INVALID" }));
  expect(() => parsePointer("/a~2")).toThrow(expect.objectContaining({ code: "SENSOR_CONFIG_INVALID" }));
});

test("a pointer finds any member of any object", () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 5 }), fc.integer(), (names, value) => {
      const document = names.reduceRight<unknown>(
        (inner, name) => Object.fromEntries([[name, inner]]),
        value,
      );
      const pointer = names.map((name) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
      expect(valueAt(document, parsePointer(pointer))).toBe(value);
    }),
  );
});

test("numbers, numeric texts and booleans are values, anything else is not", () => {
  expect([
    rawNumber(3.5),
    rawNumber(" -2.5e1 "),
    rawNumber("+.5"),
    rawNumber(true),
    rawNumber(false),
  ]).toEqual([3.5, -25, 0.5, 1, 0]);
  expect([rawNumber(undefined), rawNumber(null)]).toEqual([null, null]);
  for (const bad of ["", "12abc", "0x10", "1e999", "NaN", "1,5", {}, [], "9".repeat(41)]) {
    expect(rawNumber(bad)).toBe("unusable");
  }
});

const NOW = Date.UTC(2026, 5, 1, 12);

test("times come as milliseconds, seconds or ISO 8601", () => {
  for (const given of [NOW, NOW / 1_000, String(NOW), "2026-06-01T12:00:00Z", "2026-06-01T20:00:00+08:00"]) {
    expect(parseObservationTime(given)).toBe(NOW);
  }
  expect(parseObservationTime("2026-06-01 12:00:00.000000")).toBe(NOW);
  for (const bad of ["yesterday", "", -1, Number.NaN, true, null, "2026-13-01T00:00:00Z"]) {
    expect(parseObservationTime(bad)).toBeNull();
  }
});

test("a time in the future or absurdly old gives way to when the value came", () => {
  expect(observationTime(undefined, NOW)).toEqual({ atMs: NOW, origin: "arrival" });
  expect(observationTime(NOW - 5_000, NOW)).toEqual({ atMs: NOW - 5_000, origin: "sensor" });
  for (const wrong of [NOW + 3_600_000, 0, 1, "1970-01-01T00:00:07Z", "soon", null]) {
    expect(observationTime(wrong, NOW)).toEqual({ atMs: NOW, origin: "replaced" });
  }
});

test("topics reach whom they are mapped to, + stands for one level", () => {
  const tree = new TopicTree<string>();
  tree.add(parseTopicFilter("site/+/level"), "any");
  tree.add(parseTopicFilter("site/river/level"), "river");
  expect(tree.find("site/river/level").sort()).toEqual(["any", "river"]);
  expect(tree.find("site/tide/level")).toEqual(["any"]);
  expect([tree.find("site/level"), tree.find("site/a/b/level"), tree.find("$SYS/a/level")]).toEqual([
    [],
    [],
    [],
  ]);
  for (const bad of ["#", "a/#", "a/b+", "$SYS/a", "a//b", "a/b/c/d/e/f/g/h/i"]) {
    expect(() => parseTopicFilter(bad)).toThrow(expect.objectContaining({ code: "SENSOR_CONFIG_INVALID" }));
  }
});
