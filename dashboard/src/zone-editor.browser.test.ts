import type { SensorState } from "@huishi/contracts";
import axe from "axe-core";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasChromium, launchBrowser, type OpenedPage, openPage } from "./test-support/browser.ts";
import { type Clip, makeClip } from "./test-support/clip.ts";
import { fakeRehearsedAlarms, fakeResult } from "./test-support/fake-rehearsals.ts";
import { FakeServer } from "./test-support/fake-server.ts";
import { fakeCamera, fakeLine, fakePolygon, fakeRule } from "./test-support/fake-world.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const DIST = join(ROOT, "dist");
const PICTURES = join(ROOT, "../test-artifacts/dashboard");
const isRunnable = hasChromium && existsSync(join(DIST, "index.html"));
if (!isRunnable)
  console.log("skipped: the browser test needs chromium and a built dashboard (npm run build)");

const GAUGE: SensorState = {
  id: "gauge-1",
  agentId: "edge-1",
  name: "Underpass gauge",
  areaId: null,
  condition: "online",
  conditionCode: null,
  conditionSinceMs: null,
  agentOnline: true,
  stale: false,
  manufacturer: null,
  model: null,
  serial: null,
  cameraId: null,
  version: 1,
  datastreams: [
    {
      no: 7,
      observedProperty: "water_level",
      unit: "m",
      expectedIntervalMs: 60_000,
      lastValue: 0.1,
      lastAtMs: 0,
      ageMs: 0,
      stale: false,
    },
  ],
};

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

