import { CameraSimulator } from "@huishi/camera-simulator";
import type { EdgeAgent } from "@huishi/edge-agent";
import { connectAgent, until } from "@huishi/testkit";
import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ControlScene } from "./test-support/control-scene.ts";

let scene: ControlScene;
let agent: EdgeAgent;
let simulator: CameraSimulator;
let beganMs = 0;

beforeAll(async () => {
  scene = await ControlScene.start();
  simulator = new CameraSimulator({ cacheDir: join(scene.folder, "cache") });
  const camera = await simulator.start({
    name: "Gate",
    source: { kind: "clock", width: 320, height: 240, fps: 10 },
    username: "operator",
    password: "pass",
  });
  const rtsp = { main: camera.rtspMainUrl };
  agent = await scene.agent({
    cameras: [{ id: "gate", rtsp, username: "operator", password: "pass" }],
    recordings: { ring: { segmentMs: 2_000, reserveBytes: 0 } },
  });
  beganMs = Date.now();
  const config = { site: {}, sensors: [], cameras: [{ id: "gate", rtsp, record: ["main"] }] };
  const answer = await scene.request("PUT", `/api/v1/agents/${agent.agentId}/config`, {
    expectedRevision: 0,
    config,
  });
  expect(answer.status).toBe(200);
  await until(
    "some seconds are recorded",
    async () => {
      const { body } = await list();
      const stretch = body?.stretches?.[0];
      return stretch !== undefined && stretch.toMs - stretch.fromMs > 5_000;
    },
    40_000,
  );
}, 90_000);
afterAll(async () => {
  await scene.close();
  await simulator.stop();
});

const list = () =>
  scene.request(
    "GET",
    `/api/v1/cameras/gate/recordings?fromMs=${beganMs - 60_000}&toMs=${beganMs + 3_600_000}`,
  );
const finished = (id: string) =>
  until(
    "the clip is there or failed",
    async () => {
      const { body } = await scene.request("GET", `/api/v1/clips/${id}`);
      return ["ready", "failed"].includes(body.state) && body;
    },
    30_000,
  );

test("a clip comes from the site's recording, is checked against the agent's key, and plays", async () => {
  const [stretch] = (await list()).body.stretches;
  const wanted = {
    fromMs: stretch.fromMs + 1_000,
    toMs: stretch.fromMs + 4_000,
    profile: "main",
    purpose: "a bicycle was stolen",
  };
  const { status, body: clip } = await scene.request("POST", "/api/v1/cameras/gate/clips", wanted);
  expect(status).toBe(201);
  expect(await finished(clip.id)).toMatchObject({ state: "ready", signature: "valid", code: null });
  const file = join(scene.folder, "clip.mp4");
  await writeFile(file, await scene.download(`/api/v1/clips/${clip.id}/media`));
  const raw = await scene.download(`/api/v1/clips/${clip.id}/media?format=raw`);
  expect(raw.subarray(0, 4)).toEqual(Buffer.from([0, 0, 0, 1]));
  const ask = [
    "-v",
    "error",
    "-count_frames",
    "-show_entries",
    "stream=codec_name,width,nb_read_frames",
    "-of",
    "csv=p=0",
  ];
  const { stdout, stderr } = await promisify(execFile)("ffprobe", [...ask, file]);
  expect(stderr).toBe("");
  const [codec, width, frames] = stdout.trim().split(",");
  expect([codec, width]).toEqual(["h264", "320"]);
  expect(Number(frames)).toBeGreaterThanOrEqual(30);
  const looks = await scene.rows<{ purpose: string }>("SELECT purpose FROM look WHERE camera_id = 'gate'");
  expect(looks.map(({ purpose }) => purpose)).toContain("a bicycle was stolen");
}, 60_000);

test("what was not recorded is a clip that failed, with the agent's reason", async () => {
  const wanted = { fromMs: 1_000, toMs: 2_000, profile: "main", purpose: "long ago" };
  const { body: clip } = await scene.request("POST", "/api/v1/cameras/gate/clips", wanted);
  expect(await finished(clip.id)).toMatchObject({ state: "failed", code: "RECORDING_NONE" });
}, 60_000);

test("a clip without a purpose is refused", async () => {
  const wanted = { fromMs: 1_000, toMs: 2_000, profile: "main" };
  expect((await scene.request("POST", "/api/v1/cameras/gate/clips", wanted)).status).toBe(400);
});

test("what the uplink lost is fetched by itself, where the camera is set to it", async () => {
  const { body } = await scene.request("GET", "/api/v1/cameras");
  const { version, name } = body.cameras[0];
  const patched = await scene.request("PATCH", "/api/v1/cameras/gate", { name, version, backfill: true });
  expect(patched.body).toMatchObject({ backfill: true });
  const [stretch] = (await list()).body.stretches;
  const event = {
    type: "media_gap",
    of: "live",
    reason: "uplink",
    cameraId: "gate",
    profile: "main",
    fromMs: stretch.fromMs + 1_000,
    toMs: stretch.fromMs + 3_000,
    seq: 0,
    capturedAtMs: Date.now(),
    agentAtMs: Date.now(),
  };
  await scene.stopAgent(agent);
  const identity = JSON.parse(await readFile(join(scene.folder, "agent", "identity.json"), "utf8"));
  const client = await connectAgent(Number(new URL(scene.mqttUrl).port), {
    id: agent.agentId,
    secret: identity.secret,
  });
  for (const _twice of [1, 2]) {
    const batch = JSON.stringify({ v: 1, boot: "0123456789abcdef", events: [event] });
    await client.publishAsync(`huishi/v1/${agent.agentId}/events`, batch, { qos: 1 });
  }
  await client.endAsync();
  await scene.untilOnline(agent.agentId, false);
  const clips = async () => (await scene.request("GET", "/api/v1/cameras/gate/clips")).body.clips;
  expect((await clips()).filter((clip: { purpose: string }) => clip.purpose === "backfill")).toMatchObject([
    { requestedBy: "huishi" },
  ]);
  agent = await scene.startAgent({ recordings: { ring: { segmentMs: 2_000, reserveBytes: 0 } } });
  const [wanted] = await clips();
  expect(await finished(wanted.id)).toMatchObject({
    state: "ready",
    signature: "valid",
    purpose: "backfill",
  });
}, 60_000);
