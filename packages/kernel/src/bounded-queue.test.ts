import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BoundedQueue } from "./bounded-queue.ts";

describe("BoundedQueue", () => {
  it("drops the oldest and counts it", () => {
    const queue = new BoundedQueue<number>(2, "dropOldest");
    expect([1, 2, 3].map((n) => queue.push(n))).toEqual([true, true, true]);
    expect(queue.take(9)).toEqual([2, 3]);
    expect(queue.dropped).toBe(1);
  });

  it("drops the newest and counts it", () => {
    const queue = new BoundedQueue<number>(2, "dropNewest");
    expect([1, 2, 3].map((n) => queue.push(n))).toEqual([true, true, false]);
    expect(queue.take(9)).toEqual([1, 2]);
    expect(queue.dropped).toBe(1);
  });

  it("refuses without counting a drop", () => {
    const queue = new BoundedQueue<number>(1, "refuse");
    expect([1, 2].map((n) => queue.push(n))).toEqual([true, false]);
    expect(queue.dropped).toBe(0);
  });

  it("behaves as an array with a bound under any sequence of operations", () => {
    const operation = fc.oneof(
      fc.constant("shift" as const),
      fc.integer({ min: 1, max: 5 }).map((n) => ({ take: n })),
      fc.integer().map((item) => ({ push: item })),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 80 }),
        fc.array(operation, { maxLength: 400 }),
        (capacity, operations) => {
          const queue = new BoundedQueue<number>(capacity, "dropOldest");
          const model: number[] = [];
          for (const op of operations) {
            if (op === "shift") expect(queue.shift()).toBe(model.shift());
            else if ("take" in op) expect(queue.take(op.take)).toEqual(model.splice(0, op.take));
            else {
              queue.push(op.push);
              model.push(op.push);
              if (model.length > capacity) model.shift();
            }
            expect(queue.size).toBe(model.length);
          }
        },
      ),
    );
  });
});
