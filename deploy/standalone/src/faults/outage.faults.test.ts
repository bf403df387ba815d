// The agent itself, whole, through a day without an uplink: its clock goes faster, its code is what a site runs.
import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import type { AgentSensor } from "@huishi/contracts";
import { type Ingest, startIngest } from "@huishi/ingest";
import { sleep } from "@huishi/kernel";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { BadNetwork, createAgent, type TestDatabase, testDatabase, until, WORST_LINE } from "@huishi/testkit";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SqliteOutbox } from "../../../../edge-agent/src/adapters/sqlite-outbox/sqlite-outbox.ts";
import { inForm, note } from "./test-support/form.ts";
import type { FromOutageAgent, OutageSettings, ToOutageAgent } from "./test-support/outage-agent.ts";

const ENTRY = fileURLToPath(new URL("./test-support/outage-agent.ts", import.meta.url));
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The assignment's bound for what is live while a backlog drains. */
const LIVE_LAG_MS = 5_000;
/** A day in 86 s, 20 sensors with a reading a minute each; the short form a day in 17 s, 4 with one in five minutes. */
const SPEED = inForm(1_000, 5_000);
const LEVELS = Array.from({ length: inForm(20, 4) }, (_, i) => `level-${i}`);
const EVERY_MS = inForm(1, 5) * MINUTE_MS;
const COVER_EVERY_MS = 60 * MINUTE_MS;
const MAX_EVENTS = 100_000;
const logger = createLogger({ name: "outage", level: "silent" });

const level = (id: string): AgentSensor => ({
  id,
  name: id,
  source: { kind: "http" },
  datastreams: [
    { observedProperty: "water_level", unit: "m", pointer: "/value", expectedIntervalMs: DAY_MS },
  ],
});
const cover: AgentSensor = {
  id: "cover",
  name: "cover",
  source: { kind: "http" },
  datastreams: [{ observedProperty: "tilt", unit: "deg", pointer: "/value", expectedIntervalMs: EVERY_MS }],
  thresholds: [
    {
      id: "open",
      observedProperty: "tilt",
      when: "above",
      limit: 15,
      alarmClass: "manhole_abnormal",
      priority: "P1",
    },
  ],
};

let folder: string;
let database: TestDatabase;
let ingest: Ingest;
let line: BadNetwork;
let simulator: CameraSimulator;
let child: ChildProcess;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-outage-"));
  database = await testDatabase();
  const { databaseUrl } = database;
  ingest = await startIngest({
    databaseUrl,
    host: "127.0.0.1",
    port: 0,
    mediaBus: new InProcessMediaBus(),
    logger,
  });
  line = await BadNetwork.start({ targetPort: ingest.port, delayMs: 20 });
  simulator = new CameraSimulator({ cacheDir: path.join(folder, "cache") });
}, 60_000);
afterEach(async () => {
  child.kill("SIGKILL");
  await line.stop();
  await simulator.stop();
  await ingest.close();
  await database.drop();
  await rm(folder, { recursive: true, force: true });
}, 60_000);

const source = { kind: "clip", codec: "h264", width: 160, height: 120, fps: 5, groupSeconds: 1 } as const;
const say = (message: ToOutageAgent): void => void child.send(message);

function heard<K extends FromOutageAgent["kind"]>(kind: K): Promise<Extract<FromOutageAgent, { kind: K }>> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: FromOutageAgent): void => {
      if (message.kind !== kind) return;
      child.off("message", onMessage);
      resolve(message as Extract<FromOutageAgent, { kind: K }>);
    };
    child.on("message", onMessage);
    child.once("exit", (code) => reject(new Error(`the agent ended with ${code} before it was ${kind}`)));
  });
}

async function startAgent(camera: SimulatedCamera): Promise<string> {
  const agent = await createAgent(database.pool);
  const stateDir = path.join(folder, "state");
  await mkdir(stateDir, { mode: 0o700 });
  const identity = { agentId: agent.id, secret: agent.secret, mqttUrl: `mqtt://127.0.0.1:${line.port}` };
  await writeFile(path.join(stateDir, "identity.json"), JSON.stringify(identity), { mode: 0o600 });
  const settings: OutageSettings = {
    config: {
      stateDir,
      serverUrl: "http://127.0.0.1:9",
      cameras: [{ id: "gate", rtsp: { main: camera.rtspMainUrl } }],
      discovery: { enabled: false },
      watchPictures: false,
      sensors: [...[...LEVELS, "live"].map(level), cover],
      sensorListeners: { http: { port: 0 } },
      outboxMaxEvents: MAX_EVENTS,
    },
    speed: SPEED,
    levels: LEVELS,
    everyMs: EVERY_MS,
    cover: "cover",
    coverEveryMs: COVER_EVERY_MS,
    live: "live",
  };
  const file = path.join(folder, "settings.json");
  await writeFile(file, JSON.stringify(settings), { mode: 0o600 });
  child = fork(ENTRY, [file], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source"],
    env: { PATH: process.env["PATH"] },
  });
  await heard("ready");
  return stateDir;
}

/** Takes the camera off the network and back again until told to stop. */
async function flicker(camera: SimulatedCamera, isOver: () => boolean): Promise<void> {
  const rtspPort = Number(new URL(camera.rtspMainUrl).port);
  let running = camera;
  while (!isOver()) {
    await running.stop();
    await sleep(2_500);
    running = await simulator.start({ name: "Gate", source, rtspPort });
    await sleep(2_500);
  }
}