describe.skipIf(!isRunnable)("rules and their rehearsal in a browser", { timeout: 90_000 }, () => {
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

  async function openEditor(
    options: { locale?: string; width?: number; height?: number } = {},
  ): Promise<Page> {
    server = new FakeServer(DIST, clip);
    server.signInAll();
    server.cameras = [fakeCamera("cam-1", "North gate")];
    server.zones = [fakePolygon("z1", "cam-1", "Crossing")];
    server.rules = [fakeRule("r1", server.zones[0]!)];
    server.sensors = [GAUGE];
    const url = await server.start();
    opened = await openPage(browser, `${url}#/zones/cam-1`, options);
    await opened.page.getByTestId("page-zones").waitFor();
    return opened.page;
  }
  const editRule = async (page: Page): Promise<void> => {
    await page.getByTestId("rule-edit").click();
    await page.getByTestId("rule-form").waitFor();
  };
  const picture = async (page: Page, name: string): Promise<void> => {
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  };
  const rehearsal = (page: Page) => page.getByTestId("rehearsal");

  it("sets what each kind of rule asks for, and the arrow of the allowed way on the picture", async () => {
    const page = await openEditor();
    await page.getByTestId("rule-add").click();
    const kind = page.getByTestId("rule-kind");
    for (const [name, field] of [
      ["count_over", "rule-threshold"],
      ["congestion", "rule-occupancy"],
      ["density_over", "rule-density"],
      ["speed_over", "rule-speed"],
    ] as const) {
      await kind.selectOption(name);
      await page.getByTestId(field).waitFor();
    }
    await kind.selectOption("wrong_way");
    const handle = page.getByTestId("heading-handle");
    await handle.waitFor();
    await page.getByTestId("rule-heading").fill("90");
    expect(await handle.getAttribute("data-degrees")).toBe("90");
    await handle.focus();
    await page.keyboard.press("Shift+ArrowLeft");
    expect(await page.getByTestId("rule-heading").inputValue()).toBe("75");
    const box = (await handle.boundingBox())!;
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x - 200, box.y + 400, { steps: 4 });
    await page.mouse.up();
    const turned = Number(await page.getByTestId("rule-heading").inputValue());
    expect(turned).toBeGreaterThan(180);
    expect(turned).toBeLessThan(270);

    await page.getByTestId("rule-in-zone-by").selectOption("overlap");
    await page.getByTestId("rule-overlap").fill("40");
    await page.getByTestId("rule-sensor").check();
    await page.getByTestId("rule-sensor-stream").waitFor();
    await page.getByTestId("rule-sensor-value").fill("0.3");
    await page.getByTestId("rule-neighbours").check();
    await page.getByTestId("rule-neighbours-metres").fill("35");
    expect(await accessibilityFaults(page)).toEqual([]);
    await picture(page, "rule-form-en");
    await page.getByTestId("rule-save").click();
    await page.getByTestId("rule-row").nth(1).waitFor();
    expect(server.rules.find((rule) => rule.kind === "wrong_way")).toMatchObject({
      headingDeg: turned,
      inZoneBy: "overlap",
      overlapShare: 0.4,
      sensor: { datastreamId: "7", comparison: "above", value: 0.3 },
      neighbours: { metres: 35, withinMs: 60_000 },
    });
    expect(await handle.count()).toBe(0);
    expect(opened!.complaints).toEqual([]);
  });

  it("tells a refusal on the field that it is about", async () => {
    const page = await openEditor();
    await page.getByTestId("rule-add").click();
    await page.getByTestId("rule-kind").selectOption("speed_over");
    server.refuseNext = { status: 400, code: "RULE_SETTING_MISSING", details: { field: "speedKmh" } };
    await page.getByTestId("rule-save").click();
    await page.getByTestId("error-note").waitFor();
    expect(await page.getByTestId("rule-speed").getAttribute("aria-invalid")).toBe("true");
    expect(await page.getByTestId("rule-threshold").count()).toBe(0);
  });

  it.each(["en", "zh-CN"])("rehearses a changed rule against the saved one, in %s", async (locale) => {
    const page = await openEditor({ locale, width: 1280, height: 900 });
    await editRule(page);
    server.rehearsals.outcome = () =>
      fakeResult(fakeRehearsedAlarms(18, ["both", "both", "added", "removed"]), {
        raised: 14,
        baselineRaised: 14,
        added: 4,
        removed: 4,
      });
    await page.getByTestId("rule-persistence").fill("8");
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-progress").waitFor();
    await page.getByTestId("rehearsal-result").waitFor();
    expect(server.rehearsals.asked).toHaveLength(1);
    expect(server.rehearsals.asked[0]).toMatchObject({
      subject: { rule: { persistenceMs: 8_000 } },
      baseline: { rule: { persistenceMs: 3_000 } },
      source: { kind: "tracks" },
    });
    const counts = await page
      .getByTestId("rehearsal-legend")
      .locator("li")
      .evaluateAll((items) => items.map((item) => [item.dataset["compared"], item.dataset["count"]]));
    expect(counts).toEqual([
      ["both", "10"],
      ["added", "4"],
      ["removed", "4"],
    ]);
    expect(await page.getByTestId("timeline-mark").count()).toBe(18);
    await page.getByTestId("rehearsal-more").focus();
    await page.keyboard.press("Enter");
    expect(await page.getByTestId("rehearsed-alarm").count()).toBe(18);
    await page.getByTestId("rehearsed-alarm").nth(1).focus();
    await page.keyboard.press("Enter");
    await page.getByTestId("rehearsed-mark").waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await rehearsal(page).evaluate((element) => element.scrollIntoView());
    await picture(page, `rehearsal-${locale}`);

    await page.getByTestId("rule-persistence").fill("20");
    await page.getByTestId("rehearsal-changed").waitFor();
    expect(opened!.complaints).toEqual([]);
  });

  it("says why nothing would have been raised", async () => {
    const page = await openEditor({ width: 390, height: 844, locale: "zh-CN" });
    await editRule(page);
    for (const [why, fields] of [
      ["noneUnseen", { frames: 0, tracks: 0, coveredMs: 0 }],
      ["noneEmpty", { tracks: 0 }],
      ["noneFit", {}],
    ] as const) {
      server.rehearsals.outcome = () => fakeResult([], fields);
      await page.getByTestId("rehearse").click();
      await page.locator(`[data-testid=rehearsal-none][data-why=${why}]`).waitFor();
    }
    // An unchanged rule is compared with nothing.
    expect(server.rehearsals.asked[0]!.baseline).toBeUndefined();
    await rehearsal(page).evaluate((element) => element.scrollIntoView({ block: "end" }));
    await picture(page, "rehearsal-none-390");
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });

  it("shows a result on a phone without sideways scrolling", async () => {
    const page = await openEditor({ width: 390, height: 844 });
    await editRule(page);
    server.rehearsals.outcome = () => fakeResult(fakeRehearsedAlarms(7, ["added"]));
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-result").waitFor();
    await rehearsal(page).evaluate((element) => element.scrollIntoView());
    await picture(page, "rehearsal-390");
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    );
  });

  it("sends a clip in chunks, rehearses on it, and again without sending it anew", async () => {
    const page = await openEditor({ width: 1280, height: 900 });
    await editRule(page);
    await page.getByTestId("rehearsal-over").selectOption("clip");
    expect(await page.getByTestId("rehearse").isDisabled()).toBe(true);
    const bytes = Buffer.alloc(2_500_000, 1);
    bytes.write("\0\0\0\x20ftypisom", "latin1");
    await page
      .getByTestId("clip-file")
      .setInputFiles({ name: "gate.mp4", mimeType: "video/mp4", buffer: bytes });
    server.rehearsals.outcome = () =>
      fakeResult(
        fakeRehearsedAlarms(1, ["added"]).map((alarm) => ({
          ...alarm,
          startedAtMs: 2_000,
          capturedAtMs: 5_000,
          clearedAtMs: 9_000,
        })),
        { fromMs: 0, toMs: 60_000, coveredMs: 60_000, frames: 300, tracks: 6 },
      );
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-result").waitFor();
    expect(server.rehearsals.received).toBe(bytes.length);
    expect(server.rehearsals.asked[0]!.source).toEqual({ kind: "clip", clipId: "clip-1" });
    expect(await page.getByTestId("rehearsed-alarm").innerText()).toContain("0:05");
    await rehearsal(page).evaluate((element) => element.scrollIntoView());
    await picture(page, "rehearsal-clip");
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-progress").waitFor();
    await page.getByTestId("rehearsal-result").waitFor();
    expect(server.rehearsals.received).toBe(bytes.length);

    const text = { name: "list.m3u8", mimeType: "text/plain", buffer: Buffer.from("#EXTM3U\n") };
    await page.getByTestId("clip-file").setInputFiles(text);
    await page.getByTestId("rehearse").click();
    await page.locator("[data-testid=error-note][data-code=REHEARSAL_CLIP_TYPE]").waitFor();
    expect(opened!.complaints).toEqual([]);
  });

  it("is cancelled, and is when the form is left", async () => {
    const page = await openEditor();
    await editRule(page);
    server.rehearsals.isSlow = true;
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-cancel").click();
    await expect.poll(() => server.rehearsals.cancelled).toBe(1);
    await page.getByTestId("rehearse").click();
    await page.locator("[data-testid=rehearsal-progress] progress[value]").waitFor();
    await page.keyboard.press("Escape");
    await page.getByTestId("wall").waitFor();
    await expect.poll(() => server.rehearsals.cancelled).toBe(2);
  });

  it("fails with a reason", async () => {
    const page = await openEditor();
    await editRule(page);
    server.rehearsals.outcome = () => ({ code: "REHEARSAL_GIVEN_UP", message: "three workers ended" });
    await page.getByTestId("rehearse").click();
    await page.locator("[data-testid=error-note][data-code=REHEARSAL_GIVEN_UP]").waitFor();
    await picture(page, "rehearsal-failed");
  });

  it("is offered on a line, too", async () => {
    const page = await openEditor();
    server.change({ kind: "zone", zone: fakeLine("l1", "cam-1", "East line") });
    await page.locator("[data-testid=zone-row][data-zone-id=l1] [data-testid=zone-select]").click();
    await page.getByTestId("rule-add").click();
    await page.getByTestId("rule-direction").waitFor();
    await page.getByTestId("rehearse").click();
    await page.getByTestId("rehearsal-none").waitFor();
    expect(server.rehearsals.asked[0]!.subject).toMatchObject({ zone: { kind: "line" } });
  });
});
