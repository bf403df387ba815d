/** Each fault of the RTSP server, seen by a bare client and by ffmpeg. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CameraSimulator, type SimulatedCamera } from "../index.ts";
import { RawRtsp, digestAnswer } from "../test-support/raw-rtsp.ts";
import { makeTemporaryFolder, runProgram, withAccount } from "../test-support/tools.ts";

const ACCOUNT = { username: "operator", password: "secret" };
let folder: { path: string; remove: () => Promise<void> };
let simulator: CameraSimulator;
let camera: SimulatedCamera;
let client: RawRtsp;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  simulator = new CameraSimulator({ cacheDir: join(folder.path, "cache") });
}, 60_000);
afterEach(async () => {
  client.close();
  await camera.stop();
});
afterAll(async () => {
  await simulator.stop();
  await folder.remove();
});

async function start(account: Partial<typeof ACCOUNT> = {}): Promise<void> {
  const source = { kind: "clip", codec: "h264", width: 160, height: 120, groupSeconds: 1 } as const;
  camera = await simulator.start({ name: "Server", source, ...account });
  client = await RawRtsp.open(camera.rtspMainUrl);
}

const signIn = async (challenge: string, password = ACCOUNT.password): Promise<string> =>
  client.ask("DESCRIBE", {
    headers: digestAnswer(
      challenge,
      { ...ACCOUNT, password },
      { method: "DESCRIBE", uri: camera.rtspMainUrl },
    ),
  });

test(
  "it is silent, half open, slow, or never comes to the end of a header",
  { timeout: 60_000 },
  async () => {
    await start();
    camera.faults.setServer({ answers: "silent" });
    expect(await client.ask("OPTIONS", { waitMs: 600 })).toBe("");
    expect(client.closed).toBe(false);
    camera.faults.setServer({ answers: "half_open" });
    client.close();
    client = await RawRtsp.open(camera.rtspMainUrl);
    expect(await client.ask("DESCRIBE")).toContain("200 OK");
    expect(await client.play(600)).toBe("");
    camera.faults.setServer({ answers: "drip" });
    client.close();
    client = await RawRtsp.open(camera.rtspMainUrl);
    await client.ask("OPTIONS", { waitMs: 2_300 });
    expect(client.bytes).toBe(2);
    camera.faults.setServer({ answers: "endless_header" });
    client.close();
    client = await RawRtsp.open(camera.rtspMainUrl);
    expect(await client.ask("OPTIONS", { waitMs: 1_000 })).toBe("");
    expect(client.bytes).toBeGreaterThan(20_000);
  },
);

test("it sends elsewhere: redirect, content base, control", async () => {
  await start();
  camera.faults.setServer({ redirect: { status: 302, location: "rtsp://169.254.169.254/x" } });
  expect(await client.ask("DESCRIBE")).toMatch(/302 Moved Temporarily\r\n[\s\S]*Location: rtsp:\/\/169/);
  camera.faults.setServer({ contentBase: "rtsp://127.0.0.1:9/", control: "rtsp://10.9.9.9/track" });
  const described = await client.ask("DESCRIBE");
  expect(described).toContain("Content-Base: rtsp://127.0.0.1:9/");
  expect(described).toContain("a=control:rtsp://10.9.9.9/track");
});

test("it plays over one transport only, and ffmpeg falls back to it", async () => {
  await start();
  camera.faults.setServer({ refusesTransport: "tcp" });
  expect(await client.play()).toContain("454");
  const command = `-v error -rtsp_transport udp -show_entries stream=codec_name -of csv=p=0 ${camera.rtspMainUrl}`;
  expect((await runProgram("ffprobe", command.split(" "))).stdout.toString()).toContain("h264");
});

test("it asks for SHA-256 or basic, and calls a nonce stale", async () => {
  await start(ACCOUNT);
  camera.faults.setServer({ signIn: "digest_sha256", staleNonces: 1 });
  const challenge = await client.ask("DESCRIBE");
  expect(challenge).toContain("algorithm=SHA-256");
  const stale = await signIn(challenge);
  expect(stale).toContain("stale=true");
  expect(await signIn(stale)).toContain("200 OK");
  expect(camera.statistics().failedSignIns).toBe(0);
  camera.faults.setServer({ signIn: "basic" });
  expect(await client.ask("DESCRIBE")).toMatch(/WWW-Authenticate: Basic realm=/);
  const url = withAccount(camera.rtspMainUrl, ACCOUNT.username, ACCOUNT.password);
  const command = `-v error -rtsp_transport tcp -show_entries stream=codec_name -of csv=p=0 ${url}`;
  expect((await runProgram("ffprobe", command.split(" "))).stdout.toString()).toContain("h264");
});

test("it counts wrong sign-ins and locks out, the right password too", async () => {
  await start(ACCOUNT);
  camera.faults.setServer({ lockOutAfter: 2 });
  const challenge = await client.ask("DESCRIBE");
  expect(await signIn(challenge, "wrong")).toContain("401");
  expect(await signIn(challenge, "wrong")).toContain("401");
  expect(await signIn(challenge)).toContain("403 Forbidden");
  expect(camera.statistics().failedSignIns).toBe(2);
  camera.faults.setServer({ refusesAll: true });
  expect(await signIn(challenge)).toContain("401");
  await delay(0);
});
