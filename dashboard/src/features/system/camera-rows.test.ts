import type { AnalysedCamera, AnalyticsProcess } from "@huishi/contracts";
import { describe, expect, it } from "vitest";
import { cameraRows, isStale, sortRows } from "./camera-rows.ts";

const NOW = 1_000_000;
const camera = (cameraId: string, change: Partial<AnalysedCamera> = {}): AnalysedCamera => ({
  cameraId,
  profile: "sub",
  sampling: { kind: "fps", fps: 5 },
  isRunning: true,
  lastCapturedAtMs: NOW - 1_000,
  framesAnalysed: 10,
  samplesDropped: 0,
  inferencesPerFrame: 1,
  stageMs: [
    { stage: "decode", meanMs: 4 },
    { stage: "detect", meanMs: 8 },
  ],
  ...change,
});
const process = (cameras: AnalysedCamera[], updatedAtMs = NOW - 2_000): AnalyticsProcess => ({
  instanceId: "one",
  host: "host",
  pid: 1,
  startedAtMs: 0,
  updatedAtMs,
  cameraCount: cameras.length,
  framesAnalysed: 0,
  framesPerSecond: 0,
  drops: [],
  stages: [],
  eventLoopDelayP99Ms: 1,
  inferenceProcesses: 1,
  decoders: 1,
  residentBytes: null,
  coresUsed: null,
  cameras,
});
const rowsOf = (one: AnalyticsProcess) => cameraRows([one], new Map([["a", "North gate"]]), NOW);

describe("what is known of an analysed camera", () => {
  it("is its cost a frame and, where the rate is fixed, a second", () => {
    const [a, b] = rowsOf(process([camera("a"), camera("b", { sampling: { kind: "keyframes" } })]));
    expect(a).toMatchObject({
      name: "North gate",
      costMs: 12,
      loadMs: 60,
      state: "running",
      lastAgeMs: 1_000,
    });
    expect(b).toMatchObject({ name: "b", costMs: 12, loadMs: null });
  });

  it("is told with the classes that its rules wait for in vain, each once", () => {
    const fault = (ruleId: string, unknown: ("boat" | "dog")[]) => ({
      code: "RULE_CLASS_UNKNOWN_TO_MODEL" as const,
      ruleId,
      unknown,
      isDeaf: true,
    });
    const [deaf, fine] = rowsOf(
      process([
        camera("a", { ruleFaults: [fault("r1", ["boat"]), fault("r2", ["dog", "boat"])] }),
        camera("b"),
      ]),
    );
    expect([deaf?.unknownClasses, fine?.unknownClasses]).toEqual([["boat", "dog"], []]);
  });

  it("is never called current when its frame or its process's word is old", () => {
    const states = rowsOf(
      process([
        camera("old", { lastCapturedAtMs: NOW - 60_000 }),
        camera("off", { isRunning: false }),
        camera("new", { lastCapturedAtMs: null, stageMs: [] }),
      ]),
    ).map(({ state }) => state);
    expect(states).toEqual(["stale", "starting", "none"]);
    const silent = process([camera("a")], NOW - 16_000);
    expect(isStale(silent, NOW)).toBe(true);
    expect(rowsOf(silent)[0]?.state).toBe("stale");
  });

  it("is sorted by any column, both ways, the unknown last", () => {
    const rows = rowsOf(
      process([
        camera("a", { framesAnalysed: 3 }),
        camera("b", { stageMs: [], framesAnalysed: 9 }),
        camera("c", { stageMs: [{ stage: "detect", meanMs: 90 }] }),
      ]),
    );
    const idsBy = (key: "costMs" | "frames" | "name", isRising: boolean): string =>
      sortRows(rows, { key, isRising })
        .map(({ cameraId }) => cameraId)
        .join("");
    expect(idsBy("costMs", false)).toBe("cab");
    expect(idsBy("costMs", true)).toBe("acb");
    expect(idsBy("frames", true)).toBe("abc");
    expect(idsBy("name", true)).toBe("bca");
  });
});
