// The main job as its user meets it: the launcher as a process, a real browser, a zone drawn by hand on the live
// picture, and the alarm that follows. Needs footage that is not part of the project; skipped with a line without it.
import { type Alarm, type Camera } from "@huishi/contracts";
import { iou } from "@huishi/kernel";
import { existsSync, readFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ACCOUNT, ApiClient, eventually } from "./test-support/api-client.ts";
import { footage } from "./test-support/footage.ts";
import {
  scratchFolder,
  type StandaloneProcess,
  startStandaloneProcess,
} from "./test-support/standalone-process.ts";
import { artifact, complaintsOf, launchBrowser } from "./test-support/wall-browser.ts";

const MINUTES = 60_000;
const VTEST = footage("vtest.avi");
const CARS = footage("car-detection.mp4");

let browser: Browser;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
let running: StandaloneProcess | null = null;
beforeAll(async () => {
  browser = await launchBrowser();
});
afterAll(() => browser.close());
beforeEach(async () => {
  scratch = await scratchFolder();
});
afterEach(async () => {
  await running?.stop();
  running = null;
  await scratch.remove();
});

/** Opens the one-time link, creates the administrator on the page, and waits for the wall. */
async function enterBySetupLink(page: Page, setupUrl: string): Promise<void> {
  await page.goto(setupUrl);
  const fields = page.getByTestId("page-setup").locator("input");
  await fields.nth(0).fill(ACCOUNT.userName);
  await fields.nth(1).fill(ACCOUNT.password);
  await fields.nth(2).fill(ACCOUNT.password);
  await page.getByTestId("setup-submit").click();
  await page.getByTestId("wall").waitFor();
}

async function liveTile(page: Page): Promise<void> {
  await page.locator('[data-testid="tile"][data-state="live"]').first().waitFor({ timeout: 30_000 });
}

/** Draws on the live picture; points are fractions of the picture. */
async function draw(
  page: Page,
  kind: "polygon" | "line",
  points: readonly (readonly [number, number])[],
  name: string,
): Promise<void> {
  await page.getByTestId(`editor-draw-${kind}`).click();
  const stage = page.getByTestId("editor-stage");
  const box = await stage.evaluate((element) => {
    const video = element.querySelector("video");
    const { left, top, width, height } = element.getBoundingClientRect();
    const aspect = video && video.videoWidth > 0 ? video.videoWidth / video.videoHeight : width / height;
    const shownWidth = Math.min(width, height * aspect);
    const shownHeight = shownWidth / aspect;
    return {
      x: left + (width - shownWidth) / 2,
      y: top + (height - shownHeight) / 2,
      width: shownWidth,
      height: shownHeight,
    };
  });
  for (const [x, y] of points) await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  if (kind === "polygon") await page.keyboard.press("Enter");
  await page.getByTestId("editor-name").fill(name);
  await page.getByTestId("editor-save").click();
  await page.getByTestId("zone-row").filter({ hasText: name }).waitFor();
}

describe.skipIf(VTEST === null)("with pedestrians on a crossing", () => {
  it(
    "a polygon drawn on the live picture brings an intrusion alarm to the wall, with right boxes",
    async () => {
      running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--video", VTEST as string] });
      const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, locale: "en-GB" });
      const complaints = complaintsOf(page);
      await enterBySetupLink(page, running.setupUrl as string);
      await liveTile(page);
      await page.screenshot({ path: artifact("wall-live.png") });

      await page.getByTestId("tile-zones").first().click();
      await page.getByTestId("page-zones").waitFor();
      await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
      await draw(
        page,
        "polygon",
        [
          [0.3, 0.3],
          [0.72, 0.3],
          [0.8, 0.8],
          [0.22, 0.8],
        ],
        "Crossing",
      );
      await page.getByTestId("rule-add").click();
      await page.getByTestId("rule-name").fill("Nobody on the crossing");
      await page.getByTestId("rule-save").click();
      await page.getByTestId("rule-row").waitFor();
      await page.screenshot({ path: artifact("zone-editor.png") });
      await page.getByTestId("editor-back").click();

      const row = page.getByTestId("alarm-row").first();
      await row.waitFor({ timeout: 2 * MINUTES });
      const api = new ApiClient(running.url);
      await api.signIn();
      const alarm = await eventually("an alarm with a snapshot", async () =>
        (await api.alarms()).find((each) => each.hasSnapshot),
      );
      expect(alarm).toMatchObject({
        alarmClass: "intrusion",
        objectClass: "person",
        zoneName: "Crossing",
        priority: "P2",
      });
      const snapshot = await api.send("GET", `/alarms/${alarm.id}/snapshot`);
      expect(snapshot.headers.get("content-type")).toBe("image/jpeg");
      expect(alarm.boxes.some((box) => box.deciding)).toBe(true);
      expectBoxesOnPeople(alarm, { width: 768, height: 576 });

      await liveTile(page);
      await row.getByTestId("alarm-select").click();
      await page.getByTestId("alarm-detail").locator("img").first().waitFor();
      await page.waitForTimeout(1500);
      await page.screenshot({ path: artifact("wall-intrusion-en.png") });

      await page.keyboard.press("a");
      await eventually(
        "the acknowledgement",
        async () => (await api.alarms("?state=acknowledged")).length > 0,
      );
      await page.getByTestId("language-zh-CN").click();
      await page.waitForTimeout(800);
      await page.screenshot({ path: artifact("wall-intrusion-zh.png") });
      expect(complaints).toEqual([]);
      await page.close();
    },
    5 * MINUTES,
  );
});

