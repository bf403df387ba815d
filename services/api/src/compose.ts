import type { MediaBus } from "@huishi/contracts";
import { HuishiError, messageOf, type Runnable, supervise, systemClock } from "@huishi/kernel";
import {
  createPool,
  databaseHealth,
  type Logger,
  LoopWatch,
  type Metrics,
  type PartHealth,
  type Pool,
} from "@huishi/platform";
import type { FastifyBaseLogger } from "fastify";
import type { AddressInfo } from "node:net";
import { Argon2Hasher } from "./adapters/crypto/argon2-hasher.ts";
import { nodeSecrets } from "./adapters/crypto/node-secrets.ts";
import { buildApp } from "./adapters/fastify/app.ts";
import type { App } from "./adapters/fastify/app-type.ts";
import { PostgresAgentControlStore } from "./adapters/postgres/agent-control-store.ts";
import { PostgresAgentStore } from "./adapters/postgres/agent-store.ts";
import { PostgresAlarmStore } from "./adapters/postgres/alarm-store.ts";
import { PostgresCameraStore } from "./adapters/postgres/camera-store.ts";
import { PostgresChangeListener } from "./adapters/postgres/change-listener.ts";
import { PostgresChangeReader } from "./adapters/postgres/change-reader.ts";
import { ClipFolder } from "./adapters/clip-files/clip-folder.ts";
import { UploadFolder } from "./adapters/clip-files/upload-folder.ts";
import { PostgresUploadStore } from "./adapters/postgres/upload-store.ts";
import { AgentUploads } from "./application/agent-uploads.ts";
import { PostgresClipStore } from "./adapters/postgres/clip-store.ts";
import { PostgresCommandStore } from "./adapters/postgres/command-store.ts";
import { Housekeeping } from "./adapters/postgres/housekeeping.ts";
import { PostgresGroundPlaneStore } from "./adapters/postgres/ground-plane-store.ts";
import { PostgresIdentityStore } from "./adapters/postgres/identity-store.ts";
import { PostgresLookStore } from "./adapters/postgres/look-store.ts";
import { createQuestionPool } from "./adapters/postgres/question-pool.ts";
import { PostgresRuleStore } from "./adapters/postgres/rule-store.ts";
import { PostgresZoneStore } from "./adapters/postgres/zone-store.ts";
import { SocketServer } from "./adapters/ws/socket-server.ts";
import { AgentCommands } from "./application/agent-commands.ts";
import { AgentControl } from "./application/agent-control.ts";
import { Clips } from "./application/clips.ts";
import { ChangeFeed } from "./application/change-feed.ts";
import { GroundPlanes } from "./application/ground-planes.ts";
import { Identity } from "./application/identity.ts";
import { LiveGateway } from "./application/live-gateway.ts";
import { ZonesAndRules } from "./application/zones-and-rules.ts";
import { questionParts, rehearsalParts, storeParts } from "./compose-questions.ts";
import { readTls, type TlsFilePaths } from "./tls.ts";
import { createMetrics } from "./metrics.ts";

export interface ApiOptions {
  readonly databaseUrl: string;
  readonly mediaBus: MediaBus;
  readonly logger: Logger;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The built dashboard (the folder that holds index.html). */
  readonly dashboardDir: string;
  /** What a claimed agent is told to connect to. */
  readonly mqttUrl: string;
  readonly version: string;
  /** Folder of the clips that ingest takes in. Without it none can be asked for. */
  readonly clipsDir?: string;
  /** State of the other parts of this process, for /readyz. */
  readonly health?: () => readonly PartHealth[] | Promise<readonly PartHealth[]>;
  /** `https://host` when people come through a TLS proxy: cookies become Secure. */
  readonly publicOrigin?: string;
  /** HTTPS in this process. `caFile`: an authority of our own, which claim texts then name. */
  readonly tls?: TlsFilePaths;
  /** Metrics of other services in this process, shown at /metrics behind the api's own. */
  readonly otherMetrics?: readonly Metrics[];
  readonly trustedProxies?: readonly string[];
  /** Attempts a minute and address on sign-in, set-up and claim. Default 30. */
  readonly attemptsPerMinute?: number;
}

