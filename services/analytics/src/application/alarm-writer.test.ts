import { ManualClock } from "@huishi/kernel";
import { describe, expect, it, vi } from "vitest";
import { AlarmWriter } from "./alarm-writer.ts";
import type { AlarmReceipt, FrameAlarms } from "./alarms.ts";
import { FaultLog } from "./fault-log.ts";
import type { AlarmStore, Meter } from "./ports.ts";
import { rule, zone } from "./test-support/tracks.ts";

const JPEG = Uint8Array.of(0xff, 0xd8);

function frameAlarm(capturedAtMs: number, isNew = true): FrameAlarms {
  const alarm = {
    rule: rule(),
    zone: zone(),
    objectClass: "person",
    startedAtMs: capturedAtMs - 1_000,
    occurrences: 1,
    boxes: [],
    sourceEvent: `rule/rule-1/1/${capturedAtMs}`,
    isNew,
  };
  return { cameraId: "cam-1", capturedAtMs, alarms: [alarm] };
}

/** Opens every alarm; is away for its first `failures` commits. */
class FakeStore implements AlarmStore {
  readonly committed: number[] = [];
  readonly snapshots = new Map<string, Uint8Array>();
  #failures: number;

  constructor(failures = 0) {
    this.#failures = failures;
  }

  commit(batch: readonly FrameAlarms[]): Promise<AlarmReceipt[]> {
    if (this.#failures-- > 0) return Promise.reject(new Error("away"));
    this.committed.push(...batch.map((frame) => frame.capturedAtMs));
    return Promise.resolve(
      batch.map(({ capturedAtMs }) => ({
        alarmId: String(capturedAtMs),
        ruleId: "rule-1",
        cameraId: "cam-1",
        capturedAtMs,
        opened: true,
      })),
    );
  }

  addSnapshot(alarmId: string, jpeg: Uint8Array): Promise<void> {
    this.snapshots.set(alarmId, jpeg);
    return Promise.resolve();
  }
}

function writerFor(store: AlarmStore, meter: Partial<Meter> = {}): AlarmWriter {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const clock = new ManualClock(0);
  return new AlarmWriter({
    store,
    clock,
    faults: new FaultLog(silent, clock),
    meter: {
      frame: () => undefined,
      dropped: () => undefined,
      rows: () => undefined,
      alarm: () => undefined,
      ...meter,
    },
  });
}

describe("AlarmWriter", () => {
  it("commits the alarm without waiting for its picture, which follows", async () => {
    const store = new FakeStore();
    const alarms = writerFor(store);
    let deliver: (jpeg: Uint8Array) => void = () => undefined;
    alarms.push(frameAlarm(5_000), () => new Promise((resolve) => (deliver = resolve)));
    await vi.waitFor(() => expect(store.committed).toEqual([5_000]));
    expect(store.snapshots.size).toBe(0);
    deliver(JPEG);
    await vi.waitFor(() => expect(store.snapshots.get("5000")).toBe(JPEG));
    await alarms.close(1_000);
  });

  it("keeps alarms and their pictures while the database is away", async () => {
    const store = new FakeStore(3);
    const alarms = writerFor(store);
    for (const capturedAtMs of [1_000, 2_000, 3_000]) {
      alarms.push(frameAlarm(capturedAtMs), () => Promise.resolve(JPEG));
    }
    await alarms.close(5_000);
    expect(store.committed).toEqual([1_000, 2_000, 3_000]);
    expect([...store.snapshots.keys()]).toEqual(["1000", "2000", "3000"]);
    expect(alarms.pending).toBe(0);
  });

  it("asks for the picture of a repetition only when that opened a new alarm", async () => {
    const store = new FakeStore();
    const alarms = writerFor(store);
    const takePicture = vi.fn(() => Promise.resolve(JPEG));
    alarms.push(frameAlarm(1_000, false), takePicture);
    expect(takePicture).not.toHaveBeenCalled();
    await alarms.close(1_000);
    expect(takePicture).toHaveBeenCalledTimes(1);
  });

  it("writes the alarm when its picture cannot be had, and counts that", async () => {
    const dropped = vi.fn();
    const store = new FakeStore();
    const alarms = writerFor(store, { dropped });
    alarms.push(frameAlarm(1_000), () => Promise.reject(new Error("the process is gone")));
    await alarms.close(1_000);
    expect(store.committed).toEqual([1_000]);
    expect(dropped).toHaveBeenCalledExactlyOnceWith("snapshot_missing", 1);
  });

  it("closes though the process that was asked for a picture hangs", async () => {
    vi.useFakeTimers();
    const dropped = vi.fn();
    const alarms = writerFor(new FakeStore(), { dropped });
    alarms.push(frameAlarm(1_000), () => new Promise(() => undefined));
    const closed = alarms.close(1_000);
    await vi.advanceTimersByTimeAsync(10_000);
    await closed;
    vi.useRealTimers();
    expect(dropped).toHaveBeenCalledExactlyOnceWith("snapshot_missing", 1);
  });
});