/** Every deciding box must lie on a person of the ground truth in some frame: vtest.avi is PETS09-S2L1. */
function expectBoxesOnPeople(alarm: Alarm, size: { width: number; height: number }): void {
  const truthFile = footage("../mot15/PETS09-S2L1/gt.txt");
  if (truthFile === null) return;
  const truth = readFileSync(truthFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number) as [number, number, number, number, number, number]);
  for (const { box } of alarm.boxes.filter((each) => each.deciding)) {
    const best = Math.max(
      ...truth.map(([, , x, y, w, h]) =>
        iou(box, { x: x / size.width, y: y / size.height, w: w / size.width, h: h / size.height }),
      ),
    );
    expect(best).toBeGreaterThan(0.5);
  }
}

describe.skipIf(CARS === null)("with cars on a road", () => {
  it(
    "a line drawn across the road counts the cars that cross it",
    async () => {
      running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--video", CARS as string] });
      const page = await browser.newPage({ viewport: { width: 1600, height: 900 }, locale: "zh-CN" });
      const complaints = complaintsOf(page);
      await enterBySetupLink(page, running.setupUrl as string);
      await liveTile(page);
      await page.getByTestId("tile-zones").first().click();
      await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
      await draw(
        page,
        "line",
        [
          [0.02, 0.6],
          [0.98, 0.6],
        ],
        "路口",
      );
      await page.getByTestId("rule-add").click();
      await page.getByTestId("rule-save").click();
      await page.getByTestId("rule-row").waitFor();
      await page.getByTestId("editor-back").click();

      await page
        .getByTestId("alarm-row")
        .first()
        .waitFor({ timeout: 2 * MINUTES });
      const api = new ApiClient(running.url);
      await api.signIn();
      const [camera] = (await api.cameras()) as [Camera];
      const alarm = await eventually("an alarm with a snapshot", async () =>
        (await api.alarms()).find((each) => each.hasSnapshot),
      );
      expect(alarm).toMatchObject({ alarmClass: "line_crossing", cameraId: camera.id, zoneName: "路口" });
      await eventually("a counted crossing on the tile", async () =>
        /[1-9]/.test(await page.getByTestId("line-count").first().innerText()),
      );
      await page.screenshot({ path: artifact("wall-line-zh.png") });
      expect(complaints).toEqual([]);
      await page.close();
    },
    5 * MINUTES,
  );
});

describe("the launcher", () => {
  it(
    "goes on with the same data after Ctrl-C and after kill -9",
    async () => {
      const first = await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] });
      running = first;
      const api = new ApiClient(first.url);
      await api.setUp(first.setupUrl as string);
      const [camera] = await eventually("a camera", async () => {
        const cameras = await api.cameras();
        return cameras.length > 0 && cameras;
      });
      await api.createZone(camera?.id as string, {
        name: "<b>Gate</b>",
        kind: "line",
        points: [
          { x: 0.1, y: 0.5 },
          { x: 0.9, y: 0.5 },
        ],
      });
      expect(await first.stop()).toBe(0);
      expect(existsSync(join(scratch.path, "huishi.pid"))).toBe(false);

      const second = await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] });
      running = second;
      expect(second.setupUrl).toBeNull();
      second.child.kill("SIGKILL");
      await new Promise((resolve) => second.child.once("exit", resolve));

      running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] });
      const again = new ApiClient(running.url);
      await again.signIn();
      const zones = (await (await again.send("GET", `/cameras/${camera?.id}/zones`)).json()) as {
        zones: { name: string }[];
      };
      expect(zones.zones.map((zone) => zone.name)).toEqual(["<b>Gate</b>"]);
      await eventually("the camera online again", async () =>
        (await again.cameras()).some((each) => each.condition === "online" && each.agentOnline),
      );
    },
    5 * MINUTES,
  );

  it(
    "claims its agent anew when the database is a new one",
    async () => {
      await (await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] })).stop();
      await rm(join(scratch.path, "postgres"), { recursive: true });
      running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] });
      const api = new ApiClient(running.url);
      await api.setUp(running.setupUrl as string);
      await eventually("the camera", async () =>
        (await api.cameras()).some((each) => each.condition === "online" && each.agentOnline),
      );
    },
    3 * MINUTES,
  );

  it("stops with one clear line for a taken port", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => squatter.once("listening", resolve));
    const { port } = squatter.address() as AddressInfo;
    await expect(
      startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"], port }),
    ).rejects.toThrowError(
      /PORT_TAKEN: Port \d+ is taken by another program\. Choose another one with --port N/,
    );
    squatter.close();
  });

  it.each([
    [
      "an unreadable video",
      ["--video", fileURLToPath(import.meta.url)],
      /VIDEO_UNREADABLE: .*main-job\.browser\.test/,
    ],
    [
      "a video that is not there",
      ["--video", "/nowhere/none.mp4"],
      /VIDEO_UNREADABLE: .*none\.mp4 does not exist/,
    ],
    ["a wrong option", ["--prot", "8080"], /OPTION_INVALID: .*--prot/],
  ])(
    "stops with one clear line for %s",
    async (_what, args, line) => {
      await expect(startStandaloneProcess({ stateDir: scratch.path, args })).rejects.toThrowError(line);
    },
    2 * MINUTES,
  );
});
