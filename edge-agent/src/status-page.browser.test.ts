// The page of a running agent, with a simulated camera behind it, in Chromium.
import { CameraSimulator } from "@huishi/camera-simulator";
import { createLogger } from "@huishi/platform";
import { existsSync, mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type EdgeAgent, startEdgeAgent } from "./compose.ts";
import { CLAIM_CODE, TestCentre, until } from "./test-support/centre.ts";

const PICTURES = fileURLToPath(new URL("../../test-artifacts/edge-agent", import.meta.url));
const EXECUTABLE = process.env["HUISHI_CHROMIUM"] ?? "/usr/bin/chromium";
const FLAGS =
  "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split(" ");
const NAME = "<img src=x onerror=\"document.title='hacked'\">";
const isRunnable = existsSync(EXECUTABLE);
if (!isRunnable) console.log("skipped: the status page's browser test needs chromium");

describe.skipIf(!isRunnable)("the status page in a browser", { timeout: 90_000 }, () => {
  let folder: string;
  let browser: Browser;
  let simulator: CameraSimulator;
  let centre: TestCentre;
  let agent: EdgeAgent | null = null;
  let address: string;
  const contexts: { close(): Promise<void> }[] = [];

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    folder = await mkdtemp(join(tmpdir(), "edge-page-"));
    simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
    centre = await TestCentre.start();
    browser = await chromium.launch({ executablePath: EXECUTABLE, headless: true, args: FLAGS });
    const camera = await simulator.start({
      name: NAME,
      source: { kind: "clock", width: 320, height: 240, fps: 10 },
    });
    const port = await new Promise<number>((resolve, reject) => {
      startEdgeAgent({
        stateDir: join(folder, "state"),
        serverUrl: centre.serverUrl,
        claimCode: CLAIM_CODE,
        cameras: [
          { id: "north", onvif: camera.onvifUrl, name: NAME },
          { id: "gone", rtsp: { main: "rtsp://admin:hunter2@127.0.0.1:9/live?token=hunter3" } },
        ],
        discovery: { enabled: false },
        logger: createLogger({ name: "edge-agent", level: "silent" }),
        timings: { healthIntervalMs: 300, retry: { baseDelayMs: 100, maxDelayMs: 300 } },
        statusPage: { port: 0 },
        onStatusPage: resolve,
      }).then((started) => (agent = started), reject);
    });
    address = `http://127.0.0.1:${port}`;
    await until("the missing camera's condition", () =>
      centre.eventsOf("camera_health").some(({ cameraId }) => cameraId === "gone"),
    );
  });
  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
  });
  afterAll(async () => {
    await browser?.close();
    await agent?.close();
    await centre?.stop();
    await simulator?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function open(options: { locale: string; width: number; colorScheme?: "dark" | "light" }) {
    const { locale, width, colorScheme = "light" } = options;
    const context = await browser.newContext({ locale, colorScheme, viewport: { width, height: 844 } });
    contexts.push(context);
    const page = await context.newPage();
    const complaints: string[] = [];
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(address);
    await page.locator('[data-camera="north"]').waitFor();
    return { page, complaints };
  }
  const overflow = (page: Page) =>
    page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

  test.each([
    ["en", 390, "light"],
    ["zh-CN", 390, "dark"],
    ["en", 1280, "dark"],
    ["zh-CN", 1280, "light"],
  ] as const)("tells the site's state in %s at %i px, %s", async (locale, width, colorScheme) => {
    const { page, complaints } = await open({ locale, width, colorScheme });
    await page.screenshot({
      path: join(PICTURES, `status-${locale}-${width}-${colorScheme}.png`),
      fullPage: true,
    });
    expect(complaints).toEqual([]);
    expect(await overflow(page)).toBe(0);
    const text = await page.locator("body").innerText();
    expect(text).toContain(locale === "en" ? "unreachable" : "不可达");
    expect(text).toContain("CAMERA_UNREACHABLE");
    expect(text).toMatch(locale === "en" ? /Not in order: .*Cameras: 1/ : /异常：.*摄像机: 1/);
    expect(text).not.toContain("hunter");
  });

  test("a camera's name with markup stays text", async () => {
    const { page } = await open({ locale: "en", width: 390 });
    expect(await page.locator('[data-camera="north"] h3').innerText()).toBe(NAME);
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.title()).not.toContain("hacked");
  });

  test("the language can be switched, and stays", async () => {
    const { page } = await open({ locale: "en", width: 390 });
    await page.getByRole("button", { name: "中文" }).click();
    expect(await page.locator("#cameras h2").innerText()).toContain("摄像机");
    await page.reload();
    await page.locator('[data-camera="north"]').waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
  });

  test("shows measured rates and who uses a stream, and greys all of it with its age when the agent is gone", async () => {
    centre.demand("north", ["main"]);
    const { page } = await open({ locale: "en", width: 1280 });
    const camera = page.locator('[data-camera="north"]');
    await page.waitForFunction(() =>
      /\d fps/.test(document.querySelector('[data-camera="north"]')?.textContent ?? ""),
    );
    expect(await camera.innerText()).toMatch(/main[^\n]*\n[\s\S]*live/);
    await agent?.close();
    agent = null;
    await page.locator("body.stale").waitFor();
    await page.waitForFunction(() =>
      /does not answer.* [1-9]\d* s old/.test(document.body.textContent ?? ""),
    );
    await page.screenshot({ path: join(PICTURES, "status-gone-1280.png"), fullPage: true });
  });
});
