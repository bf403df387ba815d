import type { Priority } from "@huishi/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type ArrangementFacts, arrangeTiles, assignTile, layoutFor, LAYOUTS } from "./tile-arrangement.ts";

const facts = (change: Partial<ArrangementFacts>): ArrangementFacts => ({
  layout: 4,
  pinned: new Map(),
  previous: [],
  cameraIds: ["a", "b", "c", "d", "e", "f"],
  alarmed: new Map(),
  ...change,
});
const alarmed = (entries: Record<string, Priority>): Map<string, Priority> =>
  new Map(Object.entries(entries));

describe("arrangeTiles", () => {
  it("fills the tiles in order and leaves the rest empty", () => {
    expect(arrangeTiles(facts({}))).toEqual(["a", "b", "c", "d"]);
    expect(arrangeTiles(facts({ cameraIds: ["a"] }))).toEqual(["a", null, null, null]);
  });

  it("moves nobody who already stands somewhere", () => {
    const previous = ["c", "a", null, "e"];
    expect(arrangeTiles(facts({ previous }))).toEqual(["c", "a", "b", "e"]);
    expect(arrangeTiles(facts({ previous: ["gone", "a", "b", "c"] }))).toEqual(["d", "a", "b", "c"]);
  });

  it("keeps what was put there by hand", () => {
    expect(arrangeTiles(facts({ pinned: new Map([[2, "f"]]), previous: ["f", "a", "b", "c"] }))).toEqual([
      "b",
      "a",
      "f",
      "c",
    ]);
  });

  it("brings a camera with an alarm onto the wall, in place of the last quiet one", () => {
    const previous = ["a", "b", "c", "d"];
    expect(arrangeTiles(facts({ previous, alarmed: alarmed({ f: "P2" }) }))).toEqual(["a", "b", "c", "f"]);
    expect(arrangeTiles(facts({ previous, alarmed: alarmed({ f: "P2", d: "P1" }) }))).toEqual([
      "a",
      "b",
      "f",
      "d",
    ]);
  });

  it("never takes a tile from a pinned or an equally urgent camera", () => {
    const previous = ["a", "b", "c", "d"];
    const all = alarmed({ a: "P2", b: "P2", c: "P2", f: "P2" });
    expect(arrangeTiles(facts({ previous, pinned: new Map([[3, "d"]]), alarmed: all }))).toEqual(previous);
  });

  it("shows no camera twice and only known ones, whatever the facts are", () => {
    const id: fc.Arbitrary<string> = fc.constantFrom("a", "b", "c", "d", "e", "f", "g", "h");
    const priority = fc.constantFrom<Priority>("P1", "P2", "P3", "P4");
    fc.assert(
      fc.property(
        fc.constantFrom(...LAYOUTS),
        fc.array(fc.tuple(fc.nat(16), id)),
        fc.array(fc.option(id), { maxLength: 16 }),
        fc.uniqueArray(id),
        fc.array(fc.tuple(id, priority)),
        (layout, pins, previous, cameraIds, alarms) => {
          const tiles = arrangeTiles({
            layout,
            pinned: new Map(pins),
            previous,
            cameraIds,
            alarmed: new Map(alarms.filter(([alarmedId]) => cameraIds.includes(alarmedId))),
          });
          const shown = tiles.filter((tile) => tile !== null);
          expect(tiles).toHaveLength(layout);
          expect(new Set(shown).size).toBe(shown.length);
          expect(shown.every((tile) => cameraIds.includes(tile))).toBe(true);
          expect(shown.length).toBe(Math.min(layout, cameraIds.length));
        },
      ),
    );
  });
});

describe("layoutFor", () => {
  it("fits the number of cameras until somebody chooses", () => {
    expect([0, 1, 2, 4, 5, 10, 40].map((count) => layoutFor(null, count))).toEqual([1, 1, 4, 4, 9, 16, 16]);
    expect(layoutFor(9, 1)).toBe(9);
  });
});

describe("assignTile", () => {
  it("exchanges two tiles when the camera is already on the wall", () => {
    const { tiles, pinned } = assignTile(["a", "b", "c", "d"], new Map(), { position: 0, cameraId: "c" });
    expect(tiles).toEqual(["c", "b", "a", "d"]);
    expect([...pinned]).toEqual([[0, "c"]]);
  });

  it("replaces whoever stood there when the camera comes from outside", () => {
    expect(assignTile(["a", "b", "c", "d"], new Map(), { position: 1, cameraId: "f" }).tiles).toEqual([
      "a",
      "f",
      "c",
      "d",
    ]);
  });

  it("carries the displaced camera's pin to its new place", () => {
    const { pinned } = assignTile(["a", "b"], new Map([[0, "a"]]), { position: 0, cameraId: "b" });
    expect(new Map(pinned)).toEqual(
      new Map([
        [1, "a"],
        [0, "b"],
      ]),
    );
  });
});
