import { expect, test } from "vitest";
import { SmallLuma } from "./small-luma.ts";

test("a frame is shrunk by a whole factor to about 320 pixels", () => {
  const sizes = [640, 480, 352, 320, 160].map((width) => new SmallLuma({ width, height: 90 }));
  expect(sizes.map(({ width, height }) => [width, height])).toEqual([
    [320, 45],
    [240, 45],
    [352, 90],
    [320, 90],
    [160, 90],
  ]);
});

test("each small pixel is the green of its own place", () => {
  const data = new Uint8Array(640 * 4 * 3);
  for (let row = 0; row < 4; row++) {
    for (let column = 0; column < 640; column++)
      data[(row * 640 + column) * 3 + 1] = (Math.floor(column / 2) % 200) + Math.floor(row / 2);
  }
  const luma = new SmallLuma({ width: 640, height: 4 }).update({ data, width: 640, height: 4 });
  expect([...luma.subarray(0, 3), ...luma.subarray(320, 323)]).toEqual([0, 1, 2, 1, 2, 3]);
});

test("of I420 it is the luma of its own place, over the full range", () => {
  const data = new Uint8Array((640 * 4 * 3) / 2);
  for (let row = 0; row < 4; row++)
    for (let column = 0; column < 640; column++) data[row * 640 + column] = column < 320 ? 16 : 235;
  const luma = new SmallLuma({ width: 640, height: 4 });
  const small = luma.update({ data, width: 640, height: 4, layout: "i420" });
  expect([small[0], small[159], small[160], small[639]]).toEqual([0, 0, 255, 255]);
});
