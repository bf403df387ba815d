import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  annexBToAvcc,
  avccToAnnexB,
  extractParameterSets,
  isKeyframe,
  joinAnnexB,
  joinAvcc,
  splitAvcc,
  splitNals,
  unescapeNal,
  withDelimiter,
} from "./annexb.ts";

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** NAL units as an encoder writes them: no start code inside, no zero byte at the end (7.4.1). */
const nalArbitrary = fc
  .tuple(
    fc.integer({ min: 1, max: 31 }),
    fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3), fc.nat(255)), { maxLength: 60 }),
  )
  .map(([type, payload]) => {
    const out = [type];
    let zeros = 0;
    for (const byte of payload) {
      if (zeros >= 2 && byte <= 3) {
        out.push(3);
        zeros = 0;
      }
      out.push(byte);
      zeros = byte === 0 ? zeros + 1 : 0;
    }
    if (out.at(-1) === 0) out.push(0x80);
    return Uint8Array.from(out);
  });

describe("Annex B", () => {
  it("splits at 3-byte and 4-byte start codes and drops trailing zeros", () => {
    const stream = bytes(0, 0, 0, 1, 0x67, 1, 2, 0, 0, 1, 0x68, 9, 0, 0, 0, 0, 1, 0x65, 7);
    expect(splitNals(stream)).toEqual([bytes(0x67, 1, 2), bytes(0x68, 9), bytes(0x65, 7)]);
  });

  it("gives no unit for bytes without a start code", () => {
    expect(splitNals(bytes(1, 2, 3, 0, 0))).toEqual([]);
    expect(splitNals(bytes())).toEqual([]);
    expect(splitNals(bytes(0, 0, 1))).toEqual([]);
  });

  it("gets the same units back through Annex B and through AVCC", () => {
    fc.assert(
      fc.property(fc.array(nalArbitrary, { minLength: 1, maxLength: 8 }), (nals) => {
        const annexB = joinAnnexB(nals);
        expect(splitNals(annexB)).toEqual(nals);
        expect(splitAvcc(joinAvcc(nals))).toEqual(nals);
        expect(avccToAnnexB(annexBToAvcc(annexB))).toEqual(annexB);
      }),
    );
  });

  it("never fails on arbitrary bytes, and refuses lengths that reach past the end with a code", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (garbage) => {
        for (const nal of splitNals(garbage)) expect(nal.length).toBeGreaterThan(0);
        try {
          splitAvcc(garbage);
        } catch (error) {
          expect(error).toMatchObject({ code: "NAL_INVALID" });
        }
      }),
    );
  });

  it("recognises a keyframe behind delimiter, parameter sets and SEI", () => {
    const idr = joinAnnexB([bytes(9, 0xf0), bytes(0x67, 1), bytes(0x68, 1), bytes(6, 1), bytes(0x65, 1)]);
    const predicted = joinAnnexB([bytes(9, 0xf0), bytes(0x41, 1)]);
    expect(isKeyframe(idr)).toBe(true);
    expect(isKeyframe(predicted)).toBe(false);
    expect(extractParameterSets(idr)).toEqual({ sps: bytes(0x67, 1), pps: bytes(0x68, 1) });
    expect(extractParameterSets(predicted)).toBeUndefined();
  });

  it("adds an access unit delimiter only where none is", () => {
    const plain = joinAnnexB([bytes(0x41, 1)]);
    const delimited = withDelimiter(plain);
    expect(splitNals(delimited)).toEqual([bytes(9, 0xf0), bytes(0x41, 1)]);
    expect(withDelimiter(delimited)).toBe(delimited);
  });

  it("removes emulation prevention bytes", () => {
    expect(unescapeNal(bytes(0x67, 0, 0, 3, 1, 0, 0, 3))).toEqual(bytes(0x67, 0, 0, 1, 0, 0));
  });
});
