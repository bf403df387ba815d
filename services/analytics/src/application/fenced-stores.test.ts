import { describe, expect, it } from "vitest";
import type { FrameAlarms } from "./alarms.ts";
import { fencedAlarms, fencedRecords, type Takeover } from "./fenced-stores.ts";
import type { DetectionRow } from "./records.ts";

const TAKEN_MS = 100_000;
const detection = (cameraNo: number, capturedAtMs: number): DetectionRow => ({
  capturedAtMs,
  cameraNo,
  trackId: 1,
  classCode: 1,
  score: 1,
  x: 0,
  y: 0,
  w: 1,
  h: 1,
});
const frame = (cameraId: string, capturedAtMs: number): FrameAlarms => ({
  cameraId,
  capturedAtMs,
  alarms: [],
});

describe("fenced stores", () => {
  const written: unknown[] = [];
  const dropped: Record<string, number> = {};
  let takeovers: Takeover[] = [];
  let asked = 0;
  const fence = {
    takeovers: () => {
      asked += 1;
      return Promise.resolve(takeovers);
    },
  };
  const meter = {
    dropped: (reason: string, count: number) => void (dropped[reason] = (dropped[reason] ?? 0) + count),
  };
  const write = (rows: readonly unknown[]): Promise<void> => {
    written.push(...rows);
    return Promise.resolve();
  };
  const records = fencedRecords(
    { writeDetections: write, writeTracks: write, writeCrossings: write, writeOccupancy: write },
    fence,
    meter,
  );

  it("refuses what was captured after another took the camera, keeps what was seen before, and counts", async () => {
    takeovers = [{ cameraId: "cam-2", cameraNo: 2, takenAtMs: TAKEN_MS }];
    const [own, before, after] = [
      detection(1, TAKEN_MS + 60_000),
      detection(2, TAKEN_MS - 1),
      detection(2, TAKEN_MS + 10_000),
    ];
    await records.writeDetections([own, before, after]);
    expect(written).toEqual([own, before]);
    expect(dropped).toEqual({ fenced_out: 1 });
  });

  it("says the same of a batch that is given again, so that its retry stays the same transaction", async () => {
    takeovers = [];
    written.length = 0;
    const batch = [detection(3, TAKEN_MS + 10_000), detection(2, TAKEN_MS + 10_000)];
    await records.writeDetections(batch);
    takeovers = [{ cameraId: "cam-2", cameraNo: 2, takenAtMs: TAKEN_MS }];
    asked = 0;
    await records.writeDetections(batch);
    expect(asked).toBe(0);
    expect(written).toEqual([...batch, ...batch]);
  });

  it("refuses alarms in the same way", async () => {
    takeovers = [{ cameraId: "cam-2", cameraNo: 2, takenAtMs: TAKEN_MS }];
    const committed: FrameAlarms[] = [];
    const alarms = fencedAlarms(
      {
        commit: (batch) => {
          committed.push(...batch);
          return Promise.resolve([]);
        },
        addSnapshot: () => Promise.resolve(),
      },
      fence,
      meter,
    );
    await alarms.commit([frame("cam-2", TAKEN_MS + 10_000)]);
    await alarms.commit([frame("cam-2", TAKEN_MS - 1), frame("cam-1", TAKEN_MS + 10_000)]);
    expect(committed.map(({ cameraId }) => cameraId)).toEqual(["cam-2", "cam-1"]);
  });
});
