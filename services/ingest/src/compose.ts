import type { MediaBus } from "@huishi/contracts";
import { type Runnable, supervise, systemClock } from "@huishi/kernel";
import {
  createPool,
  databaseHealth,
  type Logger,
  type Metrics,
  type PartHealth,
  repeatSummary,
  unreachable,
} from "@huishi/platform";
import { MqttEndpoint } from "./adapters/mqtt/mqtt-endpoint.ts";
import { PostgresAgentDirectory } from "./adapters/postgres/postgres-agent-directory.ts";
import { LatestValues } from "./adapters/postgres/latest-values.ts";
import { NumberBook } from "./adapters/postgres/number-book.ts";
import { PostgresDeadLetterBox } from "./adapters/postgres/postgres-dead-letter-box.ts";
import { PostgresEventStore } from "./adapters/postgres/postgres-event-store.ts";
import { PostgresStoreKeeping } from "./adapters/postgres/postgres-store-keeping.ts";
import { Authentication } from "./application/authentication.ts";
import { CameraOwners } from "./application/camera-owners.ts";
import { DeadLetterReplay } from "./application/dead-letter-replay.ts";
import { EventIntake } from "./application/event-intake.ts";
import { GroupCommitter } from "./application/group-committer.ts";
import { MediaDemands } from "./application/media-demands.ts";
import { MediaIntake } from "./application/media-intake.ts";
import { OutboxReports } from "./application/outbox-reports.ts";
import { Presence, readStatus } from "./application/presence.ts";
import { StoreUpkeep } from "./application/store-upkeep.ts";
import { createIngestMetrics } from "./metrics.ts";

const COMMIT_LANES = 2;
/** Events that wait longer for their commit than this make the service not ready. */
const MAX_WAIT_MS = 10_000;
/** Rolling up hours of rows, or deleting a day of them, takes longer than anything that people wait for. */
const UPKEEP_STATEMENT_MS = 600_000;
const BACKGROUND_RETRY = { baseDelayMs: 500, maxDelayMs: 15_000, healthyAfterMs: 30_000 };

export interface IngestOptions {
  readonly databaseUrl: string;
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  readonly mediaBus: MediaBus;
  readonly logger: Logger;
  /** Default 4096. */
  readonly maxConnections?: number;
  /** Memory for events that wait for their commit; beyond it, connections are not read. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
}

export interface Ingest {
  readonly port: number;
  readonly metrics: Metrics;
  /** The database, and whether events get into it. */
  health(): Promise<readonly PartHealth[]>;
  close(): Promise<void>;
}

/**
 * The MQTT endpoint of the agents and what stands behind it. The database must have been migrated.
 *
 * Errors: MQTT_PORT_TAKEN, MQTT_ENDPOINT_FAILED, DATABASE_UNREACHABLE (at the start only: later outages are waited
 * for, with acknowledgements withheld).
 */
