/** The RTSP server against real clients: ffmpeg, and GStreamer where it is installed. */
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CameraSimulator, type SimulatedCamera } from "./index.ts";
import {
  isInstalled,
  makeClip,
  makeTemporaryFolder,
  receivePackets,
  runProgram,
  withAccount,
} from "./test-support/tools.ts";

const USER = "operator";
const PASSWORD = "p@ss:w/rd";
const FPS = 25;

let folder: { path: string; remove: () => Promise<void> };
let simulator: CameraSimulator;
let camera: SimulatedCamera;

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  simulator = new CameraSimulator({ cacheDir: join(folder.path, "cache") });
  const path = await makeClip(join(folder.path, "bars.mp4"), 2, FPS);
  camera = await simulator.start({
    name: "Bars",
    source: { kind: "file", path },
    username: USER,
    password: PASSWORD,
    rtspSessionTimeoutMs: 1000,
  });
});

afterAll(async () => {
  await simulator.stop();
  await folder.remove();
});

/** Sends RTSP text and gives what comes back until the connection ends or `waitMs` pass. */
function talk(text: string, waitMs = 700): Promise<string> {
  const url = new URL(camera.rtspMainUrl);
  return new Promise((resolve) => {
    const socket = connect(Number(url.port), url.hostname, () => socket.write(text));
    let answer = "";
    const finish = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString("latin1")));
    socket.on("error", () => undefined);
    socket.on("close", finish);
    setTimeout(finish, waitMs);
  });
}

