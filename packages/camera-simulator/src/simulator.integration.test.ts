/** Sources, discovery and the command line, with the real ffmpeg and real sockets. */
import { spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { readdir, truncate, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CameraSimulator, readClockBarcode } from "./index.ts";
import { VideoCache } from "./source/video-cache.ts";
import { makeClip, makeTemporaryFolder, runProgram } from "./test-support/tools.ts";

let folder: { path: string; remove: () => Promise<void> };
let simulator: CameraSimulator;
let cacheDir: string;
/** A port of our own, so that tests do not hear the machine's real devices. */
const discoveryPort = 20_000 + (process.pid % 20_000);

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  cacheDir = join(folder.path, "cache");
  simulator = new CameraSimulator({ cacheDir, discoveryPort });
});

afterAll(async () => {
  await simulator.stop();
  await folder.remove();
});

describe("a video file", () => {
  it.each([
    ["text", async (path: string) => await writeFile(path, "this is no video\n")],
    ["an empty file", async (path: string) => await writeFile(path, "")],
    [
      "a playlist that names other files",
      async (path: string) =>
        await writeFile(path, "#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n"),
    ],
    ["nothing at all", async () => undefined],
  ])("that is %s is refused with VIDEO_UNREADABLE in one line", async (what, write) => {
    const path = join(folder.path, `${what.replaceAll(" ", "-")}.mp4`);
    await write(path);
    const error = await simulator
      .start({ name: "x", source: { kind: "file", path } })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "VIDEO_UNREADABLE" });
    expect((error as Error).message).toMatch(/^[^\n]+ cannot be played: [^\n]+$/);
    expect(simulator.cameras).toHaveLength(0);
  });

  it("is converted once, however many cameras play it, and again when the cache was damaged", async () => {
    const path = await makeClip(join(folder.path, "tall.mkv"), 1, 24, "540x960");
    const conversions: string[] = [];
    const cache = new VideoCache(join(folder.path, "cache2"), (_fields, message) =>
      conversions.push(message),
    );
    const [first, second] = await Promise.all([cache.prepareFile(path), cache.prepareFile(path)]);
    expect(first).toEqual(second);
    await cache.prepareFile(path);
    expect(conversions).toHaveLength(1);
    await truncate(first.mainPath, 100);
    await cache.prepareFile(path);
    expect(conversions).toHaveLength(2);
    expect(await readdir(join(folder.path, "cache2"))).toHaveLength(1);
    const size = await runProgram("ffprobe", [
      ..."-v error -show_entries stream=width,height,avg_frame_rate -of csv=p=0".split(" "),
      first.mainPath,
    ]);
    expect(size.stdout.toString().trim()).toBe("404,720,24/1");
  });

  it.each([
    ["12.5", 12.5],
    ["60", 30],
    ["30000/1001", 29.97],
  ])("of %s frames a second is played at %s", async (rate, expected) => {
    const path = await makeClip(join(folder.path, "rate.mp4"), 2, rate, "160x120");
    const { mainPath } = await new VideoCache(join(folder.path, "cache3")).prepareFile(path);
    const shown = await runProgram("ffprobe", [
      ..."-v error -show_entries stream=r_frame_rate -of csv=p=0".split(" "),
      mainPath,
    ]);
    const [numerator = 0, denominator = 1] = shown.stdout.toString().trim().split("/").map(Number);
    expect(numerator / denominator).toBeCloseTo(expected, 1);
  });

  it("into a folder that cannot be written fails with VIDEO_CACHE_UNWRITABLE", async () => {
    const path = await makeClip(join(folder.path, "small.mp4"), 1);
    const blocked = join(folder.path, "blocked");
    await writeFile(blocked, "a file where the folder should be");
    await expect(new VideoCache(blocked).prepareFile(path)).rejects.toMatchObject({
      code: "VIDEO_CACHE_UNWRITABLE",
    });
  });
});

