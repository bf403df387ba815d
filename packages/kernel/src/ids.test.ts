import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isId, slugify } from "./ids.ts";

describe("slugify", () => {
  it("keeps what can stand in a topic", () => {
    expect(slugify("Axis P3245 (north)")).toBe("axis-p3245-north");
    expect(slugify("海边")).toBe("");
  });

  it("gives an id or nothing for any text", () => {
    fc.assert(fc.property(fc.string(), (text) => slugify(text) === "" || isId(slugify(text))));
  });
});
