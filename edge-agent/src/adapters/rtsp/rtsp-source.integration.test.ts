import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import { spawnSync } from "node:child_process";
import { getEventListeners } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { SourceUnit } from "../../application/ports.ts";
import { edgeFaultCode } from "../../domain/faults.ts";
import { RtspSource, type RtspSourceOptions } from "./rtsp-source.ts";

const ACCOUNT = { username: "operator", password: "pa55 w'ord&<ü" };

describe("a camera's stream over RTSP", () => {
  let folder: string;
  let simulator: CameraSimulator;
  let camera: SimulatedCamera;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "rtsp-source-"));
    simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
    camera = await simulator.start({
      name: "gate",
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
      ...ACCOUNT,
    });
  });
  afterAll(async () => {
    await simulator.stop();
    await rm(folder, { recursive: true, force: true });
  });

  test("gives whole pictures from a keyframe on, which a decoder takes without a fault", async () => {
    const units = await collect({ url: camera.rtspMainUrl, account: ACCOUNT }, 25);
    expect(units[0]).toMatchObject({ keyframe: true, codec: "h264" });
    const steps = units.slice(1).map(({ ptsMs }, i) => Math.round(ptsMs - (units[i] as SourceUnit).ptsMs));
    expect(Math.min(...steps)).toBeGreaterThan(0);
    expect(decodedPictures(units)).toBe(units.length);
  });

  test("says goodbye, and leaves no session behind", async () => {
    await collect({ url: camera.rtspMainUrl, account: ACCOUNT }, 3);
    await expect.poll(() => camera.statistics().playingSessions).toBe(0);
    await expect.poll(() => camera.statistics().rtspConnections).toBe(0);
  });

  test("tries a wrong password once", async () => {
    const before = camera.statistics().failedSignIns;
    expect(await failure({ url: camera.rtspMainUrl, account: { ...ACCOUNT, password: "no" } })).toBe(
      "CAMERA_AUTH_FAILED",
    );
    expect(await failure({ url: camera.rtspMainUrl, account: null })).toBe("CAMERA_AUTH_FAILED");
    expect(camera.statistics().failedSignIns).toBe(before + 1);
  });

  test("a camera that is away leaves nothing on the stream's signal, however often it is tried", async () => {
    const stop = new AbortController();
    const source = new RtspSource({ url: "rtsp://127.0.0.1:1/main", account: null });
    for (let i = 0; i < 5; i++)
      await expect(source.run(stop.signal, () => undefined)).rejects.toMatchObject({
        code: "CAMERA_UNREACHABLE",
      });
    expect(getEventListeners(stop.signal, "abort")).toEqual([]);
  });

  test("ends when packets stop, and when the camera cuts it", async () => {
    camera.stopPackets();
    expect(
      await failure({ url: camera.rtspMainUrl, account: ACCOUNT, firstFrameMs: 500, noFramesMs: 500 }),
    ).toBe("RTSP_NO_FRAMES");
    camera.stopPackets(false);
    const ended = failure({ url: camera.rtspMainUrl, account: ACCOUNT });
    await expect.poll(() => camera.statistics().playingSessions).toBe(1);
    camera.dropClients();
    expect(["RTSP_STREAM_ENDED", "CAMERA_UNREACHABLE"]).toContain(await ended);
  });
});

describe("a hostile RTSP server", () => {
  const servers: Server[] = [];
  const sockets = new Set<Socket>();
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers.splice(0)) server.close();
  });

  const serve = async (answer: (request: string, socket: Socket) => void): Promise<string> => {
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("data", (bytes) => answer(bytes.toString("latin1"), socket));
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return `rtsp://127.0.0.1:${(server.address() as AddressInfo).port}/main`;
  };
  const reply = (status: string, more = "") => `RTSP/1.0 ${status}\r\nCSeq: 1\r\n${more}\r\n`;

  test.each([
    ["garbage", (_: string, socket: Socket) => socket.write(Buffer.alloc(2000, 7)), "RTSP_PROTOCOL"],
    ["HTTP", (_: string, socket: Socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"), "RTSP_PROTOCOL"],
    [
      "a redirect",
      (_: string, socket: Socket) =>
        socket.write(reply("302 Moved", "Location: rtsp://169.254.169.254/\r\n")),
      "RTSP_REDIRECT_REFUSED",
    ],
    ["no such stream", (_: string, socket: Socket) => socket.write(reply("404 Not Found")), "RTSP_NOT_FOUND"],
    [
      "endless headers",
      (_: string, socket: Socket) => socket.write(`RTSP/1.0 200 OK\r\n${"x: y\r\n".repeat(100_000)}`),
      "RTSP_PROTOCOL",
    ],
    ["an empty session description", (_: string, s: Socket) => s.write(reply("200 OK")), "CAMERA_CODEC"],
    ["silence", () => undefined, "CAMERA_UNREACHABLE"],
    ["a dripping answer", (_: string, socket: Socket) => socket.write("R"), "CAMERA_UNREACHABLE"],
  ])("that answers with %s costs a coded error", async (_name, answer, code) => {
    const url = await serve(answer as (request: string, socket: Socket) => void);
    expect(await failure({ url, account: null, timeoutMs: 400 })).toBe(code);
  });

  test("whose interleaved data is garbage costs a coded error, and no picture", async () => {
    const sdp = "v=0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:t\r\n";
    const url = await serve((request, socket) => {
      const more: Record<string, string> = {
        DESCRIBE: `Content-Length: ${sdp.length}\r\n\r\n${sdp}`,
        SETUP: "Session: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\r\n",
        PLAY: "\r\n",
      };
      const method = request.split(" ")[0] as string;
      const cseq = /CSeq: (\d+)/.exec(request)?.[1];
      socket.write(`RTSP/1.0 200 OK\r\nCSeq: ${cseq}\r\n${more[method] ?? "\r\n"}`);
      if (method === "PLAY") socket.write(Buffer.from("$\0\0\x04abcd\x01\x02\x03 not RTSP at all", "latin1"));
    });
    expect(await failure({ url, account: null })).toBe("RTSP_PROTOCOL");
  });
});

/** Runs a source until it gave so many pictures. */
async function collect(options: RtspSourceOptions, count: number): Promise<SourceUnit[]> {
  const units: SourceUnit[] = [];
  const stop = new AbortController();
  const run = new RtspSource(options).run(stop.signal, (some) => {
    units.push(...some);
    if (units.length >= count) stop.abort(new Error("enough"));
  });
  await expect(run).rejects.toThrow("enough");
  return units.slice(0, count);
}

async function failure(options: RtspSourceOptions): Promise<string | null> {
  try {
    await new RtspSource(options).run(AbortSignal.timeout(15_000), () => undefined);
    return null;
  } catch (error) {
    return edgeFaultCode(error) ?? String(error);
  }
}

function decodedPictures(units: readonly SourceUnit[]): number {
  const { stdout, stderr } = spawnSync(
    "ffmpeg",
    ["-v", "error", "-f", "h264", "-i", "pipe:0", "-f", "framemd5", "pipe:1"],
    { input: Buffer.concat(units.map(({ annexB }) => annexB)), encoding: "utf8" },
  );
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line.startsWith("0,")).length;
}
