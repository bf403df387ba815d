import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type AccessUnit,
  AccessUnitAssembler,
  decodeAccessUnit,
  encodeAccessUnit,
  fragmentAccessUnit,
  MAX_FRAGMENT_BYTES,
  readFragment,
} from "./media-framing.ts";

const ramp = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255);
const accessUnit = fc.record<AccessUnit>({
  codec: fc.constantFrom("h264", "h265"),
  keyframe: fc.boolean(),
  discontinuity: fc.boolean(),
  unitNumber: fc.integer({ min: 0, max: 0xffffffff }),
  capturedAtMs: fc.integer({ min: 0, max: 8e12 }),
  ptsMs: fc.integer({ min: 0, max: 0xffffffff }),
  data: fc.integer({ min: 1, max: 200_000 }).map((size) => ramp.subarray(0, size)),
});

const unit = (unitNumber: number, size = 100_000): AccessUnit => ({
  codec: "h264",
  keyframe: true,
  discontinuity: false,
  unitNumber,
  capturedAtMs: 1,
  ptsMs: 1,
  data: new Uint8Array(size).fill(unitNumber),
});

/** toEqual walks large arrays element by element; bytes are compared as bytes. */
function expectSame(actual: AccessUnit | null | undefined, expected: AccessUnit): void {
  expect({ ...actual, data: null }).toEqual({ ...expected, data: null });
  expect(Buffer.compare(actual?.data ?? Buffer.alloc(0), expected.data)).toBe(0);
}

describe("media framing", () => {
  it("brings any access unit back from its fragments", () => {
    fc.assert(
      fc.property(accessUnit, (original) => {
        const assembler = new AccessUnitAssembler();
        const fragments = fragmentAccessUnit(original);
        expect(fragments.every((fragment) => fragment.byteLength <= MAX_FRAGMENT_BYTES)).toBe(true);
        const results = fragments.map((fragment) => assembler.push(fragment));
        expect(results.slice(0, -1).every((result) => result === null)).toBe(true);
        expectSame(results.at(-1), original);
      }),
      { numRuns: 50 },
    );
  });

  it("brings any access unit back from its socket form", () => {
    fc.assert(
      fc.property(accessUnit, (original) =>
        expectSame(decodeAccessUnit(encodeAccessUnit(original)), original),
      ),
      { numRuns: 30 },
    );
  });

  it("drops a unit with a lost fragment and marks the next one", () => {
    const assembler = new AccessUnitAssembler();
    const broken = fragmentAccessUnit(unit(1));
    expect(assembler.push(broken[0]!)).toBeNull();
    const whole = fragmentAccessUnit(unit(2)).map((fragment) => assembler.push(fragment));
    expect(whole.at(-1)).toMatchObject({ unitNumber: 2, discontinuity: true });
    expect(assembler.droppedUnits).toBe(1);
  });

  it("marks a unit that follows a wholly lost one", () => {
    const assembler = new AccessUnitAssembler();
    for (const fragment of fragmentAccessUnit(unit(1, 10))) assembler.push(fragment);
    expect(assembler.push(fragmentAccessUnit(unit(3, 10))[0]!)).toMatchObject({ discontinuity: true });
    expect(assembler.push(fragmentAccessUnit(unit(4, 10))[0]!)).toMatchObject({ discontinuity: false });
  });

  it("answers garbage with MEDIA_HEADER and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          readFragment(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "MEDIA_HEADER" });
        }
      }),
    );
  });

  it("refuses an empty unit", () => {
    expect(() => fragmentAccessUnit(unit(1, 0))).toThrowError(
      expect.objectContaining({ code: "MEDIA_UNIT_SIZE" }),
    );
  });
});