/** Waits until the condition holds; the test's own timeout bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(20);
}

describe("the RTSP server, read by ffmpeg with digest authentication", () => {
  it.each(["tcp", "udp"] as const)(
    "plays the main stream over %s, past the end of the file without a jump in time",
    // ffmpeg takes UDP ports by chance, which another program may hold, and UDP loses packets on a busy machine.
    { retry: 2 },
    async (transport) => {
      const { times, keyframes } = await receivePackets(
        withAccount(camera.rtspMainUrl, USER, PASSWORD),
        transport,
        5,
      );
      expect(times.length).toBeGreaterThanOrEqual(5 * FPS - 5);
      expect(keyframes).toBeGreaterThanOrEqual(2);
      const steps = times.slice(1).map((time, index) => time - (times[index] as number));
      expect(Math.min(...steps)).toBeGreaterThan(0);
      // One step a picture, with room for the rounding of 90 kHz and of ffmpeg's first, estimated times.
      expect(steps.filter((step) => Math.abs(step - 1 / FPS) > 0.002).length).toBeLessThanOrEqual(2);
    },
  );

  it("plays the sub stream, scaled to fit 640x360", async () => {
    const outcome = await runProgram("ffprobe", [
      ..."-v error -rtsp_transport tcp -show_entries stream=width,height,codec_name -of csv=p=0".split(" "),
      withAccount(camera.rtspSubUrl, USER, PASSWORD),
    ]);
    expect(outcome.stdout.toString().trim()).toBe("h264,320,240");
  });

  it("serves several clients at once", async () => {
    const url = withAccount(camera.rtspMainUrl, USER, PASSWORD);
    const received = await Promise.all([
      receivePackets(url, "tcp", 1),
      receivePackets(url, "udp", 1),
      receivePackets(url, "tcp", 1),
    ]);
    for (const { times } of received) expect(times.length).toBeGreaterThanOrEqual(FPS - 3);
  });

  it("answers a wrong password with 401 and counts it", async () => {
    const before = camera.statistics().failedSignIns;
    const outcome = await runProgram("ffprobe", [
      "-v",
      "error",
      "-rtsp_transport",
      "tcp",
      withAccount(camera.rtspMainUrl, USER, "wrong"),
    ]);
    expect(outcome.stderr).toContain("401");
    expect(camera.statistics().failedSignIns).toBe(before + 1);
  });

  it("refuses everyone while told to", async () => {
    camera.refuseAuth();
    const outcome = await runProgram("ffprobe", [
      "-v",
      "error",
      "-rtsp_transport",
      "tcp",
      withAccount(camera.rtspMainUrl, USER, PASSWORD),
    ]);
    camera.refuseAuth(false);
    expect(outcome.stderr).toContain("401");
  });
});

describe("the RTSP server's faults and limits", () => {
  it("cuts clients off, stops packets, and starts again with a keyframe", async () => {
    const url = withAccount(camera.rtspMainUrl, USER, PASSWORD);
    const cut = runProgram("ffmpeg", [
      ..."-v error -rtsp_transport tcp -i".split(" "),
      url,
      ..."-f null -".split(" "),
    ]);
    await until(() => camera.statistics().playingSessions === 1);
    camera.dropClients();
    await cut;
    expect(camera.statistics()).toMatchObject({ playingSessions: 0, rtspConnections: 0 });

    camera.stopPackets();
    const silent = runProgram(
      "ffprobe",
      ["-v", "error", "-rtsp_transport", "tcp", "-show_packets", url],
      1500,
    );
    await until(() => camera.statistics().playingSessions === 1);
    expect((await silent).stdout.toString()).not.toContain("[PACKET]");
    camera.stopPackets(false);
    expect((await receivePackets(url, "tcp", 1)).keyframes).toBeGreaterThanOrEqual(1);
  });

  it("closes a connection that talks garbage or sends an endless header, and goes on", async () => {
    expect(await talk("\x16\x03\x01 hello\r\n\r\n")).toContain("400 Bad Request");
    expect(await talk(`OPTIONS * RTSP/1.0\r\nX: ${"a".repeat(20_000)}`)).toContain("400 Bad Request");
    expect(await talk("OPTIONS * RTSP/1.0\r\nCSeq: 9\r\n\r\n")).toMatch(/RTSP\/1.0 200 OK\r\nCSeq: 9/);
  });

  it("names unknown streams, sessions, methods and requirements", async () => {
    await camera.stop();
    const path = join(folder.path, "bars.mp4");
    camera = await simulator.start({
      name: "Open",
      source: { kind: "file", path },
      rtspSessionTimeoutMs: 1000,
    });
    const base = camera.rtspMainUrl.replace("/main", "");
    const answers = await talk(
      `DESCRIBE ${base}/other RTSP/1.0\r\nCSeq: 1\r\n\r\nPLAY ${base}/main RTSP/1.0\r\nCSeq: 2\r\nSession: nope\r\n\r\nFLY ${base}/main RTSP/1.0\r\nCSeq: 3\r\n\r\n` +
        `OPTIONS * RTSP/1.0\r\nCSeq: 4\r\nRequire: magic\r\n\r\nSETUP ${base}/main/trackID=0 RTSP/1.0\r\nCSeq: 5\r\nTransport: RTP/SAVP\r\n\r\n`,
    );
    expect([...answers.matchAll(/RTSP\/1\.0 (\d+)/g)].map((match) => match[1])).toEqual([
      "404",
      "454",
      "501",
      "501",
      "461",
    ]);
  });

  it("ends a session over UDP whose client is silent", async () => {
    const setup = await talk(
      `SETUP ${camera.rtspMainUrl}/trackID=0 RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP;unicast;client_port=40000-40001\r\n\r\n`,
    );
    const session = /Session: ([0-9a-f]+);timeout=1/.exec(setup)?.[1];
    expect(session).toBeDefined();
    const play = (cseq: number): Promise<string> =>
      talk(`PLAY ${camera.rtspMainUrl} RTSP/1.0\r\nCSeq: ${cseq}\r\nSession: ${session}\r\n\r\n`, 200);
    expect(await play(2)).toMatch(/200 OK[\s\S]*RTP-Info: url=rtsp:.*;seq=\d+;rtptime=\d+/);
    await until(() => camera.statistics().playingSessions === 0);
    expect(await play(3)).toContain("454");
  });
});

describe("GStreamer's RTSP client", () => {
  const gstreamer = isInstalled("gst-launch-1.0");
  if (!gstreamer) console.log("skipped: gst-launch-1.0 is not installed");
  it.skipIf(!gstreamer).each(["tcp", "udp"])("decodes the stream over %s", async (transport) => {
    const command = `-q rtspsrc location=${camera.rtspMainUrl} protocols=${transport} ! rtph264depay ! h264parse ! fakesink num-buffers=20 silent=false -v`;
    const outcome = await runProgram("gst-launch-1.0", command.split(" "));
    expect(outcome.code).toBe(0);
  });
});
