/** Each fault of pictures and packets, seen by ffmpeg and by a bare client. */
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { CameraSimulator, type SimulatedCamera } from "../index.ts";
import { RawRtsp, type RtpPacket } from "../test-support/raw-rtsp.ts";
import { makeTemporaryFolder, receivePackets, runProgram } from "../test-support/tools.ts";

let folder: { path: string; remove: () => Promise<void> };
let simulator: CameraSimulator;
let camera: SimulatedCamera;
const clients: RawRtsp[] = [];

beforeAll(async () => {
  folder = await makeTemporaryFolder();
  simulator = new CameraSimulator({ cacheDir: join(folder.path, "cache") });
  const source = { kind: "clip", codec: "h264", width: 320, height: 240, groupSeconds: 1 } as const;
  camera = await simulator.start({ name: "Faulty", source });
}, 60_000);
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
  camera.faults.clear();
});
afterAll(async () => {
  await simulator.stop();
  await folder.remove();
});

/** Plays until so many packets have come, or the connection has ended. */
async function receive(count: number): Promise<{ packets: RtpPacket[]; skipped: number; client: RawRtsp }> {
  const client = await RawRtsp.open(camera.rtspMainUrl);
  clients.push(client);
  await client.play();
  for (;;) {
    const received = client.packets();
    if (received.packets.length >= count || client.closed) return { ...received, client };
    await delay(20);
  }
}

const steps = (packets: readonly RtpPacket[], field: "sequence" | "timestamp", modulus: number): number[] =>
  packets.slice(1).map((packet, i) => (packet[field] - (packets[i] as RtpPacket)[field] + modulus) % modulus);

async function probe(url: string): Promise<string> {
  const command = "-v error -rtsp_transport tcp -show_entries stream=codec_name,width,height -of csv=p=0";
  return (await runProgram("ffprobe", [...command.split(" "), url])).stdout.toString().trim();
}

test("an H.265 camera is decoded by ffmpeg without a complaint", { timeout: 60_000 }, async () => {
  const source = { kind: "clip", codec: "h265", width: 640, height: 360, groupSeconds: 1 } as const;
  const hevc = await simulator.start({ name: "HEVC", source });
  expect(await probe(hevc.rtspMainUrl)).toBe("hevc,640,360");
  expect(await probe(hevc.rtspSubUrl)).toBe("hevc,320,180");
  const command = `-v error -rtsp_transport tcp -i ${hevc.rtspMainUrl} -frames:v 40 -f null -`;
  const outcome = await runProgram("ffmpeg", command.split(" "));
  expect(outcome).toMatchObject({ code: 0, stderr: "" });
  const { keyframes } = await receivePackets(hevc.rtspMainUrl, "tcp", 2);
  expect(keyframes).toBeGreaterThanOrEqual(2);
  await hevc.stop();
});

test("resolution and codec change in mid-stream, with and without a new description", async () => {
  await camera.faults.replacePictures("main", { codec: "h264", width: 640, height: 480 });
  await delay(100);
  expect(await probe(camera.rtspMainUrl)).toBe("h264,640,480");
  await camera.faults.replacePictures("main", { codec: "h265", width: 320, height: 240 });
  await delay(100);
  expect(await probe(camera.rtspMainUrl)).toBe("hevc,320,240");
  camera.faults.restorePictures("main");
  await delay(1_200);
  await camera.faults.replacePictures(
    "main",
    { codec: "h265", width: 320, height: 240 },
    { announced: false },
  );
  const client = await RawRtsp.open(camera.rtspMainUrl);
  clients.push(client);
  expect(await client.ask("DESCRIBE")).toContain("H264/90000");
  await client.play();
  await delay(1_500);
  const types = client.packets().packets.map(({ payload }) => ((payload[0] ?? 0) >> 1) & 0x3f);
  expect(types).toContain(48);
});

