// Everything on one machine: builds the parts, starts them in order, stops them in reverse.
import { detectorChoice, startAnalytics } from "@huishi/analytics";
import { issueClaimCode, issueSetupToken, startApi } from "@huishi/api";
import { startIngest } from "@huishi/ingest";
import {
  createLogger,
  createPool,
  diskHealth,
  KeptPostgres,
  type Logger,
  Metrics,
  migrate,
  openMediaBus,
  readMediaBusConfig,
} from "@huishi/platform";
import { HuishiError } from "@huishi/kernel";
import { randomBytes } from "node:crypto";
import { writeSync } from "node:fs";
import { open } from "node:fs/promises";
import { availableParallelism, hostname } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SupervisedChild } from "./child-process.ts";
import { reportCameras } from "./camera-report.ts";
import { giveDemoRule } from "./demo-rule.ts";
import { EDGE_AGENT_NODE_OPTIONS } from "@huishi/edge-agent";
import { edgeAgentConfig, writeSecretJson } from "./edge-agent-config.ts";
import { chooseFootage, type Footage } from "./footage.ts";
import type { StandaloneOptions } from "./options.ts";
import { preferPort, requireFreePort } from "./ports.ts";
import type { Progress } from "./progress.ts";
import type { SimulatorAnswer, SimulatorOrder } from "./simulator-order.ts";
import { dropStaleIdentity } from "./stale-identity.ts";
import { openStateFolder, type StateFolder } from "./state-folder.ts";
import { VERSION } from "./version.ts";

const HOST = "127.0.0.1";
const MQTT_PORT = 1883;
const SAMPLE_FPS = 5;
const dashboardDir = fileURLToPath(new URL("../../../dashboard/dist", import.meta.url));

export interface RunningStandalone {
  /** Address of the wall. */
  readonly url: string;
  /** One-time link that creates the first administrator; null when there is one. */
  readonly setupUrl: string | null;
  readonly databaseUrl: string;
  readonly mqttPort: number;
  /** Process ids of the children, for measurements. */
  pids(): Record<string, number>;
  /** Stops everything in reverse order. */
  stop(): Promise<void>;
}

/** Things to close, newest first. */
class Closers {
  readonly #closers: { name: string; close: () => Promise<void> }[] = [];

  add(name: string, close: () => Promise<void>): void {
    this.#closers.push({ name, close });
  }

  async closeAll(log: Logger | null): Promise<void> {
    for (const { name, close } of this.#closers.splice(0).reverse()) {
      await close().catch((err: unknown) => log?.error({ err, part: name }, "a part did not stop cleanly"));
    }
  }
}

/** What the steps of the start hand to each other. */
interface Site {
  readonly options: StandaloneOptions;
  readonly state: StateFolder;
  readonly progress: Progress;
  readonly log: Logger;
  /** Takes what children print. */
  readonly outputFd: number;
  readonly closers: Closers;
}

/**
 * Starts the whole of Huishi on this machine, bound to loopback.
 *
 * @throws HuishiError with a stable code and what to do, after what was started has been stopped again.
 */
export async function startStandalone(
  options: StandaloneOptions,
  progress: Progress,
): Promise<RunningStandalone> {
  const closers = new Closers();
  let log: Logger | null = null;
  try {
    const state = await openStateFolder(options.stateDir);
    closers.add("state folder", () => state.release());
    const output = await open(join(await state.folder("logs"), "huishi.log"), "a", 0o600);
    closers.add("log", () => output.close());
    log = createLogger({ name: "huishi", destination: { write: (line) => void writeSync(output.fd, line) } });
    return await startParts({ options, state, progress, log, outputFd: output.fd, closers });
  } catch (error) {
    await closers.closeAll(log);
    throw error;
  }
}

