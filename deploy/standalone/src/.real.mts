import { startStandaloneProcess, scratchFolder } from "./test-support/standalone-process.ts";
import { launchBrowser } from "./test-support/wall-browser.ts";
import { ApiClient } from "./test-support/api-client.ts";
const scratch = await scratchFolder();
const out = "/work/main/test-artifacts/dashboard";
const r = await startStandaloneProcess({
  stateDir: scratch.path,
  args: ["--video", "/work/shared/media/vtest.avi"],
});
const api = new ApiClient(r.url);
await api.setUp(r.setupUrl!);
const b = await launchBrowser();
const c = await b.newContext({ viewport: { width: 1600, height: 900 }, locale: "en" });
const [n, v] = api.cookie.split("=") as [string, string];
await c.addCookies([{ name: n, value: v, url: r.url }]);
const page = await c.newPage();
try {
  await page.goto(r.url);
  await page.locator('[data-testid="tile"][data-state="live"]').first().waitFor({ timeout: 40000 });
  const cam = ((await (await api.send("GET", "/cameras")).json()) as any).cameras[0];
  console.log(JSON.stringify(cam.streams));
  const z = (await (
    await api.send("POST", `/cameras/${cam.id}/zones`, {
      name: "Z",
      kind: "polygon",
      points: [
        { x: 0.3, y: 0.3 },
        { x: 0.7, y: 0.3 },
        { x: 0.8, y: 0.8 },
        { x: 0.2, y: 0.8 },
      ],
    })
  ).json()) as any;
  const ru = await api.send("POST", `/cameras/${cam.id}/rules`, {
    zoneId: z.id,
    name: "n",
    kind: "intrusion",
    classes: ["person"],
    direction: "both",
    enabled: true,
    schedule: null,
    alarmClass: "intrusion",
    persistenceMs: 3000,
    exitMs: 2000,
    dedupeMs: 60000,
    priority: "P2",
    threshold: 0,
    minScore: 0.4,
  });
  console.log(ru.status);
  await page.waitForTimeout(15000);
  for (const key of ["1", "2"]) {
    await page.keyboard.press(key);
    await page.waitForTimeout(5000);
    const l: number[] = [],
      s: number[] = [];
    for (let i = 0; i < 40; i++) {
      const m = (await page.evaluate(() => globalThis.__huishi!.tiles()))[0]!;
      if (m.sceneLagMs !== null) l.push(m.sceneLagMs);
      s.push(m.presentedAtMs! - m.capturedAtMs!);
      await page.waitForTimeout(170);
    }
    l.sort((a, b) => a - b);
    s.sort((a, b) => a - b);
    console.log(
      "layout key",
      key,
      "scene lag p50/p95",
      l[l.length >> 1],
      l[Math.floor(l.length * 0.95)],
      "picture",
      Math.round(s[20]!),
      Math.round(s[38]!),
      l.length,
    );
    await page.screenshot({ path: `${out}/real-boxes-${key}.png` });
  }
} catch (e) {
  console.log("ERR", e);
}
await b.close();
await r.stop();
await scratch.remove();
process.exit(0);