interface Stored {
  readonly sensor: string;
  readonly seq: number;
  readonly value: number;
  readonly lagMs: number;
  readonly agentAtMs: number;
  readonly ingestedAtMs: number;
}

async function observations(): Promise<Stored[]> {
  const { rows } = await database.pool.query<Stored>(
    `SELECT d.sensor_id AS sensor, o.seq::int AS seq, o.value,
            o.ingest_lag_ms - o.agent_lag_ms AS "lagMs",
            (extract(epoch FROM o.captured_at) * 1000)::float8 + o.agent_lag_ms AS "agentAtMs",
            (extract(epoch FROM o.captured_at) * 1000)::float8 + o.ingest_lag_ms AS "ingestedAtMs"
     FROM observation o JOIN datastream d ON d.no = o.datastream_no ORDER BY o.seq`,
  );
  return rows;
}

/** Numbers of all events that are stored, in order. */
async function numbers(): Promise<number[]> {
  const { rows } = await database.pool.query<{ seq: number }>(
    "SELECT seq::int AS seq FROM observation UNION ALL SELECT seq::int FROM edge_event ORDER BY 1",
  );
  return rows.map(({ seq }) => seq);
}

async function conditions(subject: string): Promise<{ condition: string; agentAtMs: number }[]> {
  const { rows } = await database.pool.query<{ condition: string; agentAtMs: number }>(
    `SELECT body ->> 'condition' AS condition, (extract(epoch FROM agent_at) * 1000)::float8 AS "agentAtMs"
     FROM edge_event WHERE subject_id = $1 AND body ? 'condition' ORDER BY seq`,
    [subject],
  );
  return rows;
}

test(
  "a day without an uplink: all of it comes, once, in order, and the present is seen meanwhile",
  {
    timeout: inForm(900_000, 180_000),
  },
  async () => {
    const camera = await simulator.start({ name: "Gate", source });
    const stateDir = await startAgent(camera);
    await until("the camera is known", async () => (await conditions("gate")).length > 0, 30_000);

    line.refuse();
    line.cut();
    let isOver = false;
    say("outage");
    const flickering = flicker(camera, () => isOver);
    const { openings } = await heard("over");
    isOver = true;
    await flickering;
    const backlog = (await numbers()).length;

    if (inForm(true, false)) line.setQuality(WORST_LINE);
    line.open();
    const returnedMs = Date.now();
    await until(
      "a reading of the outage's end",
      async () =>
        (await observations()).filter(({ sensor }) => sensor === LEVELS[0]).length >= DAY_MS / EVERY_MS,
      inForm(700_000, 120_000),
    );
    const drainMs = Date.now() - returnedMs;
    await sleep(3_000);
    say("stop");
    const { said } = await heard("stopped");
    if (child.exitCode === null) await once(child, "exit");

    const outbox = await SqliteOutbox.open({ folder: path.join(stateDir, "outbox"), log: logger });
    const left = outbox.depth;
    const { lost } = await outbox.stats();
    await outbox.close();
    const rows = await observations();
    const stored = await numbers();
    const since = rows.find(({ ingestedAtMs }) => ingestedAtMs >= returnedMs)?.ingestedAtMs ?? returnedMs;
    const live = rows.filter(({ sensor, agentAtMs }) => sensor === "live" && agentAtMs >= since);
    const lags = live.map(({ lagMs }) => lagMs).sort((a, b) => a - b);
    const p95 = lags[Math.floor(lags.length * 0.95)] ?? Number.NaN;
    note("a day without an uplink", {
      speed: SPEED,
      atTheCentreBefore: backlog,
      events: stored.length,
      left,
      drainMs,
      live: lags.length,
      liveLagP95Ms: p95,
      liveLagMaxMs: lags.at(-1) ?? Number.NaN,
    });

    expect(lost).toBe(0);
    // What an agent says last may wait for its next start; nothing else.
    expect(stored).toEqual(Array.from({ length: stored.length }, (_, i) => i));
    expect(left).toBeLessThan(100);
    for (const id of LEVELS) {
      const values = rows.filter(({ sensor }) => sensor === id).map(({ value }) => value);
      expect(values, id).toEqual(Array.from({ length: said[id] ?? -1 }, (_, i) => i));
      expect(values.length).toBeGreaterThanOrEqual(DAY_MS / EVERY_MS);
    }
    const outageRows = rows.filter(({ sensor, agentAtMs }) => sensor !== "live" && agentAtMs < returnedMs);
    const came = outageRows.map(({ ingestedAtMs }) => Math.round(ingestedAtMs));
    expect(came).toEqual([...came].sort((a, b) => a - b));
    const { rows: opened } = await database.pool.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM edge_event WHERE body ->> 'thresholdId' = 'open' AND (body -> 'active')::boolean",
    );
    expect(opened[0]?.n).toBe(openings);
    const inOutage = (await conditions("gate")).filter(({ agentAtMs }) => agentAtMs < returnedMs - MINUTE_MS);
    expect(inOutage.map(({ condition }) => condition)).toEqual(
      expect.arrayContaining(["online", "unreachable"]),
    );
    expect(p95).toBeLessThanOrEqual(LIVE_LAG_MS);
  },
);