export async function startIngest(options: IngestOptions): Promise<Ingest> {
  const { databaseUrl, logger, mediaBus } = options;
  const repeats = repeatSummary();
  const onFault = (what: string) => (err: unknown) => {
    const swallowed = repeats.note(what);
    if (swallowed !== null) logger.warn({ err, swallowed }, what);
  };

  const commitPool = createPool(databaseUrl, {
    max: COMMIT_LANES,
    applicationName: "huishi-ingest-commit",
    logger,
  });
  const askPool = createPool(databaseUrl, { max: 2, applicationName: "huishi-ingest", logger });
  const keepPool = createPool(databaseUrl, {
    max: 2,
    applicationName: "huishi-ingest-keep",
    statementTimeoutMs: UPKEEP_STATEMENT_MS,
    logger,
  });
  const pools = [commitPool, askPool, keepPool];
  const endPools = (): Promise<unknown> => Promise.all(pools.map((pool) => pool.end()));
  const directory = new PostgresAgentDirectory(askPool);
  const owners = new CameraOwners(directory, onFault("camera owners could not be read"));
  const book = new NumberBook(askPool);
  const latest = new LatestValues(askPool, book, onFault("the latest sensor values could not be written"));
  const store = new PostgresEventStore({
    pool: commitPool,
    book,
    onCameras: (learned) => owners.learn(learned),
    onObservations: (rows) => latest.note(rows),
  });
  const committer = new GroupCommitter({
    store,
    lanes: COMMIT_LANES,
    ...(options.maxQueuedBytes !== undefined && { maxQueuedBytes: options.maxQueuedBytes }),
    observe: {
      committed(result) {
        measured.events.inc({ outcome: "new" }, result.inserted);
        measured.events.inc({ outcome: "repeated" }, result.duplicates);
        measured.deadLetters.inc(result.deadLetters);
        measured.commitSeconds.observe(result.ms / 1000);
      },
      retrying(fault) {
        measured.retries.inc();
        onFault("events wait for the database")(fault);
      },
      refused: onFault("the database refused an event; it is a dead letter now"),
    },
  });
  const intake = new EventIntake({
    committer,
    clock: systemClock,
    onCommitted(waitedS, lagS) {
      measured.acknowledgeSeconds.observe(waitedS);
      if (lagS !== null) measured.lagSeconds.observe(Math.max(0, lagS));
    },
  });
  const media = new MediaIntake(mediaBus, owners);
  const presence = new Presence(directory, onFault("an agent's presence could not be written"));
  const reports = new OutboxReports(systemClock);
  const authentication = new Authentication(directory, systemClock);
  const measured = createIngestMetrics({
    queuedBytes: () => committer.queuedBytes,
    queuedRows: () => committer.queuedRows,
    reports: () => reports.reports(),
    connections: () => endpoint?.connectionCount ?? 0,
    media: () => media.counters,
  });

  try {
    await directory.markAllOffline();
    await owners.refresh();
  } catch (thrown) {
    await Promise.all([committer.close(), endPools()]);
    throw unreachable(databaseUrl, thrown);
  }

  const roomListeners = new Set<() => void>();
  committer.onRoom(() => {
    for (const listener of roomListeners) listener();
  });
  let endpoint: MqttEndpoint | null = null;
  let demands: MediaDemands | null = null;
  try {
    endpoint = await MqttEndpoint.start({
      host: options.host,
      port: options.port,
      maxConnections: options.maxConnections ?? 4096,
      maxUnauthenticated: 512,
      logger,
      gate: {
        get isOpen() {
          return !committer.isFull;
        },
        onOpen(listener) {
          roomListeners.add(listener);
          return () => void roomListeners.delete(listener);
        },
      },
      onRefusal: (reason) => measured.refusals.inc({ reason }),
      handlers: {
        acceptEvents: (connection, agentId, topic, payload) =>
          intake.accept(connection, agentId, topic, payload),
        acceptStatus(agentId, payload) {
          const status = readStatus(payload);
          if (status) {
            presence.said(agentId, status);
            reports.said(agentId, status);
          } else onFault("a status message was not what the contract says")({ agentId });
        },
        acceptMedia: (agentId, cameraId, profile, fragment) =>
          media.accept(agentId, cameraId, profile, fragment),
        connected(session) {
          if (session.kind === "events") presence.connected(session.agentId);
        },
        disconnected(session, connection) {
          committer.forget(connection);
          if (session.kind === "events") presence.disconnected(session.agentId);
          else media.disconnected(session.agentId);
        },
        subscribedToDemands: (agentId) => demands?.agentSubscribed(agentId),
        isGenuine: (agentId, secret) => authentication.isGenuine(agentId, secret),
        async revokedAmong(agentIds) {
          const revoked = await directory.revokedAmong(agentIds);
          for (const agentId of revoked) authentication.forget(agentId);
          return revoked;
        },
      },
    });
  } catch (thrown) {
    await Promise.all([committer.close(), endPools()]);
    throw thrown;
  }
  const running = endpoint;
  demands = new MediaDemands({
    bus: mediaBus,
    owners,
    clock: systemClock,
    publish: (topic, payload) => running.publishRetained(topic, payload),
  });
  const stop = new AbortController();
  const inBackground = (runnable: Runnable): Promise<void> =>
    supervise(runnable, stop.signal, {
      ...BACKGROUND_RETRY,
      onFailure: ({ name, error }) => onFault(`${name} failed and is started again`)(error),
    });
  const background = Promise.all([
    latest.run(stop.signal),
    inBackground(new DeadLetterReplay(new PostgresDeadLetterBox(askPool), store, systemClock)),
    inBackground(
      new StoreUpkeep({
        keeping: new PostgresStoreKeeping(keepPool),
        onFault: (task, fault) => onFault(`upkeep of the store: ${task} failed`)(fault),
        onDone: (task, seconds) => measured.upkeepSeconds.observe({ task }, seconds),
        onRetention: (result) => logger.info(result, "retention enforced"),
        wallMs: () => systemClock.nowMs(),
        steadyMs: () => performance.now(),
      }),
    ),
  ]);
  logger.info({ host: options.host, port: running.port }, "MQTT endpoint listens");

  return {
    port: running.port,
    metrics: measured.metrics,
    health: async () => [await databaseHealth(askPool), queueHealth(committer)],
    async close() {
      demands.close();
      owners.close();
      await running.close();
      await committer.close();
      stop.abort(new Error("ingest stops"));
      await background;
      await presence.close();
      await directory.markAllOffline().catch(onFault("agents could not be marked offline"));
      await endPools();
    },
  };
}

function queueHealth(committer: GroupCommitter): PartHealth {
  const waitedS = Math.round(committer.waitingMs / 1000);
  const ok = !committer.isFull && committer.waitingMs < MAX_WAIT_MS;
  return {
    name: "ingest queue",
    ok,
    detail: `${committer.queuedRows} events wait, the oldest for ${waitedS} s`,
  };
}
