// How old the live picture is when it is on the wall: simulated cameras burn the time into their pictures, a real
// browser reads it from the frames that it presents. The bare bound, measured in the same run, is an ffmpeg client
// that decodes one of the same streams straight from the camera.
//   npx tsx --conditions=huishi-source bench/live-picture.ts [TILES] [SECONDS]
import { CameraSimulator, readClockBarcode } from "@huishi/camera-simulator";
import { spawn } from "node:child_process";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { ApiClient } from "../deploy/standalone/src/test-support/api-client.ts";
import {
  scratchFolder,
  startStandaloneProcess,
} from "../deploy/standalone/src/test-support/standalone-process.ts";
import { launchBrowser } from "../deploy/standalone/src/test-support/wall-browser.ts";
import { describeMs, quantile } from "./support/statistics.ts";

const TILES = Number(process.argv[2] ?? 4);
const SECONDS = Number(process.argv[3] ?? 30);
const WIDTH = 640;
const HEIGHT = 360;
/** The picture is read back at this size; every cell of the barcode keeps 5 x 8 pixels. */
const READ_WIDTH = 160;
const READ_HEIGHT = 96;

const scratch = await scratchFolder();
const simulator = new CameraSimulator({ cacheDir: join(scratch.path, "cache") });
const cameras = await Promise.all(
  Array.from({ length: TILES }, (_, i) =>
    simulator.start({
      name: `Clock ${i + 1}`,
      source: { kind: "clock", width: WIDTH, height: HEIGHT, fps: 25 },
    }),
  ),
);
const browser = await launchBrowser();
const running = await startStandaloneProcess({
  stateDir: join(scratch.path, "state"),
  args: cameras.flatMap((camera) => ["--camera", camera.rtspMainUrl]),
});
try {
  const api = new ApiClient(running.url);
  await api.setUp(running.setupUrl as string);
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  const [name, value] = api.cookie.split("=") as [string, string];
  await context.addCookies([{ name, value, url: running.url }]);
  const page = await context.newPage();
  // The TypeScript runner names the functions that it sends to the page with this helper.
  await page.addInitScript("globalThis.__name = (named) => named");
  await page.goto(running.url);
  await page.getByTestId("wall").waitFor();
  await page.keyboard.press({ 1: "1", 4: "2", 9: "3" }[TILES] ?? "4");
  await page.waitForFunction(
    (tiles) => document.querySelectorAll('[data-testid="tile"][data-state="live"]').length >= tiles,
    TILES,
    { timeout: 60_000 },
  );
  await page.waitForTimeout(5000);

  const bare = bareClient(cameras[0]?.rtspMainUrl as string, SECONDS);
  const wallMs = await readTiles(page, SECONDS);
  const bareMs = await bare;
  console.log(`${TILES} tiles of ${WIDTH}x${HEIGHT} at 25 frames/s, ${SECONDS} s`);
  console.log(`camera to decoded by ffmpeg: ${describeMs(bareMs)}`);
  console.log(`camera to presented on wall: ${describeMs(wallMs)}`);
  console.log(
    `ratio of the p95 to the bare bound: ${(quantile(wallMs, 0.95) / quantile(bareMs, 0.95)).toFixed(1)}`,
  );
} finally {
  await browser.close();
  await running.stop();
  await simulator.stop();
  await scratch.remove();
}

/** Twice a second and tile: the frame on the screen, and the moment at which it got there. */
async function readTiles(page: Page, seconds: number): Promise<number[]> {
  const samples = await page.evaluate(
    async ({ seconds, width, height }) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      const taken: { presentedAtMs: number; green: number[] }[] = [];
      if (!context) return taken;
      const endMs = performance.now() + seconds * 1000;
      const watch = async (video: HTMLVideoElement): Promise<void> => {
        while (performance.now() < endMs) {
          const presentedAtMs = await new Promise<number>((resolve) =>
            video.requestVideoFrameCallback((_now, frame) =>
              resolve(performance.timeOrigin + frame.expectedDisplayTime),
            ),
          );
          context.drawImage(video, 0, 0, width, height);
          const { data } = context.getImageData(0, 0, width, height);
          taken.push({
            presentedAtMs,
            green: Array.from({ length: width * height }, (_, i) => data[i * 4 + 1] ?? 0),
          });
          await new Promise((resolve) => setTimeout(resolve, 500));
        }
      };
      await Promise.all([...document.querySelectorAll("video")].map(watch));
      return taken;
    },
    { seconds, width: READ_WIDTH, height: READ_HEIGHT },
  );
  return samples.flatMap(({ presentedAtMs, green }) => {
    const shownMs = readClockBarcode(green, READ_WIDTH, READ_HEIGHT);
    return shownMs === undefined ? [] : [presentedAtMs - shownMs];
  });
}

/** Ages of the frames that a plain ffmpeg client decodes. */
function bareClient(url: string, seconds: number): Promise<number[]> {
  const ffmpeg = spawn(
    "ffmpeg",
    [
      "-loglevel",
      "error",
      "-rtsp_transport",
      "tcp",
      "-flags",
      "low_delay",
      "-i",
      url,
      "-t",
      String(seconds),
      "-an",
      "-vf",
      `scale=${READ_WIDTH}:${READ_HEIGHT}`,
      "-pix_fmt",
      "gray",
      "-f",
      "rawvideo",
      "pipe:1",
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const ages: number[] = [];
  let pending = Buffer.alloc(0);
  ffmpeg.stdout.on("data", (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    const size = READ_WIDTH * READ_HEIGHT;
    for (; pending.length >= size; pending = pending.subarray(size)) {
      const shownMs = readClockBarcode(pending.subarray(0, size), READ_WIDTH, READ_HEIGHT);
      if (shownMs !== undefined) ages.push(Date.now() - shownMs);
    }
  });
  // The first second holds what ffmpeg collected while it probed.
  return new Promise((resolve) => ffmpeg.once("close", () => resolve(ages.slice(25))));
}
