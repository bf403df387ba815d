// A hundred lost connections to a camera: no descriptor and no child stays behind.
import { CameraSimulator } from "@huishi/camera-simulator";
import { createLogger } from "@huishi/platform";
import { readFileSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type EdgeAgent, startEdgeAgent } from "../compose.ts";
import { CLAIM_CODE, TestCentre, until } from "../test-support/centre.ts";

/** `npm run test:faults` runs the long form; `npm test` the short one. */
const ROUNDS = process.env["HUISHI_FAULTS"] === "long" ? 100 : 15;
/** Sockets that are just closing. */
const SLACK = 4;

let folder: string;
let simulator: CameraSimulator;
let centre: TestCentre;
let agent: EdgeAgent;
let url: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "huishi-reconnects-"));
  simulator = new CameraSimulator({ cacheDir: join(folder, "cache") });
  const source = { kind: "clip", codec: "h264", width: 160, height: 120, fps: 10, groupSeconds: 1 } as const;
  const camera = await simulator.start({ name: "Gate", source });
  url = camera.rtspMainUrl;
  centre = await TestCentre.start();
  agent = await startEdgeAgent({
    stateDir: join(folder, "state"),
    serverUrl: centre.serverUrl,
    claimCode: CLAIM_CODE,
    cameras: [{ id: "gate", rtsp: { main: url } }],
    discovery: { enabled: false },
    logger: createLogger({ name: "edge-agent", level: "silent" }),
    timings: { healthIntervalMs: 300, retry: { baseDelayMs: 50, maxDelayMs: 100 } },
  });
  centre.demand("gate", ["main"], 600_000);
  await until("pictures", () => units() > 5);
}, 60_000);
afterEach(async () => {
  await agent.close();
  await centre.stop();
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const units = (): number => centre.unitsOf("gate", "main").length;
const descriptors = (): number => readdirSync("/proc/self/fd").length;
const children = (): number =>
  readFileSync(`/proc/self/task/${process.pid}/children`, "utf8").split(" ").filter(Boolean).length;

/** Runs the rounds; each ends with pictures. Descriptors and children are as they were then. */
async function expectNoLeak(round: (index: number) => Promise<void> | void): Promise<void> {
  const before = { descriptors: descriptors(), children: children() };
  for (let index = 0; index < ROUNDS; index++) {
    const had = units();
    await round(index);
    await until(`pictures of round ${index}`, () => units() > had + 2, 60_000);
  }
  await until("no descriptor more", () => descriptors() <= before.descriptors + SLACK);
  expect(children()).toBeLessThanOrEqual(before.children);
}

test(`${ROUNDS} lost connections to a camera leave nothing behind`, { timeout: 300_000 }, async () => {
  const [camera] = simulator.cameras;
  await expectNoLeak((index) => {
    if (index % 3 === 2) camera?.faults.setStream("main", { cutAfterPictures: 3 });
    camera?.dropClients();
    if (index % 3 === 2) setTimeout(() => camera?.faults.clear(), 300);
  });
  await until("one session", () => camera?.statistics().playingSessions === 1);
});
