// The installer's commands beside an agent that runs as a process of its own, with a simulated camera.
import { CameraSimulator } from "@huishi/camera-simulator";
import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CLAIM_CODE, TestCentre, until } from "../test-support/centre.ts";

const AGENT = fileURLToPath(new URL("../main.ts", import.meta.url));
const CLI = fileURLToPath(new URL("main.ts", import.meta.url));
const NODE_OPTIONS = ["--import", "tsx", "--conditions=huishi-source"];
const PASSWORD = "pass-of-the-camera";
const TOKEN = "token-of-the-status-page";

describe("huishi-edge beside a running agent", { timeout: 60_000 }, () => {
  let folder: string;
  let file: string;
  let centre: TestCentre;
  let simulator: CameraSimulator;
  let agent: ChildProcess;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-running-"));
    file = join(folder, "config.json");
    centre = await TestCentre.start();
    simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
    const camera = await simulator.start({
      name: "North \u001b[31mgate",
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
      username: "operator",
      password: PASSWORD,
    });
    await writeFile(
      file,
      JSON.stringify({
        stateDir: "state",
        serverUrl: centre.serverUrl,
        claimCode: CLAIM_CODE,
        cameras: [
          { id: "north", onvif: camera.onvifUrl, username: "operator", password: PASSWORD },
          { id: "gone", rtsp: { main: `rtsp://operator:${PASSWORD}@127.0.0.1:9/live` } },
        ],
        discovery: { enabled: false },
        statusPage: { port: await freePort(), password: TOKEN },
      }),
    );
  });
  afterAll(async () => {
    agent?.kill("SIGKILL");
    await simulator.stop();
    await centre.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const run = async (args: readonly string[], env: Record<string, string> = {}) => {
    const child = spawn(process.execPath, [...NODE_OPTIONS, CLI, ...args, "--config", file], {
      env: { PATH: process.env["PATH"], LANG: "C", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    let err = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    const [code] = (await once(child, "close")) as [number];
    return { code, out, err };
  };

  test("says clearly that the agent does not run, in both languages", async () => {
    expect(await run(["status"])).toMatchObject({
      code: 1,
      out: expect.stringContaining("does not run") as string,
    });
    expect((await run(["status"], { LANG: "zh_CN.UTF-8" })).out).toContain("没有运行");
    expect(JSON.parse((await run(["status", "--json"])).out)).toEqual({
      running: false,
      code: "STATUS_UNAVAILABLE",
    });
    expect(await run(["logs"])).toMatchObject({ code: 1 });
  });

  test("tells the running agent's state, each camera with its condition, and no secret", async () => {
    agent = fork(AGENT, [file], { execArgv: NODE_OPTIONS, stdio: "ignore" });
    await once(agent, "message");
    await until("both conditions", () => {
      const told = centre.eventsOf("camera_health");
      return (
        told.some(({ cameraId, condition }) => cameraId === "north" && condition === "online") &&
        told.some(({ cameraId, condition }) => cameraId === "gone" && condition === "unreachable")
      );
    });
    const { code, out } = await run(["status"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^ok {4}agent agent-1, version \S+, running for \d+ s$/m);
    expect(out).toMatch(/^ok {4}centre 127\.0\.0\.1:\d+: connected, for \d+ s$/m);
    expect(out).toMatch(/^ok {4}north \([^)]*\): online/m);
    expect(out).toMatch(/^FAIL {2}gone: unreachable CAMERA_UNREACHABLE/m);
    expect(out).not.toContain("\u001b");
    expect((await run(["status"], { LANG: "zh_CN.UTF-8" })).out).toContain("已连接");
    const json = (await run(["status", "--json"])).out;
    expect(JSON.parse(json)).toMatchObject({ running: true, identity: { agentId: "agent-1" } });
    for (const secret of [PASSWORD, TOKEN, CLAIM_CODE, "s3cret"]) expect(out + json).not.toContain(secret);
  });

  test("shows its log by level and camera, without secrets", async () => {
    const all = await run(["logs", "--json"]);
    expect(all.out).toContain("edge agent runs");
    expect(all.out).not.toContain(PASSWORD);
    const { code, out } = await run(["logs", "--camera", "gone", "--level", "warn"]);
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) expect(line).toMatch(/^\d{4}-\d\d-\d\d [\d:.]+ (WARN |ERROR) .*gone/);
    expect(await run(["logs", "--level", "loud"])).toMatchObject({ code: 2 });
  });

  test("follows the log until it is ended", async () => {
    const child = spawn(process.execPath, [...NODE_OPTIONS, CLI, "logs", "--follow", "--config", file], {
      env: { PATH: process.env["PATH"], LANG: "C" },
      stdio: ["ignore", "pipe", "ignore"],
    });
    let out = "";
    child.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
    await until("what was there", () => out.includes("edge agent runs"));
    agent.kill("SIGTERM");
    await until("what comes", () => out.includes("edge agent stops"));
    child.kill("SIGTERM");
    expect((await once(child, "close"))[0]).toBe(0);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}
