import { expect, test } from "vitest";
import { samePadding } from "./network.ts";

// size, kernel, stride -> before, after; as TensorFlow pads.
test.each([
  [300, 3, 2, 0, 1],
  [75, 3, 2, 1, 1],
  [150, 3, 1, 1, 1],
  [19, 1, 1, 0, 0],
  [2, 3, 2, 0, 1],
  [1, 3, 1, 1, 1],
])(
  "an axis of %i with kernel %i and stride %i is padded %i before and %i after",
  (size, kernel, stride, before, after) => {
    expect(samePadding(size, kernel, stride)).toEqual([before, after]);
  },
);
