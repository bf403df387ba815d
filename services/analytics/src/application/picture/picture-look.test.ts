import type { LumaPicture } from "@huishi/media";
import { expect, test } from "vitest";
import { PictureLook } from "./picture-look.ts";

const WIDTH = 128;
const HEIGHT = 72;

/** Blocks with edges, and a little noise of its own at each time: a living picture. */
function street(seed: number, brightness = 1): LumaPicture {
  const pixels = new Uint8Array(WIDTH * HEIGHT);
  let state = seed + 1;
  for (let i = 0; i < pixels.length; i++) {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    const block = (((i % WIDTH) >> 3) + (Math.floor(i / WIDTH) >> 3)) % 2;
    pixels[i] = (60 + block * 120 + ((state >> 16) % 9)) * brightness;
  }
  return { width: WIDTH, height: HEIGHT, pixels };
}

test("it looks every five seconds of capture time, whatever the frame rate is", () => {
  const look = new PictureLook();
  let asked = 0;
  const verdicts = Array.from({ length: 100 }, (_, i) =>
    look.at(i * 200, () => {
      asked += 1;
      return street(i);
    }),
  );
  expect(asked).toBe(4);
  expect(verdicts.filter((verdict) => verdict !== null)).toHaveLength(4);
});

test("a clock that was set back does not end it", () => {
  const look = new PictureLook();
  expect(look.at(1_000_000, () => street(1))).not.toBeNull();
  expect(look.at(5_000, () => street(2))).not.toBeNull();
});

test("it says when it knows the view, and what is wrong for half a minute; a buffer that is used again harms nothing", () => {
  const look = new PictureLook();
  const buffer = { ...street(0) };
  const seen: (string | boolean)[] = [];
  for (let i = 0; i < 24; i++) {
    buffer.pixels.set(street(i).pixels);
    seen.push(look.at(i * 5_000, () => buffer)?.isKnown ?? "not looked");
  }
  expect([seen[0], seen[23]]).toEqual([false, true]);
  const told = Array.from({ length: 12 }, (_, i) => look.at(120_000 + i * 5_000, () => street(i, 0))?.faults);
  expect(told.at(0)).toEqual([]);
  expect(told.at(-1)).toEqual([{ fault: "black", sinceMs: 120_000 }]);
});

test("a picture that stands still is told as frozen, and taken back when it moves again", () => {
  const look = new PictureLook();
  const faults = (atMs: number, seed: number) =>
    look.at(atMs, () => street(seed))?.faults.map(({ fault }) => fault);
  for (let i = 0; i < 15; i++) faults(i * 5_000, i);
  for (let i = 15; i < 30; i++) faults(i * 5_000, 15);
  expect(faults(150_000, 15)).toEqual(["frozen"]);
  for (let i = 31; i < 36; i++) faults(i * 5_000, i);
  expect(faults(180_000, 40)).toEqual([]);
});

test("a picture too small to be judged is not", () => {
  const tiny = { width: 32, height: 18, pixels: new Uint8Array(32 * 18) };
  expect(new PictureLook().at(0, () => tiny)).toBeNull();
});
