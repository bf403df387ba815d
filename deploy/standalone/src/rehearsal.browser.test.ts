// A rule is drawn, rehearsed on what its camera perceived, changed, switched on, and raises: the launcher as a process and
// a real browser. Needs footage that is not part of the project; skipped with a line without it.
import { type Camera, type Rehearsal, RULE_DEFAULTS } from "@huishi/contracts";
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

async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(url);
  const fields = page.locator("input");
  await fields.nth(0).fill(ACCOUNT.userName);
  await fields.nth(1).fill(ACCOUNT.password);
  await page.keyboard.press("Enter");
  await page.getByTestId("wall").waitFor();
}

/** Draws a polygon on the live picture; corners are fractions of the picture. */
async function drawPolygon(
  page: Page,
  name: string,
  corners: readonly (readonly [number, number])[],
): Promise<void> {
  await page.waitForFunction(() => (document.querySelector("video")?.videoWidth ?? 0) > 0);
  await page.getByTestId("editor-draw-polygon").click();
  const box = await page.getByTestId("editor-stage").evaluate((element) => {
    const place = element.getBoundingClientRect();
    const [left, top, width, height] = (["left", "top", "width", "height"] as const).map((key) =>
      Number(element.dataset[key]),
    ) as [number, number, number, number];
    return { x: place.left + left, y: place.top + top, width, height };
  });
  for (const [x, y] of corners) await page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  await page.keyboard.press("Enter");
  await page.getByTestId("editor-name").fill(name);
  await page.getByTestId("editor-save").click();
  await page.getByTestId("zone-row").filter({ hasText: name }).waitFor();
}

/** Puts the camera under analysis, as a counting line does, until something was perceived. */
async function perceive(api: ApiClient): Promise<Camera> {
  const camera = await eventually("an online camera", async () =>
    (await api.cameras()).find((each) => each.condition === "online" && each.agentOnline),
  );
  const line = await api.createZone(camera.id, {
    name: "Counter",
    kind: "line",
    points: [
      { x: 0.02, y: 0.05 },
      { x: 0.98, y: 0.05 },
    ],
  });
  await api.createRule(camera.id, {
    ...RULE_DEFAULTS.line_crossing,
    zoneId: line.id,
    name: "Counter",
    kind: "line_crossing",
    priority: "P4",
    classes: ["dog"],
    direction: "both",
    enabled: true,
    schedule: null,
  });
  await eventually(
    "half a minute of perception",
    async () => {
      const page = (await (await api.send("GET", `/cameras/${camera.id}/detections?limit=2000`)).json()) as {
        detections: { capturedAtMs: number }[];
      };
      const times = page.detections.map(({ capturedAtMs }) => capturedAtMs);
      return times.length > 0 && Math.max(...times) - Math.min(...times) > 30_000;
    },
    2 * MINUTES,
  );
  return camera;
}

const raisedBy = async (page: Page): Promise<number> =>
  Number(await page.getByTestId("rehearsal-result").getAttribute("data-raised"));

/** Rehearses what stands in the form. */
async function rehearse(page: Page): Promise<number> {
  await page.getByTestId("rehearse").click();
  await page.getByTestId("rehearsal-progress").waitFor();
  await page.getByTestId("rehearsal-result").waitFor({ timeout: 60_000 });
  return raisedBy(page);
}

describe.skipIf(VTEST === null)("a rule that is drawn on a live picture", () => {
  it(
    "is rehearsed on what was perceived, shows what a changed threshold changes, and then raises live",
    async () => {
      running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--video", VTEST as string] });
      const api = new ApiClient(running.url);
      await api.setUp(running.setupUrl as string);
      const camera = await perceive(api);

      const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: "en-GB" });
      await signIn(page, running.url);
      const complaints = complaintsOf(page);
      await page.getByTestId("tile-zones").first().click();
      await page.getByTestId("page-zones").waitFor();
      await drawPolygon(page, "Crossing", [
        [0.3, 0.3],
        [0.72, 0.3],
        [0.8, 0.8],
        [0.22, 0.8],
      ]);
      await page.getByTestId("rule-add").click();
      await page.getByTestId("rule-name").fill("Nobody on the crossing");
      await page.getByTestId("rule-dedupe").fill("0");
      await page.getByTestId("rehearsal-over").selectOption("hour");
      const raised = await rehearse(page);
      expect(raised).toBeGreaterThan(0);
      expect(await page.getByTestId("timeline-mark").count()).toBe(raised);
      await page.getByTestId("rehearsed-alarm").first().click();
      await page.getByTestId("rehearsed-mark").waitFor();
      await page.getByTestId("rehearsal").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: artifact("rehearsal-live-en.png") });
      expect(await api.alarms()).toEqual([]);

      // Saved, but not armed yet: then with a far longer time, compared with what is saved.
      await page.getByTestId("rule-enabled").uncheck();
      await page.getByTestId("rule-save").click();
      const row = page.getByTestId("rule-row").filter({ hasText: "Nobody on the crossing" });
      await row.getByTestId("rule-edit").click();
      await page.getByTestId("rule-persistence").fill("3600");
      await page.getByTestId("rehearsal-over").selectOption("hour");
      expect(await rehearse(page)).toBe(0);
      const removed = page.locator('[data-testid="rehearsal-legend"] [data-compared="removed"]');
      expect(Number(await removed.getAttribute("data-count"))).toBeGreaterThanOrEqual(raised);
      await page.getByTestId("language-zh-CN").click();
      await page.getByTestId("rehearsal").evaluate((element) => element.scrollIntoView());
      await page.screenshot({ path: artifact("rehearsal-compared-zh.png") });
      expect(await api.alarms()).toEqual([]);

      const { rehearsals } = (await (await api.send("GET", `/rehearsals?cameraId=${camera.id}`)).json()) as {
        rehearsals: Rehearsal[];
      };
      expect(rehearsals.map(({ state }) => state)).toEqual(["done", "done"]);

      await page.getByTestId("rule-persistence").fill("3");
      await page.getByTestId("rule-enabled").check();
      await page.getByTestId("rule-save").click();
      await page.getByTestId("rule-form").waitFor({ state: "detached" });
      await page.getByTestId("editor-back").click();
      await page
        .getByTestId("alarm-row")
        .first()
        .waitFor({ timeout: 2 * MINUTES });
      const [alarm] = await api.alarms();
      expect(alarm).toMatchObject({
        alarmClass: "intrusion",
        zoneName: "Crossing",
        ruleName: "Nobody on the crossing",
      });
      await page.screenshot({ path: artifact("rehearsed-alarm-live.png") });
      expect(complaints).toEqual([]);
      await page.close();
    },
    6 * MINUTES,
  );
});
