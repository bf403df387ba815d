import * as fc from "fast-check";
import { expect, test } from "vitest";
import { PictureAssembler } from "./picture-assembler.ts";

const line = (pts: number): string => `frame:0    pts:${pts}     pts_time:${pts / 1000}\nsampled=1\n`;

test("pictures and times meet in order, however the pipes cut them and whichever comes first", () => {
  fc.assert(
    fc.property(
      fc.array(fc.nat(255), { minLength: 1, maxLength: 8 }),
      fc.infiniteStream(fc.nat(13)),
      (values, cuts) => {
        const seen: [number, number][] = [];
        const assembler = new PictureAssembler(6, ({ ptsMs, data }) => seen.push([ptsMs, data[0] as number]));
        let pixels = Uint8Array.from(values.flatMap((value) => Array.from({ length: 6 }, () => value)));
        let text = values.map((_, index) => line(index * 200)).join("");
        while (pixels.length > 0 || text.length > 0) {
          const [forPixels, forText] = [cuts.next().value as number, cuts.next().value as number];
          assembler.pushPixels(pixels.slice(0, forPixels));
          pixels = pixels.slice(forPixels);
          assembler.pushTimes(text.slice(0, forText));
          text = text.slice(forText);
        }
        expect(seen).toEqual(values.map((value, index) => [index * 200, value]));
      },
    ),
  );
});

test("a line without an end is not kept for ever, and the next line is read", () => {
  const seen: number[] = [];
  const assembler = new PictureAssembler(1, ({ ptsMs }) => seen.push(ptsMs));
  for (let i = 0; i < 1000; i++) assembler.pushTimes("x".repeat(1000));
  assembler.pushTimes(`\n${line(7)}`);
  assembler.pushPixels(Uint8Array.of(1));
  expect(seen).toEqual([7]);
});
