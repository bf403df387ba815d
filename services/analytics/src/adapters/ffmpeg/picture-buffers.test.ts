import { expect, test } from "vitest";
import { PictureBuffers } from "./picture-buffers.ts";

test("a buffer that was given back is used again, one of another size is not", () => {
  const buffers = new PictureBuffers(2);
  const first = buffers.take(10);
  buffers.give(first);
  expect(buffers.take(10)).toBe(first);
  expect(buffers.take(10)).not.toBe(first);
  buffers.give(first);
  expect(buffers.take(20).length).toBe(20);
});

test("no more than a few are kept", () => {
  const buffers = new PictureBuffers(1);
  const [first, second] = [buffers.take(10), buffers.take(10)];
  buffers.give(first);
  buffers.give(second);
  expect([buffers.take(10), buffers.take(10)].filter((buffer) => buffer === second)).toEqual([]);
});
