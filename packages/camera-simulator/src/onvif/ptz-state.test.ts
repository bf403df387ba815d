import { describe, expect, it } from "vitest";
import { PtzState } from "./ptz-state.ts";

describe("PTZ", () => {
  it("moves with its velocity until stopped or timed out, within its range", () => {
    let nowMs = 0;
    const ptz = new PtzState(() => nowMs);
    ptz.moveContinuously({ pan: 0.5, zoom: 1 }, 10_000);
    nowMs = 1000;
    expect(ptz.position).toEqual({ pan: 0.5, tilt: 0, zoom: 1 });
    expect(ptz.isMoving).toBe(true);
    ptz.stop();
    nowMs = 5000;
    expect(ptz.position.pan).toBe(0.5);
    ptz.moveBy({ pan: 0.9, tilt: -0.25 });
    expect(ptz.position).toEqual({ pan: 1, tilt: -0.25, zoom: 1 });
    expect(ptz.moveToPreset("2")).toBe(true);
    expect(ptz.moveToPreset("9")).toBe(false);
    expect(ptz.position).toEqual({ pan: 0, tilt: -0.2, zoom: 0.3 });
    expect(ptz.commands.map((command) => command.command)).toEqual([
      "ContinuousMove",
      "Stop",
      "RelativeMove",
      "GotoPreset",
    ]);
    expect(ptz.commands).toHaveLength(4);
  });
});
