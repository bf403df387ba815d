// How long an alarm takes from its capture to the wall: 50 alarms a second go in through MQTT (QoS 1), a real browser
// shows them. The bare bound, measured in the same run, is publish to PUBACK: the commit alone.
//   npx tsx --conditions=huishi-source bench/alarm-to-wall.ts [SECONDS]
import { type AlarmTriggerEvent, type CameraInventoryEvent, eventsTopic } from "@huishi/contracts";
import { connectAsync } from "mqtt";
import { randomBytes } from "node:crypto";
import type { Static } from "typebox";
import { ApiClient, eventually } from "../deploy/standalone/src/test-support/api-client.ts";
import {
  scratchFolder,
  startStandaloneProcess,
} from "../deploy/standalone/src/test-support/standalone-process.ts";
import { launchBrowser } from "../deploy/standalone/src/test-support/wall-browser.ts";
import { describeMs, quantile } from "./support/statistics.ts";

const SECONDS = Number(process.argv[2] ?? 60);
const ALARMS_PER_SECOND = 50;
const BATCH = 5;
const CAMERAS = 20;

const scratch = await scratchFolder();
const browser = await launchBrowser();
const running = await startStandaloneProcess({ stateDir: scratch.path, args: ["--generated"] });
try {
  const api = new ApiClient(running.url);
  await api.setUp(running.setupUrl as string);
  const { code } = (await (await api.send("POST", "/agents/claim-codes")).json()) as { code: string };
  const claim = (await (await api.send("POST", "/agents/claim", { code, name: "Bench" })).json()) as {
    agentId: string;
    secret: string;
    mqttUrl: string;
  };
  const mqtt = await connectAsync(claim.mqttUrl, {
    clientId: claim.agentId,
    username: claim.agentId,
    password: claim.secret,
  });
  const boot = randomBytes(8).toString("hex");
  const topic = eventsTopic(claim.agentId);
  let seq = 0;
  const send = (events: object[]): Promise<unknown> =>
    mqtt.publishAsync(topic, JSON.stringify({ v: 1, boot, events }), { qos: 1 });
  const stamp = (): { seq: number; capturedAtMs: number; agentAtMs: number } => {
    const nowMs = Date.now();
    return { seq: seq++, capturedAtMs: nowMs, agentAtMs: nowMs };
  };
  const inventory = (camera: number): Static<typeof CameraInventoryEvent> => ({
    ...stamp(),
    type: "camera_inventory",
    cameraId: `bench-${camera}`,
    name: `Bench ${camera}`,
    streams: [],
    ptz: false,
  });
  await send(Array.from({ length: CAMERAS }, (_, camera) => inventory(camera)));
  await eventually("the cameras", async () => (await api.cameras()).length > CAMERAS - 1);

  const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
  const [name, value] = api.cookie.split("=") as [string, string];
  await context.addCookies([{ name, value, url: running.url }]);
  const page = await context.newPage();
  await page.goto(running.url);
  await page.getByTestId("wall").waitFor();
  await page.waitForFunction(() => globalThis.__huishi?.connection() === "online");

  const alarm = (): Static<typeof AlarmTriggerEvent> => ({
    ...stamp(),
    type: "alarm_trigger",
    cameraId: `bench-${seq % CAMERAS}`,
    alarmClass: "intrusion",
    priority: (["P2", "P3", "P4"] as const)[seq % 3] as "P2",
    objectClass: "person",
    box: { x: 0.4, y: 0.4, w: 0.1, h: 0.3 },
    score: 0.8,
  });
  const acknowledgedMs: number[] = [];
  const startedMs = Date.now();
  let sent = 0;
  while (sent < SECONDS * ALARMS_PER_SECOND) {
    const events = Array.from({ length: BATCH }, alarm);
    const publishedMs = performance.now();
    void send(events).then(() => acknowledgedMs.push(performance.now() - publishedMs));
    sent += BATCH;
    const dueMs = startedMs + (sent / ALARMS_PER_SECOND) * 1000;
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueMs - Date.now())));
  }
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const shown = await page.evaluate(() => globalThis.__huishi?.alarms() ?? []);
  const wallMs = shown
    .filter((each) => each.capturedAtMs >= startedMs)
    .map((each) => each.presentedAtMs - each.capturedAtMs);
  console.log(`${sent} alarms in ${SECONDS} s; ${wallMs.length} rows painted on the wall`);
  console.log(`publish to PUBACK (commit):   ${describeMs(acknowledgedMs)}`);
  console.log(`capture to painted on wall:   ${describeMs(wallMs)}`);
  console.log(
    `ratio of the p95 to the bare bound: ${(quantile(wallMs, 0.95) / quantile(acknowledgedMs, 0.95)).toFixed(1)}`,
  );
  await mqtt.endAsync();
} finally {
  await browser.close();
  await running.stop();
  await scratch.remove();
}
