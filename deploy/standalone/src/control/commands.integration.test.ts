import { createCamera } from "@huishi/testkit";
import type { EdgeAgent } from "@huishi/edge-agent";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ControlScene } from "./test-support/control-scene.ts";

let scene: ControlScene;
let agent: EdgeAgent;
const moves: unknown[] = [];
beforeAll(async () => {
  scene = await ControlScene.start();
  agent = await scene.agent();
  agent.commands.register("ptz", async (body) => {
    moves.push(body.move);
    return { position: { pan: 0.5, tilt: 0, zoom: 0 } };
  });
  await createCamera(scene.database.pool, agent.agentId, "north");
});
afterAll(() => scene.close());

test("a movement goes to the camera's agent and its answer comes back", async () => {
  const move = { kind: "continuous", pan: 0.5, timeoutMs: 500 };
  const answer = await scene.request("POST", "/api/v1/cameras/north/ptz", move);
  expect(answer).toEqual({ status: 200, body: { result: { position: { pan: 0.5, tilt: 0, zoom: 0 } } } });
  expect(moves).toEqual([move]);
  const [row] = await scene.rows("SELECT state, ok, created_by FROM agent_command");
  expect(row).toEqual({ state: "done", ok: true, created_by: "admin" });
});

test("a command that the agent does not know is answered with the agent's own code", async () => {
  const answer = await scene.request("POST", "/api/v1/cameras/north/imaging", {});
  expect(answer.status).toBe(502);
  expect(answer.body).toMatchObject({ code: "COMMAND_FAILED", details: { code: "COMMAND_UNSUPPORTED" } });
});

test("a command to an agent that is away fails at once, and nothing is kept for later", async () => {
  await scene.rows("INSERT INTO agent (id, name, secret_hash) VALUES ('away', 'Away', '\\x00')");
  await createCamera(scene.database.pool, "away", "south");
  const answer = await scene.request("POST", "/api/v1/cameras/south/ptz", { kind: "stop" });
  expect(answer).toMatchObject({ status: 409, body: { code: "AGENT_OFFLINE" } });
  expect(await scene.rows("SELECT 1 FROM agent_command WHERE agent_id = 'away'")).toEqual([]);
});

test("a command whose reply was lost is answered when it is sent again, and done once", async () => {
  moves.length = 0;
  await scene.request("POST", "/api/v1/cameras/north/ptz", { kind: "home" });
  // As if the reply had been lost with the database.
  await scene.rows(
    "UPDATE agent_command SET state = 'wanted', replied_at = NULL, valid_ms = 60000 WHERE state = 'done'",
  );
  await expect
    .poll(async () => (await scene.rows("SELECT 1 FROM agent_command WHERE state = 'wanted'")).length, {
      timeout: 15_000,
    })
    .toBe(0);
  await expect
    .poll(async () => (await scene.rows("SELECT 1 FROM agent_command WHERE state = 'done'")).length)
    .toBe(2);
  expect(moves).toEqual([{ kind: "home" }]);
});
