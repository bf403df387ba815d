import type { LumaPicture } from "@huishi/media";
import { describe, expect, test } from "vitest";
import { recordedLog } from "../test-support/recorded-log.ts";
import { type CameraFindings, FindingsBoard } from "./camera-findings.ts";
import { PictureWatch } from "./picture-watch.ts";
import type { EventDraft, StreamConsumer } from "./ports.ts";

const black: LumaPicture = { width: 320, height: 180, pixels: new Uint8Array(320 * 180) };

function scene() {
  let nowMs = 1_000_000;
  let consumer: StreamConsumer | null = null;
  let unitNumber = 0;
  const events: EventDraft[] = [];
  const findings: CameraFindings[] = [];
  const board = new FindingsBoard();
  board.listen("cam", (found) => findings.push(found));
  const watch = new PictureWatch({
    decoder: { decode: async () => black, forget: () => undefined },
    board,
    recorder: { record: (event) => void events.push(event) },
    clock: { nowMs: () => nowMs },
    log: recordedLog(),
    timings: { sampleMs: 5_000, silenceMs: 8_000, lookMs: 1 },
  });
  watch.tapReady({
    cameraId: "cam",
    attach: (_profile, purpose, attached) => {
      expect(purpose).toBe("health");
      consumer = attached;
      return () => (consumer = null);
    },
  });
  const flow = async (seconds: number, fps: number): Promise<void> => {
    for (let i = 0; i < seconds * fps; i++) {
      nowMs += 1_000 / fps;
      consumer?.onUnit({
        codec: "h264",
        annexB: new Uint8Array(1_000),
        keyframe: unitNumber % fps === 0,
        disposable: false,
        changed: false,
        ptsMs: nowMs,
        capturedAtMs: nowMs,
        unitNumber: unitNumber++,
      });
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return {
    watch,
    flow,
    events,
    findings,
    wait: (ms: number) => (nowMs += ms),
    isHeld: () => consumer !== null,
  };
}

describe("PictureWatch", () => {
  test("tells a black picture within a minute, and measures the stream", async () => {
    const { flow, events, findings } = scene();
    await flow(60, 10);
    expect(findings.at(-1)?.faults.map(({ fault }) => fault)).toEqual(["black"]);
    expect(events).toMatchObject([{ type: "camera_measure", cameraId: "cam", fps: 10, bitRate: 80_000 }]);
  });

  test("tells a collapsed frame rate once its usual level is known", async () => {
    const { flow, findings } = scene();
    await flow(90, 10);
    await flow(60, 2);
    expect(findings.at(-1)?.faults.map(({ fault }) => fault)).toContain("low_frame_rate");
  });

  test("a held stream without pictures does not flow, and lets go of it when the camera goes", async () => {
    const { watch, flow, findings, wait, isHeld } = scene();
    await flow(2, 10);
    expect(findings.at(-1)?.flowing).toBe(true);
    wait(8_500);
    const stop = new AbortController();
    const running = watch.run(stop.signal);
    await expect.poll(() => findings.at(-1)?.flowing).toBe(false);
    stop.abort();
    await running;
    expect(findings.at(-1)?.flowing).toBeNull();
    expect(isHeld()).toBe(false);
  });
});