describe("the clock source", () => {
  it.each([
    ["main", 640, 360],
    ["sub", 640, 360],
  ] as const)(
    "can be read from the decoded %s stream and runs with the system's clock",
    async (name, width, height) => {
      const camera = await simulator.start({
        name: `clock-${name}`,
        source: { kind: "clock", width: 1280, height: 720, fps: 15 },
      });
      const url = name === "main" ? camera.rtspMainUrl : camera.rtspSubUrl;
      const command = `-v error -rtsp_transport tcp -i ${url} -frames:v 20 -vf scale=${width}:${height} -pix_fmt gray -f rawvideo pipe:1`;
      const startMs = Date.now();
      const { stdout } = await runProgram("ffmpeg", command.split(" "));
      await camera.stop();
      const pictures = Array.from({ length: 20 }, (_, index) =>
        stdout.subarray(index * width * height, (index + 1) * width * height),
      );
      const times = pictures.map((picture) => readClockBarcode(picture, width, height));
      expect(times.every((time) => time !== undefined)).toBe(true);
      expect(times).toEqual([...times].sort((a, b) => (a as number) - (b as number)));
      // The first pictures are those since the last keyframe, at most a second before the client came.
      expect(Math.abs((times[0] as number) - startMs)).toBeLessThan(20_000);
    },
  );

  it("refuses sizes that it cannot draw", async () => {
    await expect(simulator.start({ name: "x", source: { kind: "clock", width: 641 } })).rejects.toMatchObject(
      { code: "SIMULATOR_OPTIONS_INVALID" },
    );
  });
});

describe("a simulated camera", () => {
  it("says that a port is taken, and leaves nothing behind", async () => {
    const blocker = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => blocker.once("listening", resolve));
    const { port } = blocker.address() as { port: number };
    for (const ports of [{ rtspPort: port }, { onvifPort: port }]) {
      await expect(simulator.start({ name: "x", source: { kind: "clock" }, ...ports })).rejects.toMatchObject(
        { code: "SIMULATOR_PORT_UNAVAILABLE" },
      );
    }
    blocker.close();
    expect(simulator.cameras).toHaveLength(0);
  });

  it("refuses half an account", async () => {
    await expect(
      simulator.start({ name: "x", source: { kind: "clock" }, username: "a" }),
    ).rejects.toMatchObject({ code: "SIMULATOR_OPTIONS_INVALID" });
  });

  it("is found by WS-Discovery on loopback, one answer a camera, and no more after it stopped", async () => {
    const cameras = await Promise.all(
      ["One", "Two"].map((name) => simulator.start({ name, source: { kind: "clock" }, discovery: true })),
    );
    const seen = await probe();
    for (const camera of cameras) {
      const answer = seen.filter((message) => message.includes(camera.onvifUrl));
      expect(answer).toHaveLength(1);
      expect(answer[0]).toContain(`<a:Address>${camera.endpointAddress}</a:Address>`);
      expect(answer[0]).toContain("<a:RelatesTo>urn:uuid:probe</a:RelatesTo>");
    }
    await cameras[0]?.stop();
    const left = await probe();
    expect(left.filter((message) => message.includes("ProbeMatches"))).toHaveLength(1);
    await cameras[1]?.stop();
  });
});

/** Sends garbage and then one Probe to the group over loopback; gives all answers of the next half second. */
async function probe(): Promise<string[]> {
  const socket = createSocket("udp4");
  const answers: string[] = [];
  socket.on("message", (message) => answers.push(message.toString()));
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  socket.setMulticastInterface("127.0.0.1");
  const message =
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:MessageID>urn:uuid:probe</a:MessageID></s:Header>' +
    '<s:Body><d:Probe xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"><d:Types xmlns:dn="http://www.onvif.org/ver10/network/wsdl">dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body></s:Envelope>';
  for (const text of ["garbage", "<a>", message]) socket.send(text, discoveryPort, "239.255.255.250");
  await delay(500);
  socket.close();
  return answers;
}

describe("the command line", () => {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const run = (args: string[], env: Record<string, string> = {}) =>
    spawn(process.execPath, ["--import", "tsx", "--conditions=huishi-source", main, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });

  it("prints where the camera is, without its password, and stops on SIGTERM with status 0", async () => {
    const child = run(["--clock", "--username", "u", "--cache", cacheDir], {
      SIMULATOR_PASSWORD: "top-secret",
    });
    let output = "";
    await new Promise<void>((resolve) => {
      child.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
        if (output.includes("\n")) resolve();
      });
      child.once("close", () => resolve());
    });
    expect(output).toMatch(
      /^clock: http:\/\/127\.0\.0\.1:\d+\/onvif\/device_service rtsp:\S+\/main rtsp:\S+\/sub http:\S+\.jpg\n$/,
    );
    expect(output).not.toContain("top-secret");
    child.kill("SIGTERM");
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(0);
  });

  it("says in one coded line what is wrong with a file", async () => {
    const path = join(folder.path, "note.txt");
    await writeFile(path, "no video");
    const child = run(["--video", path, "--cache", cacheDir]);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => (errors += chunk.toString()));
    expect(await new Promise((resolve) => child.once("close", resolve))).toBe(1);
    expect(errors).toMatch(/^VIDEO_UNREADABLE: note\.txt cannot be played: [^\n]+\n$/);
  });
});