async function startParts(site: Site): Promise<RunningStandalone> {
  const { options, progress, closers, log } = site;
  const httpPort = await requireFreePort(options.httpPort, "--port");
  const wantedMqttPort =
    options.mqttPort === null
      ? await preferPort(MQTT_PORT)
      : await requireFreePort(options.mqttPort, "--mqtt-port");
  const children = new Map<string, SupervisedChild>();

  // Converting footage and starting the database do not wait for each other.
  const footagePlayed = playFootage(site, children);
  footagePlayed.catch(() => {});
  const databaseUrl = await startDatabase(site);

  const clipsDir = join(site.state.path, "clips");
  // With HUISHI_NATS_URL more analytics processes may share the cameras (deploy/nats).
  const media = await openMediaBus(readMediaBusConfig(process.env), { service: "standalone", logger: log });
  closers.add("media bus", () => media.close());
  const mediaBus = media.bus;
  const ingest = await progress.step(
    "MQTT endpoint",
    () => startIngest({ clipsDir, databaseUrl, host: HOST, port: wantedMqttPort, mediaBus, logger: log }),
    ({ port }) => `${HOST}:${port}`,
  );
  closers.add("ingest", () => ingest.close());
  const mqttUrl = `mqtt://${HOST}:${ingest.port}`;

  const analyticsMetrics = new Metrics();
  media.show(analyticsMetrics);
  const api = await progress.step(
    "Wall and API",
    () =>
      startApi({
        databaseUrl,
        mediaBus,
        logger: log,
        host: HOST,
        port: httpPort,
        dashboardDir,
        mqttUrl,
        version: VERSION,
        clipsDir,
        otherMetrics: [ingest.metrics, analyticsMetrics],
        health: async () => [
          ...(await ingest.health()),
          ...media.health(),
          await diskHealth(site.state.path),
        ],
      }),
    ({ url }) => url,
  );
  closers.add("api", () => api.close());

  const analytics = await progress.step("Analytics", () =>
    startAnalytics({
      databaseUrl,
      mediaBus,
      logger: log,
      inferenceProcesses: availableParallelism(),
      sampleFps: SAMPLE_FPS,
      detector: detectorChoice(process.env, join(site.state.path, "models")),
      registry: analyticsMetrics.registry,
      // The state folder's lock says that the one before is gone.
      worker: { name: `${hostname()}:${site.state.path}`, isSuccessor: true },
    }),
  );
  closers.add("analytics", () => analytics.close());

  const played = await footagePlayed;
  await startEdgeAgent(site, children, { serverUrl: api.url, mqttUrl, databaseUrl, played });
  await attend(site, databaseUrl, played.footage);

  const setupToken = await issueSetupToken(databaseUrl);
  return {
    url: api.url,
    setupUrl: setupToken === null ? null : `${api.url}/#/setup?token=${setupToken}`,
    databaseUrl,
    mqttPort: ingest.port,
    pids: () => Object.fromEntries([...children].map(([name, child]) => [name, child.pid ?? 0])),
    stop: () => closers.closeAll(log),
  };
}

async function startDatabase({ options, state, progress, log, closers }: Site): Promise<string> {
  if (options.databaseUrl !== null) {
    const external = options.databaseUrl;
    await progress.step("Database (DATABASE_URL)", () => migrate(external, log));
    return external;
  }
  const dataDir = join(state.path, "postgres");
  return progress.step("Database (embedded PostgreSQL)", async () => {
    const postgres = await KeptPostgres.start({ dataDir, logger: log });
    closers.add("database", () => postgres.stop());
    await migrate(postgres.databaseUrl, log);
    return postgres.databaseUrl;
  });
}

interface Played {
  readonly footage: Footage;
  readonly account: { readonly username: string; readonly password: string };
  /** ONVIF address by serial. */
  readonly onvifUrls: ReadonlyMap<string, string>;
}

