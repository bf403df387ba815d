import { expect, test } from "vitest";
import { fitWithin } from "./analysis-size.ts";

const bounds = { width: 640, height: 360 };

test.each([
  [
    { width: 1920, height: 1080 },
    { width: 640, height: 360 },
  ],
  [
    { width: 768, height: 576 },
    { width: 480, height: 360 },
  ],
  [
    { width: 352, height: 288 },
    { width: 352, height: 288 },
  ],
  [
    { width: 2560, height: 720 },
    { width: 640, height: 180 },
  ],
  [
    { width: 4000, height: 2 },
    { width: 640, height: 2 },
  ],
])("%o is analysed at %o", (picture, expected) => {
  expect(fitWithin(picture, bounds)).toEqual(expected);
});
