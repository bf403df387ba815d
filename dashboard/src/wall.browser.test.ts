import type { Camera } from "@huishi/contracts";
import axe from "axe-core";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchBrowser, type OpenedPage, openPage } from "./test-support/browser.ts";
import { type Clip, makeClip } from "./test-support/clip.ts";
import { FakeServer } from "./test-support/fake-server.ts";
import { fakeAlarm, fakeCamera, fakeLine, fakePolygon, fakeRule } from "./test-support/fake-world.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");
const PICTURES = join(ROOT, "../test-artifacts/dashboard");
const isRunnable = hasChromium && existsSync(join(DIST, "index.html"));
if (!isRunnable)
  console.log("skipped: the browser test needs chromium and a built dashboard (npm run build)");

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

describe.skipIf(!isRunnable)("the page in a browser", { timeout: 90_000 }, () => {
  let browser: Browser;
  let clip: Clip;
  let server: FakeServer;
  let opened: OpenedPage | null = null;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    [browser, clip] = await Promise.all([launchBrowser(), makeClip({ seconds: 4, fps: 12 })]);
  });
  afterAll(async () => {
    await browser?.close();
  });
  afterEach(async () => {
    await opened?.context.close();
    await server?.stop();
    opened = null;
  });

  /** A signed-in wall with four cameras, a zone and a line. */
  async function openWall(options: { locale?: string; path?: string } = {}): Promise<Page> {
    server = new FakeServer(DIST, clip);
    server.signInAll();
    server.cameras = ["North gate", "Quay", "Market", "School"].map((name, index) =>
      fakeCamera(`cam-${String(index + 1)}`, name),
    );
    const [zone, line] = [fakePolygon("z1", "cam-1", "Crossing"), fakeLine("l1", "cam-2", "East line")];
    server.zones = [zone, line];
    server.rules = [fakeRule("r1", zone), fakeRule("r2", line)];
    const url = await server.start();
    opened = await openPage(
      browser,
      `${url}${options.path ?? ""}`,
      options.locale ? { locale: options.locale } : {},
    );
    return opened.page;
  }
  const camera = (id: string): Camera => server.cameras.find((each) => each.id === id) as Camera;
  const tile = (page: Page, id: string) => page.locator(`[data-testid=tile][data-camera-id="${id}"]`);
  const tileIn = (page: Page, id: string, state: string) =>
    page.locator(`[data-testid=tile][data-camera-id="${id}"][data-state="${state}"]`).waitFor();
  const picture = (page: Page, name: string) => page.screenshot({ path: join(PICTURES, `${name}.png`) });

  it.each(["en", "zh-CN"])("leads from the one-time link to the wall in %s", async (locale) => {
    server = new FakeServer(DIST, clip);
    server.needsSetup = true;
    server.cameras = [
      fakeCamera("cam-1", '<img src=x onerror="window.hacked=1">', { note: "generated scene" }),
    ];
    const url = await server.start();
    opened = await openPage(browser, `${url}#/setup?token=${server.setupToken}`, { locale });
    const { page } = opened;
    await page.getByTestId("setup-user").fill("zhang.wei");
    await page.getByTestId("setup-password").fill("correct horse battery");
    await page.getByTestId("setup-repeat").fill("another horse battery");
    await page.getByTestId("setup-submit").click();
    expect(await page.getByTestId("page-wall").count()).toBe(0);
    await page.getByTestId("setup-repeat").fill("correct horse battery");
    expect(await accessibilityFaults(page)).toEqual([]);
    await picture(page, `setup-${locale}`);
    await page.getByTestId("setup-submit").click();
    await tileIn(page, "cam-1", "live");
    expect(page.url()).not.toContain("token");
    expect(await page.getByTestId("tile-note").textContent()).toBe(
      locale === "en" ? "generated scene" : "生成的画面",
    );
    expect(await page.getByTestId("alarms-empty").getAttribute("data-reason")).toBe("no-rules");
    expect(await page.evaluate(() => "hacked" in globalThis)).toBe(false);
    expect(await page.locator("html").getAttribute("lang")).toBe(locale);
    await picture(page, `first-wall-${locale}`);
    expect(opened.complaints).toEqual([]);
  });

  it("plays live pictures without a complaint and can be read by a screen reader", async () => {
    const page = await openWall();
    for (const id of ["cam-1", "cam-2", "cam-3", "cam-4"]) await tileIn(page, id, "live");
    expect(server.sockets.watches).toHaveLength(4);
    const metrics = await page.evaluate(() => globalThis.__huishi?.tiles() ?? []);
    expect(metrics.every((each) => each.presentedFrames > 0 && each.capturedAtMs !== null)).toBe(true);
    await page.keyboard.press("3");
    await page.locator('[data-testid=wall][data-layout="9"]').waitFor();
    await tileIn(page, "cam-4", "live");
    expect(await page.getByTestId("tile").count()).toBe(9);
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByTestId("language-zh-CN").click();
    await page.reload();
    await page.getByTestId("page-wall").waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("zh-CN");
    expect(opened?.complaints).toEqual([]);
  });

  it("counts ages on the server's clock, however wrong its own is", async () => {
    const page = await openWall();
    server.clockSkewMs = -7 * 3_600_000;
    server.sockets.cut();
    await page.waitForFunction(() => (globalThis.__huishi?.clockOffsetMs() ?? 0) < -3_600_000);
    await tileIn(page, "cam-1", "live");
  });

  it("greys a tile out after three seconds without a picture and counts its age", async () => {
    const page = await openWall();
    await tileIn(page, "cam-1", "live");
    server.sockets.silent.add("cam-1");
    await tileIn(page, "cam-1", "stale");
    const age = await tile(page, "cam-1").getByTestId("tile-age").textContent();
    expect(age).toMatch(/\d+ s old/);
    await page.waitForFunction(
      (before) =>
        document.querySelector('[data-camera-id="cam-1"] [data-testid=tile-age]')?.textContent !== before,
      age,
    );
    await tileIn(page, "cam-2", "live");
    server.sockets.silent.delete("cam-1");
    await tileIn(page, "cam-1", "live");
  });

  it("tells why there is no picture, each reason in its own words", async () => {
    const page = await openWall();
    await tileIn(page, "cam-4", "live");
    const faults = [
      ["cam-1", { condition: "auth_failed", conditionCode: "CAMERA_AUTH_FAILED" }, "auth_failed"],
      ["cam-2", { condition: "unreachable" }, "unreachable"],
      ["cam-3", { condition: "no_frames" }, "no_frames"],
      ["cam-4", { agentOnline: false }, "agent_offline"],
    ] as const;
    for (const [id, change] of faults) {
      server.sockets.silent.add(id);
      server.change({
        kind: "camera",
        camera: { ...camera(id), ...change, conditionSinceMs: server.nowMs() } as Camera,
      });
    }
    for (const [id, , state] of faults) await tileIn(page, id, state);
    const words = await page.getByTestId("tile-cause").allTextContents();
    expect(new Set(words).size).toBe(4);
    await picture(page, "wall-faults");
    expect(await accessibilityFaults(page)).toEqual([]);
  });

  it("greys everything at once when the socket goes, and resumes with its cursor", async () => {
    const page = await openWall();
    await tileIn(page, "cam-1", "live");
    server.change({ kind: "alarm", alarm: fakeAlarm("1", camera("cam-1")) });
    await page.getByTestId("alarm-row").waitFor();
    server.sockets.refuses = true;
    server.sockets.cut();
    for (const id of ["cam-1", "cam-2", "cam-3", "cam-4"]) await tileIn(page, id, "socket_lost");
    await page.getByTestId("lost-banner").waitFor();
    await picture(page, "wall-lost");
    server.change({ kind: "alarm", alarm: fakeAlarm("2", camera("cam-2")) });
    server.sockets.refuses = false;
    await tileIn(page, "cam-1", "live");
    expect(server.sockets.hellos.at(-1)).toMatch(/^1-\d+$/);
    expect(await page.getByTestId("lost-banner").count()).toBe(0);
    server.sockets.resumes = false;
    server.sockets.cut();
    await page.locator('[data-testid=alarm-row][data-alarm-id="2"]').waitFor();
  });

  it("frames the tile of an alarm until one key acknowledges it", async () => {
    const page = await openWall();
    await tileIn(page, "cam-1", "live");
    const zone = server.zones[0];
    const alarm = fakeAlarm("7", camera("cam-1"), {
      priority: "P1",
      zoneId: "z1",
      zoneName: "Crossing",
      zoneKind: "polygon",
      zonePoints: zone?.points ?? [],
    });
    server.change({ kind: "alarm", alarm });
    await page.locator('[data-camera-id="cam-1"][data-alarm="P1"]').waitFor();
    const row = page.getByTestId("alarm-row");
    await page.waitForFunction(
      () => document.querySelector<HTMLElement>("[data-testid=alarm-row]")?.dataset["presentedMs"],
    );
    const [capturedMs, presentedMs] = [
      await row.getAttribute("data-captured-ms"),
      await row.getAttribute("data-presented-ms"),
    ];
    expect(Number(presentedMs)).toBeGreaterThan(Number(capturedMs));
    await page.keyboard.press("ArrowDown");
    const detail = page.getByTestId("alarm-detail");
    await detail.getByTestId("evidence-zone").waitFor({ state: "attached" });
    expect(await detail.getByTestId("evidence-box").count()).toBe(2);
    expect(await accessibilityFaults(page)).toEqual([]);
    await picture(page, "wall-alarm");
    await page.keyboard.press("a");
    await page.locator('[data-camera-id="cam-1"][data-alarm="none"]').waitFor();
    expect(server.alarms[0]?.state).toBe("acknowledged");
  });

  it.each([
    ["en", "Tilt", "61.5\u00a0°", "Limit 15\u00a0°"],
    ["zh-CN", "倾角", "61.5\u00a0°", "限值 15\u00a0°"],
  ])("shows a sensor's alarm with its value, limit and trend in %s", async (locale, what, value, limit) => {
    const page = await openWall({ locale });
    await tileIn(page, "cam-2", "live");
    const measured = { observedProperty: "tilt", value: 61.5, limit: 15, unit: "deg", datastreamNo: 1 };
    const alarm = fakeAlarm("8", camera("cam-2"), {
      sensorId: "cover",
      sensorName: "Cover 12",
      measured,
      alarmClass: "manhole_abnormal",
      priority: "P1",
      objectClass: null,
      ruleName: null,
      boxes: [],
      hasSnapshot: false,
    });
    server.change({ kind: "alarm", alarm });
    // The camera that looks at the sensor comes to the front with it.
    await page.locator('[data-camera-id="cam-2"][data-alarm="P1"]').waitFor();
    expect(await page.getByTestId("reading-mark").textContent()).toBe(value);
    await page.keyboard.press("ArrowDown");
    const reading = page.getByTestId("sensor-reading");
    await reading.getByTestId("trend").waitFor();
    for (const text of [what, value, limit]) expect(await reading.textContent()).toContain(text);
    expect(await accessibilityFaults(page)).toEqual([]);
    await picture(page, `wall-sensor-alarm-${locale}`);
    server.change({
      kind: "alarm",
      alarm: { ...alarm, id: "9", cameraId: null, cameraName: null, endedAtMs: Date.now() },
    });
    await page.locator('[data-alarm-id="9"] [data-ended="true"]').waitFor();
  });

  it("keeps the list still under the pointer and lets new rows wait behind a counter", async () => {
    const page = await openWall();
    server.change({ kind: "alarm", alarm: fakeAlarm("10", camera("cam-1")) });
    await page.getByTestId("alarm-row").hover();
    server.change(
      { kind: "alarm", alarm: fakeAlarm("11", camera("cam-2")) },
      { kind: "alarm", alarm: fakeAlarm("12", camera("cam-3")) },
    );
    await page.locator('[data-testid=alarm-waiting][data-count="2"]').waitFor();
    expect(await page.getByTestId("alarm-row").count()).toBe(1);
    await page.keyboard.press("n");
    await page.locator('[data-testid=alarm-row][data-alarm-id="12"]').waitFor();
    expect(await page.getByTestId("alarm-row").first().getAttribute("data-alarm-id")).toBe("12");
  });

  it("draws a polygon on the live picture in the picture's own coordinates", async () => {
    const page = await openWall({ path: "#/zones/cam-3" });
    await page.locator('[data-testid=stage-state][data-state="live"]').waitFor();
    await page.getByTestId("editor-draw-polygon").click();
    const stage = page.getByTestId("editor-stage");
    await page.waitForFunction(
      () => Number(document.querySelector<HTMLElement>("[data-testid=editor-stage]")?.dataset["height"]) > 0,
    );
    const box = await stage.boundingBox();
    const rect = await stage.evaluate((element) =>
      Object.fromEntries(Object.entries((element as HTMLElement).dataset)),
    );
    const at = (x: number, y: number): [number, number] => [
      (box?.x ?? 0) + Number(rect["left"]) + x * Number(rect["width"]),
      (box?.y ?? 0) + Number(rect["top"]) + y * Number(rect["height"]),
    ];
    for (const [x, y] of [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.9, 0.9],
      [0.75, 0.75],
    ] as const)
      await page.mouse.click(...at(x, y));
    await page.keyboard.press("Backspace");
    await page.keyboard.press("Enter");
    await page.getByTestId("editor-name").fill("Stage door");
    server.refuseNext = { status: 400, code: "ZONE_SELF_CROSSING" };
    await page.getByTestId("editor-save").click();
    await page.locator('[data-testid=error-note][data-code="ZONE_SELF_CROSSING"]').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await page.getByTestId("editor-save").click();
    await page.getByTestId("zone-row").waitFor();
    const zone = server.zones.find((each) => each.name === "Stage door");
    const expected = [
      [0.25, 0.25],
      [0.75, 0.25],
      [0.9, 0.9],
    ];
    zone?.points.forEach((point, index) => {
      expect(Math.abs(point.x - (expected[index]?.[0] ?? 9))).toBeLessThan(0.005);
      expect(Math.abs(point.y - (expected[index]?.[1] ?? 9))).toBeLessThan(0.005);
    });
    expect(zone?.points).toHaveLength(3);
    await page.getByTestId("rule-add").click();
    await page.getByTestId("rule-persistence").fill("5");
    await page.getByTestId("rule-save").click();
    await page.getByTestId("rule-row").waitFor();
    expect(server.rules.find((rule) => rule.zoneId === zone?.id)).toMatchObject({
      kind: "intrusion",
      persistenceMs: 5_000,
    });
    await picture(page, "editor-rule");
    await page.getByTestId("zone-edit").click();
    await page.getByTestId("editor-add-corner").nth(0).click();
    const corner = await page.getByTestId("editor-corner").nth(1).boundingBox();
    await page.mouse.move((corner?.x ?? 0) + 12, (corner?.y ?? 0) + 12);
    await page.mouse.down();
    await page.mouse.move(...at(0.5, 0.1), { steps: 4 });
    await page.mouse.up();
    server.refuseNext = {
      status: 409,
      code: "VERSION_CONFLICT",
      details: { current: { ...zone, version: 7 } },
    };
    await page.getByTestId("editor-save").click();
    await page.locator('[data-testid=error-note][data-code="VERSION_CONFLICT"]').waitFor();
    await page.getByTestId("editor-save").click();
    await page.getByTestId("zone-row").waitFor();
    const changed = server.zones.find((each) => each.id === zone?.id);
    expect(changed?.points).toHaveLength(4);
    expect(Math.hypot((changed?.points[1]?.x ?? 9) - 0.5, (changed?.points[1]?.y ?? 9) - 0.1)).toBeLessThan(
      0.01,
    );
    await page.getByTestId("zone-delete").click();
    await page.getByTestId("toast-undo").click();
    await page.getByTestId("zone-row").waitFor();
    expect(server.rules.some((rule) => rule.persistenceMs === 5_000)).toBe(true);
  });

  it("draws a directed line by keyboard alone", async () => {
    const page = await openWall({ path: "#/zones/cam-4" });
    await page.locator('[data-testid=stage-state][data-state="live"]').waitFor();
    await page.getByTestId("editor-draw-line").press("Enter");
    await page.keyboard.press("Space");
    for (let i = 0; i < 5; i++) await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("Space");
    await page.getByTestId("editor-name").waitFor();
    await page.keyboard.press("Enter");
    await page.getByTestId("zone-row").waitFor();
    const line = server.zones.find((zone) => zone.cameraId === "cam-4");
    expect(line?.points).toEqual([
      { x: 0.5, y: 0.5 },
      { x: 0.65, y: 0.5 },
    ]);
    await page.keyboard.press("Escape");
    await page.getByTestId("page-wall").waitFor();
  });

  it("leads to the sign-in when the session ends, and back", async () => {
    const page = await openWall();
    await tileIn(page, "cam-1", "live");
    server.sockets.end(4001);
    await page.getByTestId("page-sign-in").waitFor();
    await page.getByTestId("sign-in-user").fill("zhang.wei");
    await page.getByTestId("sign-in-password").fill("wrong password");
    await page.getByTestId("sign-in-submit").click();
    await page.locator('[data-code="SIGN_IN_FAILED"]').waitFor();
    await page.getByTestId("sign-in-password").fill("correct horse battery");
    await page.getByTestId("sign-in-submit").click();
    await tileIn(page, "cam-1", "live");
  });
});
