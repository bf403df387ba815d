import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import type { EdgeAgent } from "@huishi/edge-agent";
import { createCamera, until } from "@huishi/testkit";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ControlScene } from "./test-support/control-scene.ts";

let scene: ControlScene;
let simulator: CameraSimulator;
let camera: SimulatedCamera;
let agent: EdgeAgent;
beforeAll(async () => {
  scene = await ControlScene.start();
  simulator = new CameraSimulator({ cacheDir: join(scene.folder, "cache") });
  const account = { username: "operator", password: "steer-me" };
  camera = await simulator.start({
    name: "North gate",
    source: { kind: "clock", width: 320, height: 240, fps: 5 },
    ...account,
  });
  const cameras = [
    { id: "north", onvif: camera.onvifUrl, ...account },
    { id: "plain", rtsp: { main: camera.rtspMainUrl }, ...account },
  ];
  agent = await scene.agent({ cameras });
  await until(
    "both cameras are online",
    async () => (await scene.rows("SELECT 1 FROM camera WHERE condition = 'online'")).length === 2,
  );
});
afterAll(async () => {
  await scene.close();
  await simulator.stop();
});
const commands = () => camera.ptzCommands.map(({ command }) => command);

test("a movement goes to the camera's agent and its answer comes back", async () => {
  const move = { kind: "continuous", pan: 0.5, timeoutMs: 500 };
  const answer = await scene.request("POST", "/api/v1/cameras/north/ptz", move);
  expect(answer.status).toBe(200);
  expect(commands()).toContain("ContinuousMove");
  const [row] = await scene.rows("SELECT state, ok, created_by FROM agent_command");
  expect(row).toEqual({ state: "done", ok: true, created_by: "admin" });
});

test("presets are listed and gone to", async () => {
  const ptz = (move: object) => scene.request("POST", "/api/v1/cameras/north/ptz", move);
  const listed = await ptz({ kind: "list_presets" });
  expect(listed).toMatchObject({ status: 200 });
  const [first] = (listed.body as { result: { presets: { token: string }[] } }).result.presets;
  expect(await ptz({ kind: "goto_preset", preset: first?.token })).toMatchObject({ status: 200 });
  expect(camera.ptzCommands.at(-1)).toMatchObject({ command: "GotoPreset", preset: first?.token });
});

test("a scan stays inside the site, and what it finds is in quarantine", async () => {
  const scan = (networks: string[]) =>
    scene.request("POST", `/api/v1/agents/${agent.agentId}/scan`, { networks });
  expect(await scan(["8.8.8.0/29"])).toMatchObject({
    status: 502,
    body: { details: { code: "SCAN_REFUSED" } },
  });
  expect(await scan([])).toMatchObject({ status: 400, body: { code: "VALIDATION_FAILED" } });
  expect(await scan(["10.255.255.248/30"])).toMatchObject({ status: 200 });
});

test("what the camera cannot do is answered with the agent's own code", async () => {
  const answer = await scene.request("POST", "/api/v1/cameras/plain/ptz", { kind: "stop" });
  expect(answer.status).toBe(502);
  expect(answer.body).toMatchObject({ code: "COMMAND_FAILED", details: { code: "CAMERA_UNSUPPORTED" } });
});

test("a command to an agent that is away fails at once, and nothing is kept for later", async () => {
  await scene.rows("INSERT INTO agent (id, name, secret_hash) VALUES ('away', 'Away', '\\x00')");
  await createCamera(scene.database.pool, "away", "south");
  const answer = await scene.request("POST", "/api/v1/cameras/south/ptz", { kind: "stop" });
  expect(answer).toMatchObject({ status: 409, body: { code: "AGENT_OFFLINE" } });
  expect(await scene.rows("SELECT 1 FROM agent_command WHERE agent_id = 'away'")).toEqual([]);
});

test("a command whose reply was lost is answered when it is sent again, and done once", async () => {
  await scene.rows("DELETE FROM agent_command");
  const before = commands().length;
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
    .toBe(1);
  expect(commands().slice(before)).toEqual(["GotoHomePosition"]);
});
