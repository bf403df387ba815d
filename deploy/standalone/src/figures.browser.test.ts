// Statistics and the system view as their user meets them: the built page on the real api, over real rows.
import { type RunningApi, issueSetupToken, startApi } from "@huishi/api";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { testDatabase, type TestDatabase } from "@huishi/testkit";
import axe from "axe-core";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ACCOUNT } from "./test-support/api-client.ts";
import { CROSSINGS, HOUR_MS, seedFigures, seedProcess, seedSnapshot } from "./test-support/seed-figures.ts";
import { artifact, complaintsOf, launchBrowser } from "./test-support/wall-browser.ts";

const DASHBOARD = fileURLToPath(new URL("../../../dashboard/dist/", import.meta.url));
const isRunnable = existsSync("/usr/bin/chromium") && existsSync(`${DASHBOARD}index.html`);
if (!isRunnable)
  console.log("skipped: figures in a browser need chromium and a built dashboard (npm run build)");

const NARROW = { width: 390, height: 844 };
const WIDE = { width: 1280, height: 900 };

describe.skipIf(!isRunnable)("figures in a browser", { timeout: 120_000 }, () => {
  let database: TestDatabase;
  let api: RunningApi;
  let browser: Browser;
  let context: BrowserContext | null = null;
  let complaints: string[] = [];
  /** A full hour: the rows lie in the day before it. */
  let toMs = 0;

  beforeAll(async () => {
    database = await testDatabase();
    toMs = Math.ceil(Date.now() / HOUR_MS) * HOUR_MS;
    await seedFigures(database.pool, toMs);
    [api, browser] = await Promise.all([startOn(database.databaseUrl), launchBrowser()]);
    const token = await issueSetupToken(database.databaseUrl);
    await postJson("/api/v1/setup", { token, ...ACCOUNT });
  }, 60_000);
  afterEach(async () => {
    await context?.close();
    context = null;
  });
  afterAll(async () => {
    await browser?.close();
    await api?.close();
    await database?.drop();
  });

  const postJson = (path: string, body: unknown): Promise<Response> =>
    fetch(`${api.url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: api.url },
      body: JSON.stringify(body),
    });

  async function open(
    path: string,
    options: { viewport?: typeof WIDE; locale?: string } = {},
  ): Promise<Page> {
    context = await browser.newContext({
      viewport: options.viewport ?? WIDE,
      locale: options.locale ?? "en-GB",
      timezoneId: "Asia/Shanghai",
    });
    const page = await context.newPage();
    complaints = complaintsOf(page);
    await page.goto(`${api.url}/`);
    const fields = page.locator("input");
    await fields.nth(0).fill(ACCOUNT.userName);
    await fields.nth(1).fill(ACCOUNT.password);
    // Until then the session was asked for and refused.
    complaints.length = 0;
    await page.keyboard.press("Enter");
    await page.getByTestId("wall").waitFor();
    await page.evaluate((hash) => (location.hash = hash), path);
    return page;
  }
  const ready = (page: Page, panel: string, state = "ready"): Promise<void> =>
    page.locator(`[data-testid="panel-${panel}"][data-state="${state}"]`).waitFor();
  const allReady = async (page: Page): Promise<void> => {
    for (const panel of ["counts", "occupancy", "dwell", "heat", "flows"]) await ready(page, panel);
  };

  it("show what was counted, read by keys, and give it away as a sheet", async () => {
    const page = await open("");
    await page.getByTestId("to-statistics").click();
    await allReady(page);
    // Whatever full hour the clock passes meanwhile.
    await page.evaluate((hash) => (location.hash = hash), `/statistics?until=${toMs}`);
    await page.locator(`[data-testid="choose-until"]:not([value=""])`).waitFor();
    await allReady(page);
    await page.screenshot({ path: artifact("statistics-1280.png"), fullPage: true });
    const chart = page.getByTestId("chart-counts");
    await chart.focus();
    const first = await page.getByTestId("chart-counts-reading").textContent();
    await page.keyboard.press("ArrowLeft");
    const second = await page.getByTestId("chart-counts-reading").textContent();
    expect(second).not.toBe(first);
    expect(await chart.getAttribute("aria-valuetext")).toBe(second);
    // The hour of a day holds six crossings, four of them to the right.
    expect(second).toMatch(/: 4 → · 2 ←$/);
    const table = await page.getByTestId("class-table").textContent();
    expect(table).toContain("108");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByTestId("panel-counts-csv").click(),
    ]);
    expect(download.suggestedFilename()).toBe("huishi-counts.csv");
    const sheet = await readFile(await download.path(), "utf8");
    const rows = sheet.trimEnd().split("\r\n").slice(1);
    expect(rows.reduce((sum, row) => sum + Number(row.split(",").at(-4)), 0)).toBe(CROSSINGS);
    expect(await accessibilityFaults(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("walk over a heat map and a flow matrix by keys, and tell the figures", async () => {
    const page = await open("/statistics?camera=cam-1&zone=zone-a");
    await allReady(page);
    await page.getByTestId("heat-map").focus();
    await page.keyboard.press("ArrowDown");
    expect(await page.getByTestId("heat-reading").textContent()).toMatch(/^Column 17, row 11: /);
    const cells = page.getByTestId("flow-cell");
    await cells.first().focus();
    expect(await page.getByTestId("flow-reading").textContent()).toMatch(
      /^1 West pavement → 2 Crossing: \d+ \(/,
    );
    await page.getByTestId("flows-via").selectOption("direct");
    await page.locator('[data-testid="flow-cell"]').nth(1).and(page.getByText("—")).waitFor();
    await page.getByTestId("flows-within").selectOption("1");
    await page.waitForFunction(
      () =>
        [...document.querySelectorAll('[data-testid="flow-cell"]')].filter((cell) => cell.textContent !== "—")
          .length === 1,
    );
    expect(complaints).toEqual([]);
  });

  it("lie over the newest snapshot of the camera where there is one", async () => {
    await seedSnapshot(database.pool);
    const page = await open("/statistics?camera=cam-1");
    await ready(page, "heat");
    const picture = page.getByTestId("heat-map").locator("img");
    await page.waitForFunction(
      () => (document.querySelector<HTMLImageElement>("[data-testid=heat-map] img")?.naturalWidth ?? 0) > 0,
    );
    const [box, shown] = [await picture.boundingBox(), await page.getByTestId("heat-map").boundingBox()];
    expect((box?.width ?? 0) / (box?.height ?? 1)).toBeCloseTo(2, 1);
    expect(Math.abs((shown?.width ?? 0) - (box?.width ?? 0))).toBeLessThan(4);
    expect(complaints).toEqual([]);
  });

  it("say why there is nothing, and what to do", async () => {
    const page = await open("/statistics?camera=cam-2");
    await ready(page, "counts", "missing");
    await ready(page, "occupancy", "missing");
    await ready(page, "flows", "missing");
    await ready(page, "heat", "empty");
    await page.screenshot({ path: artifact("statistics-empty.png"), fullPage: true });
    await page.getByTestId("choose-camera").selectOption("cam-1");
    await allReady(page);
    expect(new URL(page.url()).hash).toContain("camera=cam-1");
    await page.getByTestId("choose-class").selectOption("boat");
    await ready(page, "counts", "empty");
    await ready(page, "dwell", "empty");
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it("say what went wrong, and ask again", async () => {
    const page = await open("");
    let refuses = true;
    await page.route("**/api/v1/statistics/dwell**", (route) =>
      refuses
        ? route.fulfill({ status: 503, json: { code: "QUESTION_TOO_HEAVY", message: "too heavy" } })
        : route.continue(),
    );
    await page.evaluate(() => (location.hash = "/statistics"));
    await ready(page, "dwell", "error");
    await ready(page, "counts");
    expect(await page.getByTestId("error-note").getAttribute("data-code")).toBe("QUESTION_TOO_HEAVY");
    refuses = false;
    await page.getByTestId("panel-dwell").getByRole("button", { name: "Try again" }).click();
    await ready(page, "dwell");
  });

  it.each([
    ["zh-CN", NARROW, "390-zh"],
    ["en-GB", NARROW, "390-en"],
    ["zh-CN", WIDE, "1280-zh"],
  ] as const)("fit a screen in %s of %j, light and dark", async (locale, viewport, name) => {
    const page = await open("/statistics", { locale, viewport });
    await allReady(page);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    await page.screenshot({ path: artifact(`statistics-${name}.png`), fullPage: true });
    await page.getByTestId("console-theme").click();
    expect(await page.getByTestId("page-statistics").getAttribute("data-theme")).toBe("wall");
    await page.screenshot({ path: artifact(`statistics-${name}-dark.png`), fullPage: true });
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it("of the system show where the time goes, and nothing old as if it were new", async () => {
    const page = await open("");
    await page.getByTestId("to-system").click();
    await page.getByTestId("system-empty").waitFor();
    await seedProcess(database.pool, "worker-1", 1);
    await seedProcess(database.pool, "worker-2", 30);
    await page.locator('[data-testid="process"][data-state="current"]').waitFor({ timeout: 15_000 });
    await page.locator('[data-testid="process"][data-state="stale"]').waitFor();
    const states = await page
      .getByTestId("camera-row")
      .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-state")));
    expect(states.filter((state) => state === "running")).toHaveLength(1);
    const idsOf = (): Promise<(string | null)[]> =>
      page
        .getByTestId("camera-row")
        .evaluateAll((rows) => rows.map((row) => row.getAttribute("data-camera-id")));
    expect((await idsOf()).slice(0, 2)).toEqual(["cam-2", "cam-2"]);
    await page.getByTestId("sort-cost").click();
    expect((await idsOf()).slice(0, 2)).toEqual(["cam-1", "cam-1"]);
    expect(await page.getByTestId("drops").first().textContent()).toContain("41");
    await page.screenshot({ path: artifact("system-1280.png"), fullPage: true });
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.setViewportSize(NARROW);
    await page.getByTestId("language-zh-CN").click();
    await page.screenshot({ path: artifact("system-390-zh.png"), fullPage: true });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
    // What was current grows old by itself.
    await page.waitForFunction(
      () => document.querySelectorAll('[data-testid="process"][data-state="current"]').length === 0,
      undefined,
      { timeout: 40_000 },
    );
    await page.keyboard.press("Escape");
    await page.getByTestId("wall").waitFor();
    expect(complaints).toEqual([]);
  });
});

function startOn(databaseUrl: string): Promise<RunningApi> {
  return startApi({
    databaseUrl,
    mediaBus: new InProcessMediaBus({ lingerMs: 0 }),
    logger: createLogger({ name: "api-test", level: "error" }),
    host: "127.0.0.1",
    port: 0,
    dashboardDir: DASHBOARD,
    mqttUrl: "mqtt://127.0.0.1:1883",
    version: "0.0.0-test",
  });
}

/** Rules of WCAG 2.x A and AA that the page breaks, in words. */
async function accessibilityFaults(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(async () => {
    const found = await (globalThis as unknown as { axe: typeof axe }).axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    });
    return found.violations.map(
      (violation) => `${violation.id}: ${violation.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`,
    );
  });
}
