import { connectAgent, createAgent, createCamera, type TestAgent, until } from "@huishi/testkit";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  motion,
  publishEvents,
  runIngest,
  type RunningIngest,
  trigger,
} from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
});
afterEach(() => running.close());

const letters = async (): Promise<unknown[]> =>
  (await running.pool.query("SELECT code, state, outcome FROM dead_letter ORDER BY id")).rows as unknown[];
const replayAll = async (): Promise<void> => {
  await running.pool.query("UPDATE dead_letter SET state = 'requested', state_by = 'test', state_at = now()");
  await until("every letter has an outcome", async () => {
    const { rows } = await running.pool.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM dead_letter WHERE state = 'requested'",
    );
    return rows[0]?.n === 0;
  });
};
const publish = async (events: readonly object[]): Promise<void> => {
  const client = await connectAgent(running.ingest.port, agent);
  await publishEvents(client, agent.id, events);
  await client.endAsync();
};

test("an alarm of an unknown camera is stored when it is given again after the camera is known, once", async () => {
  await publish([trigger(7, "gate"), motion(8)]);
  await replayAll();
  expect(await letters()).toMatchObject([{ code: "UNKNOWN_CAMERA", state: "refused" }]);
  await createCamera(running.pool, agent.id, "gate");
  await replayAll();
  await replayAll();
  expect(await letters()).toMatchObject([{ code: "UNKNOWN_CAMERA", state: "replayed" }]);
  const { rows } = await running.pool.query("SELECT count(*)::int AS n FROM alarm");
  expect(rows).toEqual([{ n: 1 }]);
});

test("what is still wrong stays one letter, with the reason", async () => {
  await publish([{ ...motion(1), active: "yes" }]);
  await replayAll();
  expect(await letters()).toEqual([
    { code: "INVALID_EVENT", state: "refused", outcome: expect.stringContaining("/active") },
  ]);
});
