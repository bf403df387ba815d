import { describe, expect, it } from "vitest";
import { everyNth, formatMot, framesOf, parseMot } from "./mot-format.ts";

describe("parseMot", () => {
  it("reads lines of a detection file", () => {
    expect(parseMot("4,-1,748.744,152.562,32.441,55.121,0.672558,-1,-1,-1\r\n\n")).toEqual([
      { frame: 4, id: -1, x: 748.744, y: 152.562, w: 32.441, h: 55.121, confidence: 0.672558 },
    ]);
  });

  it("names the line that is not one", () => {
    expect(() => parseMot("1,1,0,0,5,5,1\n1,1,zero,0,5,5,1", "gt.txt")).toThrow(/gt\.txt line 2/);
    for (const bad of [
      "1,1,0,0,5",
      "0,1,0,0,5,5,1",
      "1,1,0,0,-5,5,1",
      "1.5,1,0,0,5,5,1",
      "1,,0,0,5,5",
      "9e9,1,0,0,5,5",
      "<html>",
    ]) {
      expect(() => parseMot(bad)).toThrow(expect.objectContaining({ code: "MOT_FILE_INVALID" }));
    }
  });

  it("reads back what formatMot wrote", () => {
    const rows = [{ frame: 1, id: 3, x: 1.25, y: -2, w: 10, h: 20.5, confidence: 0.5 }];
    expect(parseMot(formatMot(rows))).toEqual(rows);
  });
});

describe("everyNth", () => {
  it("keeps the first frame and each n-th after it", () => {
    const rows = [1, 2, 3, 4, 5, 6, 7].map((frame) => ({
      frame,
      id: 1,
      x: 0,
      y: 0,
      w: 1,
      h: 1,
      confidence: 1,
    }));
    expect(everyNth(rows, 3).map(({ frame }) => frame)).toEqual([1, 4, 7]);
  });
});

describe("framesOf", () => {
  const rows = (...frames: number[]) =>
    frames.map((frame) => ({ frame, id: 1, x: 0, y: 0, w: 1, h: 1, confidence: 1 }));

  it("counts frames without detections as looked at, up to the last one", () => {
    expect(framesOf(rows(2, 3, 6))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it("takes a file of every third frame for what it is", () => {
    expect(framesOf(rows(4, 10, 13))).toEqual([1, 4, 7, 10, 13]);
    expect(framesOf(rows(2, 8, 11))).toEqual([2, 5, 8, 11]);
  });

  it("copes with one frame and with none", () => {
    expect(framesOf(rows(3))).toEqual([1, 2, 3]);
    expect(framesOf([])).toEqual([]);
  });
});
