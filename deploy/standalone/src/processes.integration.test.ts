// Ingest, api and two analytics as processes of their own around a NATS server, with a real agent and simulated cameras.
import { CameraSimulator, type SimulatedCamera } from "@huishi/camera-simulator";
import { issueClaimCode } from "@huishi/api";
import { RULE_DEFAULTS } from "@huishi/contracts";
import { type EdgeAgent, startEdgeAgent } from "@huishi/edge-agent";
import { createLogger, openMediaBus } from "@huishi/platform";
import { hasNatsServer, NatsServer, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { footage } from "./test-support/footage.ts";

const video = footage("vtest.avi");
const isPossible = hasNatsServer() && video !== null;
const logger = createLogger({ name: "test", level: "silent" });
const PASSWORD = "operator-password";
const SHIPPED = fileURLToPath(new URL("../../nats/nats.conf", import.meta.url));
/** What the issue allows a dead process's cameras to be without one, by the database's clock. */
const MOVE_MS = 10_000;

let folder: string;
let nats: NatsServer;
let database: TestDatabase;
let simulator: CameraSimulator;
let agent: EdgeAgent | null;
const children: ChildProcess[] = [];

beforeEach(async (context) => {
  if (!isPossible) context.skip();
  folder = await mkdtemp(join(tmpdir(), "huishi-processes-"));
  nats = await NatsServer.start({ config: await shippedAccounts() });
  database = await testDatabase();
  simulator = new CameraSimulator({ cacheDir: join(folder, "footage") });
  agent = null;
}, 60_000);
afterEach(async () => {
  if (!isPossible) return;
  await agent?.close();
  for (const child of children.splice(0)) await stop(child, "SIGKILL");
  await simulator.stop();
  await nats.remove();
  await database.drop();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, 60_000);

/** The accounts and rights that deploy/nats ships, each with the password `secret-NAME`. */
async function shippedAccounts(): Promise<string> {
  const conf = await readFile(SHIPPED, "utf8");
  return conf
    .slice(conf.indexOf("authorization {"))
    .replace(/user: (\w+),(\s+)password: "\$\w+"/g, 'user: $1,$2password: "secret-$1"');
}

async function passwordFileOf(account: string): Promise<string> {
  const file = join(folder, `nats-${account}`);
  await writeFile(file, `secret-${account}\n`, { mode: 0o600 });
  return file;
}

interface Started {
  readonly child: ChildProcess;
  readonly message: { readonly port?: number; readonly healthPort?: number };
}

/** The real main.ts of a service; those that tell their parent where they listen are waited for. */
async function service(name: string, env: Record<string, string>, tells = true): Promise<Started> {
  const entry = fileURLToPath(new URL(`../../../services/${name}/src/main.ts`, import.meta.url));
  const passwordFile = await passwordFileOf(name);
  const child = fork(entry, [], {
    execArgv: ["--import", "tsx", "--conditions=huishi-source"],
    env: {
      PATH: process.env["PATH"],
      DATABASE_URL: database.databaseUrl,
      HUISHI_NATS_URL: nats.url,
      HUISHI_NATS_USER: name,
      HUISHI_NATS_PASSWORD_FILE: passwordFile,
      HUISHI_HEALTH_PORT: "0",
      HUISHI_LOG_LEVEL: "error",
      ...env,
    },
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  children.push(child);
  if (!tells) return { child, message: {} };
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${name} ended at its start with ${String(code)}`);
  });
  const [message] = (await Promise.race([once(child, "message"), ended])) as [Started["message"]];
  ended.catch(() => undefined);
  return { child, message };
}

/** Waits for a picture and a scene of the camera, as a viewer with the rights of the api. */
async function watched(cameraId: string): Promise<void> {
  const viewer = await openMediaBus(
    {
      host: "127.0.0.1",
      port: nats.port,
      isSecured: false,
      user: "api",
      passwordFile: await passwordFileOf("api"),
    },
    { service: "viewer", logger },
  );
  const seen = { keyframes: 0, scenes: 0 };
  viewer.bus.subscribe({ cameraId, profile: "main" }, ({ keyframe }) => (seen.keyframes += Number(keyframe)));
  viewer.bus.subscribeScenes(cameraId, () => (seen.scenes += 1));
  try {
    await until("pictures and boxes are seen", () => seen.keyframes > 0 && seen.scenes > 0, 60_000);
  } finally {
    await viewer.close();
  }
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const gone = once(child, "exit") as Promise<[number | null]>;
  child.kill(signal);
  const [code] = await gone;
  return code;
}

async function rows<T extends object>(sql: string, ...values: unknown[]): Promise<T[]> {
  return (await database.pool.query<T>(sql, values)).rows;
}

async function startCentre(): Promise<string> {
  const { message } = await service("ingest", { HUISHI_MQTT_PORT: "0" });
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const mqttUrl = `mqtt://127.0.0.1:${message.port}`;
  await service("api", { HUISHI_API_PORT: String(port), HUISHI_MQTT_URL: mqttUrl }, false);
  await until("the api answers", async () => (await fetch(`${url}/livez`)).ok, 60_000);
  return url;
}

async function startField(serverUrl: string): Promise<void> {
  const cameras: SimulatedCamera[] = [];
  for (const serial of ["north", "south"]) {
    const source = { kind: "file", path: video ?? "" } as const;
    cameras.push(
      await simulator.start({ name: serial, serial, source, username: "operator", password: PASSWORD }),
    );
  }
  agent = await startEdgeAgent({
    stateDir: join(folder, "agent"),
    serverUrl,
    claimCode: (await issueClaimCode(database.databaseUrl)).code,
    name: "Gate",
    discovery: { enabled: false },
    cameras: cameras.map(({ rtspMainUrl }, i) => ({
      id: `camera-${i}`,
      rtsp: { main: rtspMainUrl },
      username: "operator",
      password: PASSWORD,
    })),
    logger,
  });
  await until(
    "the cameras are registered",
    async () => (await rows("SELECT id FROM camera")).length === 2,
    60_000,
  );
}

async function giveRules(): Promise<void> {
  const points = [
    { x: 0.1, y: 0.1 },
    { x: 0.9, y: 0.1 },
    { x: 0.9, y: 0.9 },
    { x: 0.1, y: 0.9 },
  ];
  await rows(
    `INSERT INTO zone (id, camera_id, name, kind, points) SELECT 'zone-' || id, id, id, 'polygon', $1 FROM camera`,
    JSON.stringify(points),
  );
  const settings = {
    name: "People",
    kind: "intrusion",
    classes: ["person"],
    direction: "both",
    enabled: true,
    schedule: null,
    ...RULE_DEFAULTS.intrusion,
  };
  await rows(
    "INSERT INTO rule (id, camera_id, zone_id, settings) SELECT 'rule-' || id, id, 'zone-' || id, $1 FROM camera",
    JSON.stringify(settings),
  );
}

interface Holding {
  readonly camera_id: string;
  readonly name: string;
}

function holdings(): Promise<Holding[]> {
  return rows<Holding>(
    `SELECT lease.camera_id, worker.name FROM camera_lease AS lease
     JOIN analytics_worker AS worker ON worker.id = lease.worker ORDER BY lease.camera_id`,
  );
}

async function camerasSeen(since: string): Promise<Set<string>> {
  const seen = await rows<{ id: string }>(
    `SELECT DISTINCT camera.id FROM detection JOIN camera ON camera.no = detection.camera_no
     WHERE captured_at > $1::timestamptz`,
    since,
  );
  return new Set(seen.map(({ id }) => id));
}

async function databaseTime(): Promise<string> {
  const [row] = await rows<{ at: string }>("SELECT clock_timestamp()::text AS at");
  return row?.at ?? "";
}

test(
  "pictures of a real agent reach two analytics processes, and one killed with -9 is replaced by the other",
  { timeout: 240_000 },
  async () => {
    await startField(await startCentre());
    await giveRules();
    const workers = new Map<string, Started>();
    for (const name of ["a", "b"])
      workers.set(
        name,
        await service("analytics", { HUISHI_WORKER_NAME: name, HUISHI_INFERENCE_PROCESSES: "1" }),
      );

    const held = await until(
      "each holds one camera",
      async () => {
        const now = await holdings();
        return now.length === 2 && now[0]?.name !== now[1]?.name && now;
      },
      60_000,
    );
    const started = await databaseTime();
    await until("people are seen on both", async () => (await camerasSeen(started)).size === 2, 60_000);
    for (const { message } of workers.values()) {
      const ready = await fetch(`http://127.0.0.1:${message.healthPort}/readyz`);
      expect(await ready.json()).toMatchObject({ ready: true });
    }

    for (const { camera_id: cameraId } of held) await watched(cameraId);

    const [lost] = held;
    const killedAt = await databaseTime();
    await stop((workers.get(lost?.name ?? "") as Started).child, "SIGKILL");
    await until(
      "the other holds both",
      async () => {
        const now = await holdings();
        return now.length === 2 && now.every(({ name }) => name !== lost?.name);
      },
      60_000,
    );
    const [moved] = await rows<{ taken_at: string; ms: number }>(
      `SELECT taken_at::text, (extract(epoch FROM taken_at - $2::timestamptz) * 1000)::float8 AS ms
       FROM camera_lease WHERE camera_id = $1`,
      lost?.camera_id,
      killedAt,
    );
    expect(moved?.ms).toBeLessThanOrEqual(MOVE_MS);
    await until(
      "people are seen on it again",
      async () => (await camerasSeen(moved?.taken_at ?? "")).has(lost?.camera_id ?? ""),
      60_000,
    );

    const survivor = [...workers].find(([name]) => name !== lost?.name)?.[1] as Started;
    expect(await stop(survivor.child, "SIGTERM")).toBe(0);
    expect(await holdings()).toEqual([]);
  },
);

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
