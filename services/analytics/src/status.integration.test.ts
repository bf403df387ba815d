/** What analytics says of itself, as the API reads it. */
import { AnalyticsProcessSchema } from "@huishi/contracts";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { createAgent, createCamera, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { Registry } from "prom-client";
import { Check } from "typebox/value";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rule, track, zone } from "./application/test-support/tracks.ts";
import { startAnalytics } from "./compose.ts";
import { insertRule, insertZone } from "./test-support/database-rows.ts";
import { FakeInference } from "./test-support/fake-inference.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await testDatabase();
});
afterAll(async () => {
  await database.drop();
});

const statuses = async (): Promise<Record<string, unknown>[]> =>
  (
    await database.pool.query<{ status: Record<string, unknown> }>(
      "SELECT status || jsonb_build_object('updatedAtMs', floor(extract(epoch FROM updated_at) * 1000)) AS status FROM analytics_status",
    )
  ).rows.map(({ status }) => status);

it("each process says how it goes, forgets the dead, and takes its word back when it ends", async () => {
  const agent = await createAgent(database.pool);
  await createCamera(database.pool, agent.id, "cam-1");
  await insertZone(database.pool, zone());
  await insertRule(database.pool, rule({ kind: "dwell", persistenceMs: 60_000 }));
  await database.pool.query(
    "INSERT INTO analytics_status (instance_id, updated_at, status) VALUES ('dead', now() - interval '2 minutes', '{}')",
  );
  const inference = new FakeInference();
  const analytics = await startAnalytics({
    databaseUrl: database.databaseUrl,
    mediaBus: new InProcessMediaBus({ lingerMs: 0 }),
    logger: createLogger({ name: "test", level: "silent" }),
    inferenceProcesses: 1,
    sampleFps: 5,
    registry: new Registry(),
    inference: () => Promise.resolve(inference),
  });
  try {
    await until("the camera is analysed", () => inference.feeds.has("cam-1"), 20_000);
    for (let i = 0; i < 10; i++)
      inference.see("cam-1", 1_700_000_000_000 + i * 200, { tracks: [track(1)], inferences: i % 2 });
    inference.feeds.get("cam-1")?.onDrop("decoder_behind", 3);
    await until(
      "it has spoken",
      async () => (await statuses()).some((status) => status["framesAnalysed"] === 10),
      20_000,
    );
    const all = await statuses();
    expect(all).toHaveLength(1);
    const [status] = all;
    expect(Check(AnalyticsProcessSchema, status)).toBe(true);
    expect(status).toMatchObject({
      pid: process.pid,
      cameraCount: 1,
      drops: [{ reason: "decoder_behind", count: 3 }],
      cameras: [
        {
          cameraId: "cam-1",
          sampling: { kind: "keyframes" },
          isRunning: true,
          framesAnalysed: 10,
          samplesDropped: 3,
          inferencesPerFrame: 0.5,
          lastCapturedAtMs: 1_700_000_001_800,
        },
      ],
    });
    const stages = ((status?.["stages"] ?? []) as { stage: string }[]).map(({ stage }) => stage);
    expect(stages).toEqual(expect.arrayContaining(["decode", "detect", "rules", "write"]));
  } finally {
    await analytics.close();
  }
  expect(await statuses()).toEqual([]);
});
