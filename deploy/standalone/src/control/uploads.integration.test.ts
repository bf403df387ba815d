import { CameraSimulator } from "@huishi/camera-simulator";
import type { EdgeAgent } from "@huishi/edge-agent";
import { until } from "@huishi/testkit";
import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ControlScene } from "./test-support/control-scene.ts";

/** Incompressible enough to take several chunks. */
const LINES = Array.from({ length: 4_000 }, (_, i) =>
  JSON.stringify({ level: 30, time: i, msg: createHash("sha256").update(String(i)).digest("hex") }),
);

let scene: ControlScene;
let agent: EdgeAgent;
let simulator: CameraSimulator;
beforeAll(async () => {
  scene = await ControlScene.start();
  simulator = new CameraSimulator({ cacheDir: join(scene.folder, "cache") });
  const camera = await simulator.start({
    name: "Yard",
    source: { kind: "clock", width: 320, height: 240, fps: 10 },
    username: "operator",
    password: "pass",
  });
  agent = await scene.agent({
    cameras: [
      { id: "gate", rtsp: { main: "rtsp://127.0.0.1:9/live" } },
      { id: "yard", onvif: camera.onvifUrl, username: "operator", password: "pass" },
    ],
    logs: {
      newest: async (maxBytes) => Buffer.from(`${LINES.join("\n")}\n`).subarray(0, maxBytes),
    },
  });
  await until("the cameras are known", async () => (await scene.rows("SELECT FROM camera")).length === 2);
}, 60_000);
afterAll(async () => {
  await scene.close();
  await simulator.stop();
});

const finished = (id: string) =>
  until("the upload is there or failed", async () => {
    const { body } = await scene.request("GET", `/api/v1/uploads/${id}`);
    return ["ready", "failed"].includes(body.state) && body;
  });

test("an agent's log comes on request, whole, and nobody else can send it again", async () => {
  const { status, body: asked } = await scene.request("POST", `/api/v1/agents/${agent.agentId}/logs`, {});
  expect(status).toBe(202);
  expect(asked).toMatchObject({ kind: "logs", agentId: agent.agentId, requestedBy: "admin" });
  const upload = await finished(asked.id);
  expect(upload).toMatchObject({ state: "ready", code: null });
  const packed = await scene.download(`/api/v1/uploads/${asked.id}/content`);
  expect(upload.bytes).toBe(packed.byteLength);
  expect(upload.bytes).toBeGreaterThan(100_000);
  expect(upload.sha256).toBe(createHash("sha256").update(packed).digest("hex"));
  expect(gunzipSync(packed).toString().trimEnd().split("\n")).toEqual(LINES);
  expect(await readdir(join(scene.folder, "clips"))).toEqual([`${asked.id}.upload`]);
}, 60_000);

test("an agent tells its numbers when it is asked", async () => {
  const { status, body } = await scene.request("GET", `/api/v1/agents/${agent.agentId}/metrics`);
  expect(status).toBe(200);
  expect(body.numbers).toMatchObject({
    huishi_edge_centre_connected_up: 1,
    huishi_edge_outbox_lost_total: 0,
  });
  expect(body.leftOut).toBe(0);
});

test("what is not there, and an agent that nobody knows, are told by their codes", async () => {
  const unknown = await scene.request("GET", "/api/v1/uploads/unknown-upload");
  expect(unknown).toMatchObject({ status: 404, body: { code: "UPLOAD_NOT_FOUND" } });
  const other = await scene.request("POST", "/api/v1/agents/agent-unknown/logs", {});
  expect(other).toMatchObject({ status: 404, body: { code: "AGENT_NOT_FOUND" } });
});

test("a snapshot comes from the camera as a picture, and both looks at it are written down", async () => {
  const wanted = { purpose: "who left the yard open" };
  const { status, body: asked } = await scene.request("POST", "/api/v1/cameras/yard/snapshot", wanted);
  expect(status).toBe(202);
  expect(asked).toMatchObject({ kind: "snapshot", cameraId: "yard", purpose: wanted.purpose });
  expect(await finished(asked.id)).toMatchObject({ state: "ready", code: null });
  const picture = await scene.download(`/api/v1/uploads/${asked.id}/content`);
  expect(picture.subarray(0, 3)).toEqual(Buffer.from([0xff, 0xd8, 0xff]));
  const looks = await scene.rows<{ purpose: string }>("SELECT purpose FROM look WHERE camera_id = 'yard'");
  expect(looks.map(({ purpose }) => purpose)).toEqual([wanted.purpose, wanted.purpose]);
}, 30_000);

test("a snapshot that the camera does not give fails with the agent's reason, and the look is written down", async () => {
  const path = "/api/v1/cameras/gate/snapshot";
  expect((await scene.request("POST", path, {})).status).toBe(400);
  const answer = await scene.request("POST", path, { purpose: "is the gate open?" });
  expect(answer).toMatchObject({ status: 502, body: { code: "COMMAND_FAILED" } });
  const rows = await scene.rows<object>("SELECT state, code FROM agent_upload WHERE camera_id = 'gate'");
  expect(rows).toEqual([{ state: "failed", code: "COMMAND_FAILED" }]);
  const looks = await scene.rows<{ purpose: string }>("SELECT purpose FROM look WHERE camera_id = 'gate'");
  expect(looks.map(({ purpose }) => purpose)).toEqual(["is the gate open?"]);
}, 30_000);

test("an operator reads no log, neither its state nor its content", async () => {
  const [upload] = await scene.rows<{ id: string }>("SELECT id FROM agent_upload WHERE kind = 'logs'");
  await scene.database.pool.query("UPDATE app_user SET role = 'operator'");
  for (const path of [`/api/v1/uploads/${upload?.id}`, `/api/v1/uploads/${upload?.id}/content`])
    expect(await scene.request("GET", path)).toMatchObject({ status: 403, body: { code: "NOT_ALLOWED" } });
  const asked = await scene.request("POST", `/api/v1/agents/${agent.agentId}/logs`, {});
  expect(asked).toMatchObject({ status: 403 });
});
