import { expect, it } from "vitest";
import { samplingOf } from "./sampling.ts";
import { rule } from "./test-support/tracks.ts";

const parking = rule({ kind: "dwell", persistenceMs: 300_000 });

it("takes keyframes alone where every rule is about what stands still for long", () => {
  expect(samplingOf([parking, rule({ kind: "abandoned_object", persistenceMs: 60_000 })], 5)).toEqual({
    kind: "keyframes",
  });
});

it("takes frames a second as soon as one enabled rule is about what moves, or decides quickly", () => {
  const every = { kind: "fps", fps: 5 };
  expect(samplingOf([parking, rule({ kind: "intrusion" })], 5)).toEqual(every);
  expect(samplingOf([rule({ kind: "dwell", persistenceMs: 10_000 })], 5)).toEqual(every);
  expect(samplingOf([parking, rule({ kind: "intrusion", enabled: false })], 5)).toEqual({
    kind: "keyframes",
  });
  expect(samplingOf([], 5)).toEqual(every);
});