export interface RunningApi {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const RETRY = { baseDelayMs: 250, maxDelayMs: 5_000, healthyAfterMs: 10_000 } as const;

/**
 * Starts the API on a migrated database: stores, change feed, live gateway, HTTP and WebSocket.
 *
 * @throws HuishiError PORT_TAKEN or LISTEN_FAILED
 */
export async function startApi(options: ApiOptions): Promise<RunningApi> {
  const { databaseUrl, logger } = options;
  const clock = systemClock;
  const secrets = nodeSecrets;
  const tls = options.tls ? await readTls(options.tls, options) : null;
  const publicOrigin = options.publicOrigin ?? tls?.origin ?? null;
  const attemptsPerMinute = options.attemptsPerMinute ?? 30;
  const pool = createPool(databaseUrl, {
    max: 8,
    applicationName: "huishi-api",
    statementTimeoutMs: 10_000,
    logger,
  });
  const questions = createQuestionPool(databaseUrl, { logger });

  const identityStore = new PostgresIdentityStore(pool);
  const cameras = new PostgresCameraStore(pool);
  const zones = new PostgresZoneStore(pool);
  const rules = new PostgresRuleStore(pool, questions);
  const grounds = new PostgresGroundPlaneStore(pool);
  const alarms = new PostgresAlarmStore(pool);
  const changes = new PostgresChangeReader(pool, { alarms, cameras, zones, rules });

  const commands = new AgentCommands(new PostgresCommandStore(pool));

  const looks = new PostgresLookStore(pool);
  const loopWatch = new LoopWatch();
  const metrics = createMetrics(options.otherMetrics ?? []);
  const hasher = new Argon2Hasher();
  void hasher.prepareDecoy();
  const identity = new Identity({
    store: identityStore,
    hasher,
    secrets,
    clock,
    onSessionEnded: (tokenHash) => sockets.endSession(tokenHash),
  });
  const feed = new ChangeFeed({ reader: changes, clock, onBatch: metrics.changesSent });
  const gateway = new LiveGateway(options.mediaBus, metrics);
  const sockets = new SocketServer({
    feed,
    gateway,
    cameras,
    looks,
    clock,
    logger,
    identity,
    liveSessions: (tokenHashes, nowMs) => identityStore.liveSessions(tokenHashes, nowMs),
    publicOrigin,
  });
  metrics.watch({ sockets: () => sockets.connections, streams: () => gateway.openStreams });

  const zonesAndRules = new ZonesAndRules({ cameras, zones, rules, grounds, secrets, clock });
  const app = await buildApp({
    identity: {
      identity,
      clock,
      version: options.version,
      isHttps: publicOrigin?.startsWith("https:") ?? false,
      attemptsPerMinute,
    },
    cameras,
    zonesAndRules,
    rehearsals: rehearsalParts({ pool, cameras, looks, clock, rules: zonesAndRules }),
    groundPlanes: new GroundPlanes({ cameras, grounds, rules }),
    alarms,
    agents: {
      store: new PostgresAgentStore(pool),
      secrets,
      clock,
      mqttUrl: options.mqttUrl,
      attemptsPerMinute,
      caPem: tls?.caPem,
      pin: tls?.pin,
    },
    commands,
    clips: {
      commands,
      clips: new Clips({
        store: new PostgresClipStore(pool),
        files: options.clipsDir === undefined ? null : new ClipFolder(options.clipsDir),
        looks,
        clock,
      }),
    },
    uploads: new AgentUploads({
      store: new PostgresUploadStore(pool),
      contents: options.clipsDir === undefined ? null : new UploadFolder(options.clipsDir),
      commands,
      looks,
    }),
    agentControl: {
      control: new AgentControl({ store: new PostgresAgentControlStore(pool), commands, clock }),
      commands,
      attemptsPerMinute,
    },
    tls: tls?.server,
    questions: questionParts({ pool, questions, clock, zones }),
    store: storeParts({ pool, questions, clock, zones }),
    operation: {
      loop: () => loopWatch.look(),
      health: async () => [await databaseHealth(pool), ...((await options.health?.()) ?? [])],
      metrics: () => metrics.expose(),
    },
    logger: logger as FastifyBaseLogger,
    dashboardDir: options.dashboardDir,
    publicOrigin,
    trustedProxies: options.trustedProxies ?? [],
  });
  sockets.attach(app.server);

  const stop = new AbortController();
  const port = await listen(app, options).catch(async (err: unknown) => {
    await app.close();
    await Promise.all([pool.end(), questions.end()]);
    throw err;
  });
  const runnables: Runnable[] = [
    feed,
    new PostgresChangeListener(
      databaseUrl,
      () => feed.wake(),
      (commandId) => commands.wake(commandId),
    ),
    sockets,
    new Housekeeping({ pool, changes, clock, logger }),
  ];
  const running = runnables.map((runnable) =>
    supervise(runnable, stop.signal, {
      ...RETRY,
      onFailure: ({ name, error, retryDelayMs }) =>
        logger.warn(
          { part: name, err: error, retryDelayMs },
          "a part of the api failed and is started again",
        ),
    }),
  );
  const url =
    publicOrigin ??
    `${tls ? "https" : "http"}://${options.host.includes(":") ? `[${options.host}]` : options.host}:${port}`;
  logger.info({ url }, "api listens");
  return { port, url, close: () => closeAll({ stop, sockets, app, running, pools: [pool, questions] }) };
}

async function listen(app: App, { host, port }: ApiOptions): Promise<number> {
  try {
    await app.listen({ host, port });
    return (app.server.address() as AddressInfo).port;
  } catch (cause) {
    if (cause instanceof HuishiError) throw cause;
    if ((cause as { code?: string }).code === "EADDRINUSE") {
      throw new HuishiError(
        "PORT_TAKEN",
        `Port ${port} on ${host} is taken; stop what uses it or choose another one.`,
        {
          cause,
          details: { host, port },
        },
      );
    }
    throw new HuishiError("LISTEN_FAILED", `The api cannot listen on ${host}:${port}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** Stops in the reverse order of the start. */
async function closeAll(parts: {
  stop: AbortController;
  sockets: SocketServer;
  app: App;
  running: readonly Promise<void>[];
  pools: readonly Pool[];
}): Promise<void> {
  parts.stop.abort(new Error("the api stops"));
  await parts.sockets.close();
  await parts.app.close();
  await Promise.all(parts.running);
  await Promise.all(parts.pools.map((pool) => pool.end()));
}
