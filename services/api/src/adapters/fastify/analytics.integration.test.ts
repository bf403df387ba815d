import type { AnalyticsProcess } from "@huishi/contracts";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";

let server: ApiUnderTest;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
});

afterAll(async () => {
  await server.stop();
});

const STATUS: Omit<AnalyticsProcess, "updatedAtMs"> = {
  instanceId: "host-1-a",
  host: "host",
  pid: 1,
  startedAtMs: 1_700_000_000_000,
  cameraCount: 1,
  framesAnalysed: 50,
  framesPerSecond: 5,
  drops: [{ reason: "decoder_behind", count: 2 }],
  stages: [{ stage: "detect", count: 50, meanMs: 8.5, p95Ms: 12 }],
  eventLoopDelayP99Ms: 11.5,
  inferenceProcesses: 2,
  decoders: 1,
  residentBytes: 300_000_000,
  coresUsed: 0.4,
  cameras: [
    {
      cameraId: "gate-1",
      profile: "sub",
      sampling: { kind: "fps", fps: 5 },
      isRunning: true,
      lastCapturedAtMs: 1_700_000_010_000,
      framesAnalysed: 50,
      samplesDropped: 2,
      inferencesPerFrame: 1.2,
      stageMs: [{ stage: "detect", meanMs: 8.5 }],
    },
  ],
};

const insert = (instanceId: string, ageSeconds: number) =>
  server.database.pool.query(
    "INSERT INTO analytics_status (instance_id, updated_at, status) VALUES ($1, now() - make_interval(secs => $2), $3)",
    [instanceId, ageSeconds, JSON.stringify({ ...STATUS, instanceId })],
  );

it("tells of every analytics process that spoke within a minute, and of no other", async () => {
  expect((await server.get("/api/v1/analytics")).body).toEqual({ processes: [] });
  await insert("host-1-a", 4);
  await insert("host-2-b", 0);
  await insert("host-3-dead", 61);
  const { status, body } = await server.get("/api/v1/analytics");
  expect(status).toBe(200);
  expect(body.processes.map(({ instanceId }: AnalyticsProcess) => instanceId)).toEqual([
    "host-1-a",
    "host-2-b",
  ]);
  expect(body.processes[0]).toMatchObject(STATUS);
  expect(Math.abs(Date.now() - body.processes[0].updatedAtMs - 4_000)).toBeLessThan(30_000);
});