test("a keyframe of 16384x8192 is a valid one of little more than half a megabyte", async () => {
  await camera.faults.replacePictures("main", "giant");
  await delay(1_500);
  const client = await RawRtsp.open(camera.rtspMainUrl);
  clients.push(client);
  expect(await client.ask("DESCRIBE")).toContain("a=framesize:96 16384-8192");
  // Its pixels stay closed to a decoder that is limited.
  const command = `-v error -max_pixels 33177600 -rtsp_transport tcp -i ${camera.rtspMainUrl} -frames:v 1 -f null -`;
  const outcome = await runProgram("ffmpeg", command.split(" "));
  expect(outcome.code).not.toBe(0);
});

test("bits are turned over at the rate that is asked for", async () => {
  const { packets: sound } = await receive(30);
  camera.faults.setStream("main", { bitFlipRate: 0.1 });
  const { packets: damaged } = await receive(30);
  // Sizes and numbers stay; what is inside does not.
  expect(damaged[0]?.payload.length).toBeGreaterThan(0);
  expect(damaged.some(({ payload }, i) => !payload.equals(sound[i]?.payload ?? Buffer.alloc(0)))).toBe(true);
  const decoded = await runProgram(
    "ffmpeg",
    [..."-v error -rtsp_transport tcp -i".split(" "), camera.rtspMainUrl, ..."-t 1 -f null -".split(" ")],
    6_000,
  );
  expect(decoded.stderr).not.toBe("");
});

test("packets are lost and swapped", async () => {
  camera.faults.setStream("main", { lossRate: 0.3 });
  const lossy = await receive(100);
  expect(steps(lossy.packets, "sequence", 0x10000).filter((step) => step > 1).length).toBeGreaterThan(10);
  camera.faults.setStream("main", { reorderRate: 0.5 });
  const swapped = await receive(100);
  expect(steps(swapped.packets, "sequence", 0x10000)).toContain(0xffff);
  expect(new Set(swapped.packets.map(({ sequence }) => sequence)).size).toBe(swapped.packets.length);
});

test("numbers and times jump, or pass their end at once", async () => {
  camera.faults.setStream("main", { sequenceJumpEvery: 5, timestampJumpEvery: 5 });
  const jumping = await receive(60);
  expect(steps(jumping.packets, "sequence", 0x10000).some((step) => step > 1)).toBe(true);
  const far = steps(jumping.packets, "timestamp", 2 ** 32).filter((step) => step > 90_000 * 60);
  expect(far.length).toBeGreaterThan(0);
  camera.faults.setStream("main", { wrapsAfterMs: 300 });
  const wrapping = await receive(80);
  expect(wrapping.packets[0]?.sequence).toBeGreaterThan(65_500);
  expect(new Set(steps(wrapping.packets, "sequence", 0x10000))).toEqual(new Set([1]));
  expect(wrapping.packets.at(-1)?.timestamp).toBeLessThan(wrapping.packets[0]?.timestamp ?? 0);
});

test("bytes that are no frame stand between frames; units are cut short", async () => {
  camera.faults.setStream("main", { garbageRate: 0.5 });
  expect((await receive(60)).skipped).toBeGreaterThan(0);
  const sound = await receive(26);
  camera.faults.setStream("main", { truncateRate: 1 });
  const cut = await receive(26);
  const size = (packets: readonly RtpPacket[]): number =>
    packets.slice(0, 26).reduce((sum, { payload }) => sum + payload.length, 0);
  expect(size(cut.packets)).toBeLessThan(size(sound.packets));
});

test("a stream falls silent, or is cut in the middle of a group", async () => {
  camera.faults.setStream("main", { silentAfterMs: 400 });
  const { client } = await receive(5);
  await delay(800);
  const before = client.bytes;
  await delay(600);
  expect(client.bytes).toBe(before);
  expect(client.closed).toBe(false);
  camera.faults.setStream("main", { cutAfterPictures: 7 });
  const cut = await receive(100_000);
  expect(cut.client.closed).toBe(true);
  expect(new Set(cut.packets.map(({ timestamp }) => timestamp)).size).toBeLessThanOrEqual(8);
});
