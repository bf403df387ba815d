import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import { createLogger } from "@huishi/platform";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { CameraTimings } from "./application/camera-keeper.ts";
import { type EdgeAgent, startEdgeAgent } from "./compose.ts";
import type { CameraConfig, EdgeAgentConfig } from "./config.ts";
import { AGENT_ID, CLAIM_CODE, SECRET, TestCentre, until } from "./test-support/centre.ts";

const PASSWORD = "pa55 w'ord&<ü";
const QUICK: Partial<CameraTimings> = { healthIntervalMs: 300, retry: { baseDelayMs: 100, maxDelayMs: 300 } };

describe("edge agent", () => {
  let folder: string;
  let simulator: CameraSimulator;
  let centre: TestCentre;
  let log: string;
  const agents: EdgeAgent[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edge-agent-"));
    simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
  });
  afterAll(async () => {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    log = "";
    centre = await TestCentre.start();
  });
  afterEach(async () => {
    await Promise.all(agents.splice(0).map((agent) => agent.close()));
    await centre.stop();
    await Promise.all(simulator.cameras.map((camera) => camera.stop()));
  });

  const startCamera = (
    options: { password?: string; serial?: string; onvifPort?: number; rtspPort?: number } = {},
  ) =>
    simulator.start({
      name: "North gate",
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
      username: "operator",
      password: PASSWORD,
      ...options,
    });

  const startAgent = async (
    cameras: CameraConfig[],
    stateDir?: string,
    discovery: EdgeAgentConfig["discovery"] = { enabled: false },
  ): Promise<EdgeAgent> => {
    const destination = new Writable({
      write(chunk: Buffer, _encoding, done) {
        log += chunk.toString();
        done();
      },
    });
    const agent = await startEdgeAgent({
      stateDir: stateDir ?? (await mkdtemp(join(folder, "state-"))),
      serverUrl: centre.serverUrl,
      claimCode: CLAIM_CODE,
      cameras,
      discovery,
      logger: createLogger({ name: "edge-agent", destination }),
      timings: QUICK,
      // What these tests count are the sessions that demands open.
      watchPictures: false,
    });
    agents.push(agent);
    return agent;
  };

  const onvif = (camera: SimulatedCamera, more: Partial<CameraConfig> = {}): CameraConfig => ({
    onvif: camera.onvifUrl,
    username: "operator",
    password: PASSWORD,
    ...more,
  });

  const firstInventory = () => until("inventory", () => centre.eventsOf("camera_inventory")[0]);
  const condition = (wanted: string) =>
    until(`condition ${wanted}`, () => centre.eventsOf("camera_health").at(-1)?.condition === wanted);

  test("claims its identity once, keeps it to itself and tells its status", async () => {
    const stateDir = await mkdtemp(join(folder, "state-"));
    const agent = await startAgent([], stateDir);
    expect(agent.agentId).toBe(AGENT_ID);
    const status = await until("status", () => centre.statuses.find((each) => each.online));
    expect(status).toMatchObject({ outboxDepth: 0, outboxLost: 0 });
    expect(status.outboxBytes).toBeGreaterThan(0);
    expect((await stat(join(stateDir, "identity.json"))).mode & 0o777).toBe(0o600);
    await agents.pop()?.close();
    expect(centre.statuses.at(-1)?.online).toBe(false);
    await startAgent([], stateDir);
    expect(centre.claims).toHaveLength(1);
    expect(log).not.toContain(SECRET);
    expect(log).not.toContain(CLAIM_CODE);
  });

  test("describes an ONVIF camera and relays its picture only while it is demanded", async () => {
    const camera = await startCamera({ serial: "SIM-0042" });
    await startAgent([onvif(camera, { note: "clock picture" })]);
    const inventory = await firstInventory();
    expect(inventory).toMatchObject({
      name: "North gate",
      serial: "SIM-0042",
      note: "clock picture",
      ptz: true,
      hardwareAddress: expect.stringMatching(/^02:00(:[0-9a-f]{2}){4}$/),
      capabilities: ["motion_events", "media2", "snapshot", "presets"],
    });
    expect(inventory.endpoint).toBeUndefined();
    expect(inventory.cameraId).toMatch(/sim-0042$/);
    await condition("online");
    expect(camera.statistics().playingSessions).toBe(0);

    centre.demand(inventory.cameraId, ["main"]);
    const units = await until("ten pictures", () => {
      const all = centre.unitsOf(inventory.cameraId, "main");
      return all.length >= 10 ? all : null;
    });
    expect(units[0]?.keyframe).toBe(true);
    const now = Date.now();
    for (const [i, unit] of units.entries()) {
      expect(unit.capturedAtMs).toBeLessThanOrEqual(now);
      expect(unit.capturedAtMs).toBeGreaterThanOrEqual(units[i - 1]?.capturedAtMs ?? now - 30_000);
    }
    for (const text of [encodeURIComponent(PASSWORD), PASSWORD]) {
      expect(childProcesses().filter((pid) => commandLine(pid).includes(text))).toEqual([]);
    }

    centre.demand(inventory.cameraId, []);
    await until("the session to end", () => camera.statistics().playingSessions === 0);
    expect(camera.statistics().failedSignIns).toBe(0);
    expect(log).not.toContain(PASSWORD);
    expect(log).not.toContain(encodeURIComponent(PASSWORD));
  });

  test("reports the camera's own motion", async () => {
    const camera = await startCamera();
    await startAgent([onvif(camera)]);
    await until("subscription", () => camera.statistics().eventSubscriptions > 0);
    camera.setMotion(true);
    await until("motion", () => centre.eventsOf("camera_motion").at(-1)?.active === true);
    camera.setMotion(false);
    await until("no motion", () => centre.eventsOf("camera_motion").at(-1)?.active === false);
  });

  test("tries a wrong password exactly once and says so", async () => {
    const camera = await startCamera();
    await startAgent([onvif(camera, { password: "wrong" })]);
    await condition("auth_failed");
    expect(centre.eventsOf("camera_health").at(-1)?.code).toBe("CAMERA_AUTH_FAILED");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(camera.statistics().failedSignIns).toBe(1);
  });

  test("tries a wrong RTSP password exactly once too", async () => {
    const camera = await startCamera();
    await startAgent([
      { id: "gate", rtsp: { main: camera.rtspMainUrl }, username: "operator", password: "wrong" },
    ]);
    await condition("auth_failed");
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(camera.statistics().failedSignIns).toBe(1);
  });

  test("a password that is changed while pictures flow costs a few attempts at most, then rest", async () => {
    const camera = await startCamera();
    await startAgent([onvif(camera)]);
    const { cameraId } = await firstInventory();
    centre.demand(cameraId, ["main"], 600_000);
    await until("pictures", () => centre.unitsOf(cameraId, "main").length > 0);
    camera.refuseAuth();
    camera.dropClients();
    await condition("auth_failed");
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(camera.statistics().failedSignIns).toBeLessThanOrEqual(3);
  });

  test("main and sub of a camera with one stream share one connection", async () => {
    const camera = await startCamera();
    await startAgent([
      { id: "one", rtsp: { main: camera.rtspMainUrl }, username: "operator", password: PASSWORD },
    ]);
    await firstInventory();
    centre.demand("one", ["main", "sub"]);
    await until("main", () => centre.unitsOf("one", "main").length > 0);
    await until("sub", () => centre.unitsOf("one", "sub").length > 0);
    expect(camera.statistics().playingSessions).toBe(1);
  });

  test("says no_frames when the camera answers but sends no pictures", async () => {
    const camera = await startCamera();
    await startAgent([onvif(camera)]);
    const { cameraId } = await firstInventory();
    centre.demand(cameraId, ["main"], 600_000);
    await until("pictures", () => centre.unitsOf(cameraId, "main").length > 0);
    camera.stopPackets();
    await condition("no_frames");
    camera.stopPackets(false);
    await condition("online");
  });

  test("reports a camera that nobody can reach, and finds it when it comes", async () => {
    const gone = await startCamera({ serial: "LATE-7" });
    const ports = { onvifPort: Number(new URL(gone.onvifUrl).port) };
    await gone.stop();
    await startAgent([onvif(gone, { id: "late" })]);
    await condition("unreachable");
    expect(centre.eventsOf("camera_health").at(-1)?.code).toBe("CAMERA_UNREACHABLE");
    await startCamera({ serial: "LATE-7", ...ports });
    await condition("online");
  });

  test("a camera that dies and returns streams again without a new demand", async () => {
    const camera = await startCamera({ serial: "PHOENIX" });
    const ports = {
      onvifPort: Number(new URL(camera.onvifUrl).port),
      rtspPort: Number(new URL(camera.rtspMainUrl).port),
    };
    await startAgent([onvif(camera)]);
    const { cameraId } = await firstInventory();
    centre.demand(cameraId, ["main"], 600_000);
    await until("pictures", () => centre.unitsOf(cameraId, "main").length > 3);
    await camera.stop();
    await condition("unreachable");
    const before = centre.unitsOf(cameraId, "main").length;
    await startCamera({ serial: "PHOENIX", ...ports });
    await until("pictures again", () => centre.unitsOf(cameraId, "main").length > before + 3);
    expect(centre.unitsOf(cameraId, "main").some((unit) => unit.discontinuity)).toBe(true);
    await condition("online");
  });

  test("a hundred reconnects leave no child and no descriptor behind", { timeout: 180_000 }, async () => {
    const camera = await startCamera();
    await startAgent([
      { id: "gate", rtsp: { main: camera.rtspMainUrl }, username: "operator", password: PASSWORD },
    ]);
    await firstInventory();
    centre.demand("gate", ["main"], 600_000);
    const stream = () => centre.unitsOf("gate", "main").length;
    await until("pictures", () => stream() > 0);
    const descriptorsBefore = readdirSync("/proc/self/fd").length;
    const childrenBefore = childProcesses();
    for (let round = 0; round < 100; round++) {
      const before = stream();
      camera.dropClients();
      await until(`pictures of round ${round}`, () => stream() > before + 1);
    }
    expect(childProcesses()).toEqual(childrenBefore);
    expect(readdirSync("/proc/self/fd").length).toBeLessThanOrEqual(descriptorsBefore + 3);
  });

  test("delivers every event over an outage of the centre, and drops nothing else", async () => {
    const camera = await startCamera();
    await startAgent([onvif(camera)]);
    await condition("online");
    await until("subscription", () => camera.statistics().eventSubscriptions > 0);
    await centre.stopMqtt();
    for (let i = 0; i < 10; i++) {
      camera.setMotion(i % 2 === 0);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
    await centre.startMqtt();
    await until("all motion events", () => centre.eventsOf("camera_motion").length >= 10);
    const seqs = new Set(centre.events.map(({ boot, event }) => `${boot}/${event.seq}`));
    expect(seqs.size).toBe(centre.events.length);
  });

  test("a refused claim code ends the start with a coded error", async () => {
    await expect(
      startEdgeAgent({
        stateDir: await mkdtemp(join(folder, "state-")),
        serverUrl: centre.serverUrl,
        claimCode: "claim-code-that-is-wrong",
        cameras: [],
        discovery: { enabled: false },
        logger: createLogger({ name: "edge-agent", level: "silent" }),
      }),
    ).rejects.toMatchObject({ code: "CLAIM_REFUSED" });
  });

  test("an authority's file that cannot be read ends the start before the code is used up", async () => {
    await expect(
      startEdgeAgent({
        stateDir: await mkdtemp(join(folder, "state-")),
        serverUrl: centre.serverUrl,
        claimCode: CLAIM_CODE,
        mqttCaFile: join(folder, "no-such-ca.pem"),
        cameras: [],
        discovery: { enabled: false },
        logger: createLogger({ name: "edge-agent", level: "silent" }),
      }),
    ).rejects.toMatchObject({ code: "CONFIG_INVALID" });
    expect(centre.claims).toEqual([]);
  });

  test("takes over discovered cameras, and follows one to its new address", async () => {
    const port = await freeUdpPort();
    const site = new CameraSimulator({ cacheDir: join(folder, "cache"), discoveryPort: port });
    const camera = {
      name: "Found",
      serial: "FOUND-1",
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
      username: "operator",
      password: PASSWORD,
      discovery: true,
    } as const;
    const first = await site.start(camera);
    await startAgent([], undefined, {
      enabled: true,
      interfaceAddress: "127.0.0.1",
      port,
      intervalMs: 1_000,
      adopt: true,
      credentials: { username: "operator", password: PASSWORD },
    });
    const { cameraId, endpoint } = await firstInventory();
    expect(cameraId).toMatch(/found-1$/);
    expect(endpoint).toBe(first.endpointAddress);
    await first.stop();
    const second = await site.start(camera);
    const address = new URL(second.onvifUrl).host;
    const moved = await until("the new address", () =>
      centre.eventsOf("camera_inventory").find((event) => event.address === address),
    );
    expect(moved.cameraId).toBe(cameraId);
    await site.stop();
  });

  test("an unknown device is put in quarantine: told once, never signed in to, though credentials are there", async () => {
    const port = await freeUdpPort();
    const site = new CameraSimulator({ cacheDir: join(folder, "cache"), discoveryPort: port });
    const stranger = await site.start({
      name: "Stranger",
      source: { kind: "clock", width: 320, height: 240, fps: 5 },
      username: "operator",
      password: PASSWORD,
      discovery: true,
    });
    const credentials = { username: "operator", password: "wrong" };
    await startAgent([], undefined, {
      enabled: true,
      interfaceAddress: "127.0.0.1",
      port,
      intervalMs: 1_000,
      credentials,
    });
    const found = await until("the device", () => centre.eventsOf("device_found")[0]);
    expect(found).toMatchObject({
      deviceKey: stranger.endpointAddress,
      how: "ws_discovery",
      address: new URL(stranger.onvifUrl).host,
      name: "Stranger",
    });
    await new Promise((resolve) => setTimeout(resolve, 6_000));
    expect(centre.eventsOf("device_found")).toHaveLength(1);
    expect(centre.eventsOf("camera_inventory")).toEqual([]);
    expect(stranger.statistics().failedSignIns).toBe(0);
    await site.stop();
  });

  test("a camera that is named by its found device is followed to a new address, and stays the same camera", async () => {
    const port = await freeUdpPort();
    const site = new CameraSimulator({ cacheDir: join(folder, "cache"), discoveryPort: port });
    const camera = {
      name: "Nomad",
      serial: "NOMAD-7",
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
      username: "operator",
      password: PASSWORD,
      discovery: true,
    } as const;
    const first = await site.start(camera);
    const device = first.endpointAddress;
    await startAgent([{ id: "gate", device, username: "operator", password: PASSWORD }], undefined, {
      enabled: true,
      interfaceAddress: "127.0.0.1",
      port,
      intervalMs: 1_000,
    });
    const at = (url: string) => () =>
      centre.eventsOf("camera_inventory").find(({ address }) => address === new URL(url).host);
    expect((await until("the camera", at(first.onvifUrl))).cameraId).toBe("gate");
    await first.stop();
    const second = await site.start(camera);
    expect((await until("the new address", at(second.onvifUrl))).cameraId).toBe("gate");
    expect(second.statistics().failedSignIns).toBe(0);
    await site.stop();
  });

  test("a wrong password costs one attempt, over all paths and a restart", async () => {
    const stateDir = await mkdtemp(join(folder, "state-"));
    const camera = await startCamera();
    const wrong = { ...onvif(camera), password: "not-it" };
    const refusals = (): number =>
      centre.eventsOf("camera_health").filter(({ code }) => code === "CAMERA_AUTH_FAILED").length;
    await startAgent([wrong], stateDir);
    await until("the refusal", () => refusals() >= 1 || undefined);
    await agents.pop()?.close();
    await startAgent([wrong], stateDir);
    await until("the refusal after the restart", () => refusals() >= 2 || undefined);
    expect(camera.statistics().failedSignIns).toBe(1);
    expect(await readFile(join(stateDir, "sign-ins.json"), "utf8")).not.toContain("not-it");
  });

  test("a camera keeps its id under a new address", async () => {
    const stateDir = await mkdtemp(join(folder, "state-"));
    const camera = await startCamera({ serial: "NOMAD-1" });
    await startAgent([onvif(camera)], stateDir);
    const { cameraId } = await firstInventory();
    await agents.pop()?.close();
    await camera.stop();
    const moved = await startCamera({ serial: "NOMAD-1" });
    await startAgent([onvif(moved)], stateDir);
    const again = await until("inventory", () => centre.eventsOf("camera_inventory")[1]);
    expect(again.cameraId).toBe(cameraId);
    expect(await readFile(join(stateDir, "cameras.json"), "utf8")).not.toContain(PASSWORD);
  });
});

async function freeUdpPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  socket.close();
  return port;
}

/** Process ids of the ffmpeg children of this very process that copy a camera. */
function childProcesses(): string[] {
  return readdirSync("/proc").filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const status = readFileSync(`/proc/${pid}/stat`, "utf8");
      return status.slice(status.lastIndexOf(")") + 2).split(" ")[1] === String(process.pid);
    } catch {
      return false;
    }
  });
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