async function playFootage(site: Site, children: Map<string, SupervisedChild>): Promise<Played> {
  const { options, state, progress, closers } = site;
  const account = { username: "huishi", password: randomBytes(18).toString("base64url") };
  const footage = await chooseFootage(options, await state.folder("demo"), (line) => progress.line(line));
  for (const remark of footage.remarks) progress.line(`  ! ${remark}`);
  if (footage.cameras.length === 0) return { footage, account, onvifUrls: new Map() };

  const order: SimulatorOrder = {
    cacheDir: await state.folder("footage"),
    ...account,
    cameras: footage.cameras.map(({ name, serial, videoFile }) => ({ name, serial, videoFile })),
  };
  const simulator = new SupervisedChild({
    name: "camera simulator",
    entry: entryOf("./simulator-process"),
    message: order,
    log: site.log,
    outputFd: site.outputFd,
  });
  closers.add("camera simulator", () => simulator.stop());
  children.set("simulator", simulator);
  const { cameras } = await progress.step(
    "Cameras (simulated from video)",
    async () => (await simulator.start()) as SimulatorAnswer,
    (answer) => `${answer.cameras.filter((camera) => "onvifUrl" in camera).length} playing`,
  );
  const faults = cameras.flatMap((camera) => ("fault" in camera ? [camera.fault] : []));
  const [first] = faults;
  if (first && faults.length === cameras.length && options.cameras.length === 0) {
    throw new HuishiError(first.code, `None of the videos can be played. ${first.message}`);
  }
  for (const fault of faults) progress.line(`  ! ${fault.code}: ${fault.message}`);
  const playing = cameras.flatMap((camera) =>
    "onvifUrl" in camera ? [[camera.serial, camera.onvifUrl] as const] : [],
  );
  return { footage, account, onvifUrls: new Map(playing) };
}

async function startEdgeAgent(
  site: Site,
  children: Map<string, SupervisedChild>,
  {
    serverUrl,
    mqttUrl,
    databaseUrl,
    played,
  }: { serverUrl: string; mqttUrl: string; databaseUrl: string; played: Played },
): Promise<void> {
  const { options, state, progress, closers } = site;
  const configFile = join(state.path, "edge-agent.json");
  const agentStateDir = await state.folder("edge-agent");
  const pool = createPool(databaseUrl, { max: 1, applicationName: "huishi-launcher", logger: site.log });
  try {
    await dropStaleIdentity(pool, agentStateDir);
  } finally {
    await pool.end();
  }
  const simulated = played.footage.cameras.flatMap(({ serial, name, note }) => {
    const onvifUrl = played.onvifUrls.get(serial);
    return onvifUrl === undefined ? [] : [{ onvifUrl, name, note }];
  });
  await writeSecretJson(
    configFile,
    edgeAgentConfig({
      stateDir: agentStateDir,
      serverUrl,
      mqttUrl,
      claimCode: (await issueClaimCode(databaseUrl)).code,
      simulated,
      account: played.account,
      real: options.cameras,
    }),
  );
  const agent = new SupervisedChild({
    name: "edge agent",
    entry: new URL(import.meta.resolve("@huishi/edge-agent/main")),
    args: [configFile],
    nodeOptions: EDGE_AGENT_NODE_OPTIONS,
    log: site.log,
    outputFd: site.outputFd,
  });
  closers.add("edge agent", () => agent.stop());
  children.set("edge-agent", agent);
  await progress.step("Edge agent", () => agent.start());
}

/** What goes on beside the services: the demo's rule, and lines about the cameras. */
async function attend(
  { state, log, closers, progress }: Site,
  databaseUrl: string,
  footage: Footage,
): Promise<void> {
  const pool = createPool(databaseUrl, { max: 1, applicationName: "huishi-launcher", logger: log });
  const stop = new AbortController();
  const report = reportCameras(pool, (line) => progress.line(line), stop.signal);
  const demo = footage.cameras.find((camera) => camera.isDemo && camera.videoFile !== null);
  const give = async (): Promise<void> => {
    if (demo === undefined) return;
    try {
      await giveDemoRule(pool, demo.serial, join(state.path, "demo", "rule-given"), stop.signal);
    } catch (err) {
      if (!stop.signal.aborted) log.warn({ err }, "the demo's rule could not be given");
    }
  };
  const given = give();
  closers.add("launcher", async () => {
    stop.abort(new Error("stopping"));
    await Promise.all([report, given]);
    await pool.end();
  });
}

/** A module beside this one, with the ending that this one runs under. */
function entryOf(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url);
}
