import fc from "fast-check";
import { expect, test } from "vitest";
import { PendingFrames } from "./pending-frames.ts";

test("a camera's oldest frame goes when its newest finds no room", () => {
  const frames = new PendingFrames<string, number>(2);
  expect([1, 2, 3].map((frame) => frames.put("a", frame))).toEqual([undefined, undefined, 1]);
  expect([frames.take(), frames.take(), frames.take()]).toEqual([
    { key: "a", frame: 2 },
    { key: "a", frame: 3 },
    undefined,
  ]);
});

test("cameras are served in turn, however many frames one of them has", () => {
  const frames = new PendingFrames<string, number>(3);
  for (const frame of [1, 2, 3]) frames.put("fast", frame);
  frames.put("slow", 1);
  frames.put("slower", 1);
  const served = Array.from({ length: 5 }, () => frames.take()?.key);
  expect(served).toEqual(["fast", "slow", "slower", "fast", "fast"]);
});

test("a camera that was closed is not served", () => {
  const frames = new PendingFrames<string, number>(3);
  frames.put("a", 1);
  frames.delete("a");
  expect(frames.take()).toBeUndefined();
});

test("a flood of one camera starves no other: who waits is served within a round, with its newest frames", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ key: fc.constantFrom("a", "b", "c", "d"), times: fc.constant(1) }) },
    {
      weight: 1,
      arbitrary: fc.record({ key: fc.constant("flood"), times: fc.integer({ min: 1, max: 50 }) }),
    },
    { weight: 3, arbitrary: fc.constant(null) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 3 }), (steps, bound) => {
      const frames = new PendingFrames<string, number>(bound);
      const waitingTurns = new Map<string, number>();
      const held = new Map<string, number[]>();
      let [put, dropped, taken, number] = [0, 0, 0, 0];
      for (const one of steps) {
        if (one) {
          for (let i = 0; i < one.times; i++) {
            put += 1;
            number += 1;
            const own = [...(held.get(one.key) ?? []), number];
            const gone = frames.put(one.key, number);
            if (gone !== undefined) dropped += 1;
            expect(gone).toBe(own.length > bound ? own[0] : undefined);
            held.set(one.key, own.slice(-bound));
          }
          waitingTurns.set(one.key, waitingTurns.get(one.key) ?? 0);
          continue;
        }
        const next = frames.take();
        if (!next) continue;
        taken += 1;
        expect(next.frame).toBe(held.get(next.key)?.shift());
        if (held.get(next.key)?.length === 0) waitingTurns.delete(next.key);
        else waitingTurns.set(next.key, 0);
        for (const [key, turns] of waitingTurns) if (key !== next.key) waitingTurns.set(key, turns + 1);
        // Five cameras: nobody waits for more than the four others.
        expect(Math.max(0, ...waitingTurns.values())).toBeLessThanOrEqual(4);
      }
      const left = [...held.values()].reduce((sum, own) => sum + own.length, 0);
      expect(put).toBe(taken + dropped + left);
    }),
  );
});
