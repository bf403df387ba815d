import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { GopGate, MEDIA_HIGH_WATER_BYTES, type MediaQueue } from "./gop-gate.ts";

const MEDIA_LOW_WATER_BYTES = MEDIA_HIGH_WATER_BYTES / 2;
const queue = (bytes: number, limitBytes = MEDIA_HIGH_WATER_BYTES): MediaQueue => ({ bytes, limitBytes });

const key = { keyframe: true };
const delta = { keyframe: false };

describe("GopGate", () => {
  test("begins at a keyframe, and waiting for it is no drop", () => {
    const gate = new GopGate();
    expect(gate.decide(delta, queue(0), true)).toEqual({ send: false });
    expect(gate.decide(key, queue(0), true)).toEqual({ send: true, discontinuity: false });
    expect(gate.decide(delta, queue(0), true)).toEqual({ send: true, discontinuity: false });
    expect(gate.dropped).toBe(0);
  });

  test("drops the rest of the group once the connection is full, and marks where it goes on", () => {
    const gate = new GopGate();
    gate.decide(key, queue(0), true);
    expect(gate.decide(delta, queue(MEDIA_HIGH_WATER_BYTES + 1), true).send).toBe(false);
    expect(gate.decide(delta, queue(0), true).send).toBe(false);
    expect(gate.decide(key, queue(MEDIA_LOW_WATER_BYTES + 1), true).send).toBe(false);
    expect(gate.decide(key, queue(MEDIA_LOW_WATER_BYTES), true)).toEqual({ send: true, discontinuity: true });
    expect(gate.dropped).toBe(3);
  });

  test("drops while there is no connection", () => {
    const gate = new GopGate();
    expect(gate.decide(key, queue(0), false).send).toBe(false);
    expect(gate.decide(delta, queue(0), true).send).toBe(false);
    expect(gate.decide(key, queue(0), true)).toEqual({ send: true, discontinuity: true });
    expect(gate.dropped).toBe(2);
  });

  test("a restarted source goes on at its first keyframe, as a discontinuity", () => {
    const gate = new GopGate();
    gate.decide(key, queue(0), true);
    gate.restart();
    expect(gate.decide(delta, queue(0), true).send).toBe(false);
    expect(gate.decide(key, queue(0), true)).toEqual({ send: true, discontinuity: true });
    expect(gate.dropped).toBe(0);
  });

  test("on a slow line drops as soon as more waits than the line takes", () => {
    const gate = new GopGate();
    gate.decide(key, queue(0, 64_000), true);
    expect(gate.decide(delta, queue(64_000, 64_000), true).send).toBe(true);
    expect(gate.hasRoom(delta, queue(64_001, 64_000))).toBe(false);
    expect(gate.decide(delta, queue(64_001, 64_000), true).send).toBe(false);
    expect(gate.hasRoom(key, queue(32_001, 64_000))).toBe(false);
    expect(gate.hasRoom(key, queue(32_000, 64_000))).toBe(true);
    expect(gate.decide(key, queue(32_000, 64_000), true)).toEqual({ send: true, discontinuity: true });
  });

  test("whatever happens, what is sent after a gap starts with a marked keyframe", () => {
    const step = fc.record({
      keyframe: fc.boolean(),
      queuedBytes: fc.constantFrom(0, MEDIA_LOW_WATER_BYTES + 1, MEDIA_HIGH_WATER_BYTES + 1),
      isConnected: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const gate = new GopGate();
        let isGap = true;
        let sent = 0;
        for (const { keyframe, queuedBytes, isConnected } of steps) {
          const decision = gate.decide({ keyframe }, queue(queuedBytes), isConnected);
          if (decision.send && isGap) {
            expect(keyframe).toBe(true);
            if (sent > 0) expect(decision.discontinuity).toBe(true);
          }
          if (decision.send) sent += 1;
          isGap = !decision.send;
        }
        expect(sent + gate.dropped).toBeLessThanOrEqual(steps.length);
      }),
    );
  });
});
