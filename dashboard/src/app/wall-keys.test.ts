import { describe, expect, it } from "vitest";
import { wallKey } from "./wall-keys.ts";

const press = (key: string, change = {}) =>
  wallKey({ key, ctrlKey: false, metaKey: false, altKey: false, ...change }, false);

describe("wallKey", () => {
  it("gives the layouts to the number keys", () => {
    expect(["1", "2", "3", "4"].map((key) => press(key))).toEqual([
      { kind: "layout", layout: 1 },
      { kind: "layout", layout: 4 },
      { kind: "layout", layout: 9 },
      { kind: "layout", layout: 16 },
    ]);
  });

  it("acknowledges with one key, in either case", () => {
    expect(press("a")).toEqual({ kind: "move", move: "acknowledge" });
    expect(press("A")).toEqual({ kind: "move", move: "acknowledge" });
  });

  it("leaves the browser's own keys and the fields of forms alone", () => {
    expect(press("a", { ctrlKey: true })).toBeNull();
    expect(press("f", { metaKey: true })).toBeNull();
    expect(wallKey({ key: "a", ctrlKey: false, metaKey: false, altKey: false }, true)).toBeNull();
    expect(press("q")).toBeNull();
  });
});
