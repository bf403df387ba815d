import { describe, expect, it } from "vitest";
import { MotionGate } from "./motion-gate.ts";

const WIDTH = 320;
const HEIGHT = 180;
const STEP_MS = 200;

/** A textured scene; the generator is seeded so that every run sees the same noise. */
function scene(
  options: { noise?: number; shiftX?: number; gain?: number; offset?: number; frame?: number } = {},
): Uint8Array {
  const { noise = 3, shiftX = 0, gain = 1, offset = 0, frame = 0 } = options;
  let seed = 7 + frame * 7919;
  const random = () => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed / 0x7fffffff;
  };
  const luma = new Uint8ClampedArray(WIDTH * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const sx = x + shiftX;
      const building = sx % 60 < 30 && y < 90 ? 40 : 0;
      const level = 90 + building + 30 * Math.sin(sx / 40) + y / 6;
      luma[y * WIDTH + x] = level * gain + offset + (random() * 2 - 1) * noise;
    }
  }
  return new Uint8Array(luma.buffer);
}

function withObject(luma: Uint8Array, x: number, y: number, w = 12, h = 30, level = 25): Uint8Array {
  for (let row = y; row < y + h; row++) luma.fill(level, row * WIDTH + x, row * WIDTH + x + w);
  return luma;
}

function settled(): { gate: MotionGate; atMs: number } {
  const gate = new MotionGate({ width: WIDTH, height: HEIGHT });
  let atMs = 1_000_000;
  for (let frame = 0; frame < 30; frame++) gate.update(scene({ frame }), (atMs += STEP_MS));
  return { gate, atMs };
}

describe("MotionGate", () => {
  it("stays quiet over compression noise", () => {
    const { gate, atMs } = settled();
    for (let frame = 30; frame < 80; frame++) {
      expect(gate.update(scene({ frame, noise: 5 }), atMs + frame * STEP_MS).active).toBe(false);
    }
  });

  it("boxes a person that walks through", () => {
    const { gate, atMs } = settled();
    for (let k = 0; k < 20; k++) {
      const motion = gate.update(
        withObject(scene({ frame: 30 + k }), 40 + 8 * k, 80),
        atMs + (k + 1) * STEP_MS,
      );
      expect(motion.active).toBe(true);
      const [box] = motion.boxes;
      expect(box!.x * WIDTH).toBeLessThanOrEqual(40 + 8 * k);
      expect((box!.x + box!.w) * WIDTH).toBeGreaterThanOrEqual(52 + 8 * k);
      expect(box!.w * WIDTH).toBeLessThan(48);
    }
  });

  it("follows a change of light without reporting motion", () => {
    const { gate, atMs } = settled();
    for (let k = 0; k < 20; k++) {
      const motion = gate.update(scene({ frame: 30 + k, offset: 3 * k }), atMs + (k + 1) * STEP_MS);
      expect(motion.active).toBe(false);
    }
  });

  it("takes a sudden change of exposure for what it is", () => {
    const { gate, atMs } = settled();
    const first = gate.update(scene({ frame: 31, gain: 1.4, offset: 20 }), atMs + STEP_MS);
    expect(first.boxes).toEqual([]);
    const second = gate.update(scene({ frame: 32, gain: 1.4, offset: 20 }), atMs + 2 * STEP_MS);
    expect(second.active).toBe(false);
  });

  it("still sees a person while the light changes", () => {
    const { gate, atMs } = settled();
    const motion = gate.update(withObject(scene({ frame: 31, offset: 25 }), 100, 80), atMs + STEP_MS);
    expect(motion.active).toBe(true);
    expect(motion.boxes).toHaveLength(1);
  });

  it("says lightingStep when the camera is turned, and is quiet again in the next frame", () => {
    const { gate, atMs } = settled();
    const other = () => {
      const luma = scene({ frame: 31 });
      for (let i = 0; i < luma.length; i++)
        luma[i] = (i % WIDTH) % 16 < 8 ? 30 + (luma[i]! >> 3) : 220 - (luma[i]! >> 3);
      return luma;
    };
    expect(gate.update(other(), atMs + STEP_MS)).toEqual({ active: false, boxes: [], lightingStep: true });
    expect(gate.update(other(), atMs + 2 * STEP_MS).active).toBe(false);
  });

  it("does not take a camera that trembles for motion", () => {
    const { gate, atMs } = settled();
    for (let k = 0; k < 20; k++) {
      const motion = gate.update(scene({ frame: 30 + k, shiftX: (k % 3) - 1 }), atMs + (k + 1) * STEP_MS);
      expect(motion.active).toBe(false);
    }
  });

  it("absorbs what has come to stand, slowly", () => {
    const { gate, atMs } = settled();
    const parked = (k: number) =>
      gate.update(withObject(scene({ frame: 30 + k }), 150, 100, 60, 30), atMs + (k + 1) * STEP_MS).active;
    const active = Array.from({ length: 150 }, (_, k) => parked(k));
    expect(active.slice(0, 35).every(Boolean)).toBe(true);
    expect(active.slice(-50).some(Boolean)).toBe(false);
  });

  it("takes a pole in the wind for what it is: pictures that move by several pixels and back", () => {
    const { gate, atMs } = settled();
    const swing = [3, -3, 4, -4, 2, 0, -2, 3, -4, 0];
    const active = Array.from({ length: 100 }, (_, k) => {
      const shiftX = swing[k % swing.length] ?? 0;
      return gate.update(scene({ frame: 30 + k, shiftX }), atMs + (k + 1) * STEP_MS).active;
    });
    // It may ask for a look at first; it must not ask for ever.
    expect(active.slice(50).filter(Boolean).length).toBeLessThan(5);
  });

  it("is quiet again after the camera was knocked aside for good", () => {
    const { gate, atMs } = settled();
    const active = Array.from(
      { length: 120 },
      (_, k) => gate.update(scene({ frame: 30 + k, shiftX: 9 }), atMs + (k + 1) * STEP_MS).active,
    );
    expect(active.slice(-40).some(Boolean)).toBe(false);
  });

  it("is quiet over blocks that a coarse encoder draws anew with every keyframe", () => {
    const { gate, atMs } = settled();
    const coarse = (frame: number): Uint8Array => {
      const luma = scene({ frame: 1 });
      for (let y = 0; y < HEIGHT; y++) {
        for (let x = 0; x < WIDTH; x++) {
          const block = (x >> 3) * 31 + (y >> 3) * 17 + Math.floor(frame / 10) * 7;
          luma[y * WIDTH + x]! += (block % 13) - 6;
        }
      }
      return luma;
    };
    const active = Array.from(
      { length: 100 },
      (_, k) => gate.update(coarse(k), atMs + (k + 1) * STEP_MS).active,
    );
    expect(active.filter(Boolean).length).toBeLessThan(3);
  });

  it("survives a clock that jumps", () => {
    const { gate, atMs } = settled();
    for (const jump of [-86_400_000, 0, 86_400_000, 1]) {
      expect(gate.update(scene({ frame: 40 }), atMs + jump).active).toBe(false);
    }
  });
});
