// One RTSP camera of eight misbehaves, in one way after another: the other seven never notice.
import type { ServerFaults, SimulatedCamera, StreamFaults } from "@huishi/camera-simulator";
import { sleep } from "@huishi/kernel";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { until } from "../test-support/centre.ts";
import { HostileSite } from "./test-support/hostile-site.ts";

const ACCOUNT = { username: "operator", password: "pa55word" };
let site: HostileSite;
let camera: SimulatedCamera;

beforeAll(async () => {
  site = await HostileSite.start();
  const source = { kind: "clip", codec: "h264", width: 320, height: 240, fps: 15, groupSeconds: 1 } as const;
  camera = await site.simulator.start({ name: "Hostile", source, ...ACCOUNT });
  await site.run({ rtsp: { main: camera.rtspMainUrl }, ...ACCOUNT });
  await flows();
}, 120_000);
afterAll(() => site.stop(), 60_000);
afterEach(async () => {
  camera.faults.clear();
  await flows();
}, 60_000);

/** The hostile camera's pictures come (again). */
async function flows(): Promise<void> {
  const before = site.hostileUnits();
  await until("the hostile camera's pictures", () => site.hostileUnits() > before + 5, 40_000);
  await until("its condition", () => site.healthEvents().at(-1)?.condition === "online", 40_000);
}

/** Waits for one of the codes behind the first `told` health events; a failure names what came instead. */
async function told(codes: readonly string[], told: number): Promise<void> {
  const since = () => site.healthEvents().slice(told);
  try {
    await until("the fault", () => since().some(({ code }) => codes.includes(code ?? "")), 40_000);
  } catch {
    expect(since().map(({ condition, code }) => `${condition} ${code ?? ""}`)).toEqual(codes);
  }
}

describe("the seven flow on, and the eighth gets a coded condition, when its server", () => {
  test.each<[string, ServerFaults, readonly string[]]>([
    ["is silent", { answers: "silent" }, ["CAMERA_UNREACHABLE"]],
    ["never answers PLAY", { answers: "half_open" }, ["CAMERA_UNREACHABLE"]],
    ["answers one byte a second", { answers: "drip" }, ["CAMERA_UNREACHABLE"]],
    ["sends a header without an end", { answers: "endless_header" }, ["RTSP_PROTOCOL"]],
    [
      "sends us to the machine's metadata service",
      { redirect: { status: 302, location: "rtsp://169.254.169.254/latest" } },
      ["RTSP_REDIRECT_REFUSED"],
    ],
    [
      "has moved for good",
      { redirect: { status: 301, location: "rtsp://10.1.2.3/" } },
      ["RTSP_REDIRECT_REFUSED"],
    ],
  ])("%s", { timeout: 120_000 }, async (_what, faults, codes) => {
    const mark = site.mark();
    const before = site.healthEvents().length;
    camera.faults.setServer(faults);
    camera.dropClients();
    await told(codes, before);
    await site.expectUnharmed(mark);
  });

  test("names another host in its description: nobody is called there", { timeout: 120_000 }, async () => {
    const mark = site.mark();
    const elsewhere = `rtsp://127.0.0.1:${site.canary.port}/`;
    for (const faults of [
      { contentBase: elsewhere },
      { control: `${elsewhere}trackID=0` },
      { redirect: { status: 302, location: elsewhere } },
    ] as const) {
      camera.faults.setServer(faults);
      camera.dropClients();
      await sleep(1_500);
    }
    expect(site.canary.connections).toBe(0);
    await site.expectUnharmed(mark);
  });

  test("refuses everybody, and locks out: few attempts, then rest", { timeout: 120_000 }, async () => {
    const mark = site.mark();
    const failedBefore = camera.statistics().failedSignIns;
    const before = site.healthEvents().length;
    camera.faults.setServer({ refusesAll: true });
    camera.dropClients();
    expect(await site.fault(before)).toMatchObject({
      code: expect.stringMatching(/CAMERA_AUTH_FAILED|RTSP_STREAM_ENDED/),
    });
    await until("the refusal", () => site.healthEvents().at(-1)?.condition === "auth_failed", 40_000);
    await sleep(800);
    expect(camera.statistics().failedSignIns - failedBefore).toBeLessThanOrEqual(3);
    await site.expectUnharmed(mark);
  });
});

describe("the eighth flows on when its camera", () => {
  test.each<[string, ServerFaults]>([
    ["takes UDP only", { refusesTransport: "tcp" }],
    ["asks for SHA-256", { signIn: "digest_sha256" }],
    ["asks for basic", { signIn: "basic" }],
    ["calls its nonces stale", { staleNonces: 2 }],
  ])("%s", { timeout: 120_000 }, async (_what, faults) => {
    const mark = site.mark();
    const failedBefore = camera.statistics().failedSignIns;
    camera.faults.setServer(faults);
    camera.dropClients();
    await flows();
    expect(camera.statistics().failedSignIns).toBe(failedBefore);
    await site.expectUnharmed(mark);
  });
});

describe("the seven flow on, and the eighth comes back by itself, when its stream", () => {
  test.each<[string, StreamFaults]>([
    ["has one bit in 10,000 turned over", { bitFlipRate: 1e-4 }],
    ["has one bit in 1,000 turned over", { bitFlipRate: 1e-3 }],
    ["has one bit in 100 turned over", { bitFlipRate: 1e-2 }],
    ["has one bit in 10 turned over", { bitFlipRate: 1e-1 }],
    ["has its units cut short", { truncateRate: 0.5 }],
    ["loses a third of its packets", { lossRate: 0.3 }],
    ["has its packets swapped", { reorderRate: 0.3 }],
    ["jumps in number and time", { sequenceJumpEvery: 7, timestampJumpEvery: 7 }],
    ["passes the end of its numbers", { wrapsAfterMs: 500 }],
    ["carries bytes that are no frame", { garbageRate: 0.2 }],
    ["is cut in the middle of a group", { cutAfterPictures: 7 }],
  ])("%s", { timeout: 120_000 }, async (_what, faults) => {
    const mark = site.mark();
    camera.faults.setStream("main", faults);
    camera.dropClients();
    await site.expectUnharmed(mark);
  });

  test("falls silent", { timeout: 120_000 }, async () => {
    const mark = site.mark();
    const before = site.healthEvents().length;
    camera.faults.setStream("main", { silentAfterMs: 500 });
    camera.dropClients();
    await told(["RTSP_NO_FRAMES"], before);
    await site.expectUnharmed(mark);
  });

  test("changes its resolution, and its codec with and without saying so", { timeout: 180_000 }, async () => {
    const mark = site.mark();
    await camera.faults.replacePictures("main", { codec: "h264", width: 640, height: 360, groupSeconds: 1 });
    await flows();
    await camera.faults.replacePictures("main", { codec: "h265", width: 320, height: 240, groupSeconds: 1 });
    await sleep(2_500);
    await site.expectUnharmed(mark);
    camera.dropClients();
    const isHevc = (): boolean => site.centre.unitsOf("hostile", "main").at(-1)?.codec === "h265";
    await until("pictures in H.265", isHevc, 40_000);
    await camera.faults.replacePictures(
      "main",
      { codec: "h264", width: 320, height: 240, groupSeconds: 1 },
      { announced: false },
    );
    await sleep(2_500);
    await site.expectUnharmed(mark, 30);
  });

  test("is a picture of 16384x8192", { timeout: 120_000 }, async () => {
    await camera.faults.replacePictures("main", "giant");
    const mark = site.mark();
    await site.expectUnharmed(mark, 40);
  });
});
