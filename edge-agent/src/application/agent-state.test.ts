import { ManualClock } from "@huishi/kernel";
import { expect, test } from "vitest";
import { AgentStateDesk, type StateSources } from "./agent-state.ts";
import type { CameraStanding } from "./camera-keeper.ts";

function scene(more: Partial<StateSources> = {}) {
  const clock = new ManualClock(1_000_000);
  const counts = { pictures: 0, bytes: 0 };
  let steadyMs = 0;
  const camera = (): CameraStanding => ({
    id: "north",
    name: "North",
    address: "10.0.0.9:80",
    condition: "online",
    code: null,
    sinceMs: 1_000_000,
    faults: null,
    clockOffsetMs: null,
    dropped: 3,
    offered: [],
    running: [
      {
        profiles: ["main"],
        statistics: {
          ...counts,
          keyframes: 0,
          connections: 1,
          consumers: ["live"],
          isFlowing: true,
          lastPictureAtMs: 1_000_000,
        },
      },
    ],
  });
  const desk = new AgentStateDesk({
    clock,
    version: "1",
    identity: { agentId: "agent-1", signKeyId: "", sealKeyId: "", authoritySha256: null },
    outbox: { stats: async () => ({ depth: 0, oldestAtMs: null, bytes: 0, lost: 0 }) },
    centre: () => ({
      address: "centre:8883",
      isConnected: false,
      sinceMs: 0,
      isMediaConnected: false,
      mediaQueuedBytes: 0,
    }),
    cameras: () => [camera()],
    usage: () => ({ pid: 1, residentBytes: 1, cpuSeconds: 0 }),
    steadyMs: () => steadyMs,
    ...more,
  });
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    steadyMs += ms;
    counts.pictures += ms / 40;
    counts.bytes += ms * 100;
    await desk.sample();
  };
  return { desk, clock, pass };
}

test("rates are measured, not what a camera says of itself, and unknown until there are two samples", async () => {
  const { desk, pass } = scene();
  await desk.sample();
  expect((await desk.describe()).cameras[0]?.streams[0]).toMatchObject({ fps: null, bitsPerSecond: null });
  for (let i = 0; i < 5; i++) await pass(2_000);
  const state = await desk.describe();
  expect(state.cameras[0]?.streams[0]).toMatchObject({ fps: 25, bitsPerSecond: 800_000, consumers: ["live"] });
  expect(state).toMatchObject({ uptimeMs: 10_000, mediaDropped: 3, clock: { steppedMs: 0 } });
  expect(state).toMatchObject({ recording: null, sensors: null, configuration: null, disks: [] });
});

test("a clock that was set shows by how much, whatever the uptime", async () => {
  const { desk, clock, pass } = scene();
  await pass(5_000);
  clock.advance(3_600_000);
  expect((await desk.describe()).clock.steppedMs).toBe(3_600_000);
  expect((await desk.describe()).uptimeMs).toBe(5_000);
});

test("a disk that cannot be looked at is not there, and costs the rest nothing", async () => {
  const { desk } = scene({ disks: () => Promise.reject(new Error("gone")) });
  await desk.sample();
  expect((await desk.describe()).disks).toEqual([]);
});
