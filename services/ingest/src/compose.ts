import type { MediaBus } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { createPool, type Logger, type Metrics, repeatSummary, unreachable } from "@huishi/platform";
import { PostgresAgentDirectory } from "./adapters/postgres/postgres-agent-directory.ts";
import { PostgresEventStore } from "./adapters/postgres/postgres-event-store.ts";
import { Authentication } from "./application/authentication.ts";
import { CameraOwners } from "./application/camera-owners.ts";
import type { MqttEntrance } from "./application/entrance.ts";
import { EventIntake } from "./application/event-intake.ts";
import { GroupCommitter } from "./application/group-committer.ts";
import { MediaDemands } from "./application/media-demands.ts";
import { MediaIntake } from "./application/media-intake.ts";
import { Presence, readStatus } from "./application/presence.ts";
import { type EntranceOptions, type Entrances, startEntrances } from "./compose-entrances.ts";
import { createIngestMetrics } from "./metrics.ts";

const COMMIT_LANES = 2;

export interface IngestOptions extends EntranceOptions {
  readonly databaseUrl: string;
  readonly mediaBus: MediaBus;
  readonly logger: Logger;
  /** Memory for events that wait for their commit; beyond it, connections are not read. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
}

export interface Ingest {
  /** Of the in-process endpoint; 0 without it. */
  readonly port: number;
  readonly entrances: readonly MqttEntrance[];
  readonly metrics: Metrics;
  close(): Promise<void>;
}

/**
 * The MQTT entrances of the agents and what stands behind them. The database must have been migrated.
 *
 * Errors: those of `MqttEndpoint.start`, DATABASE_UNREACHABLE (at the start only: later outages are waited
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
  const directory = new PostgresAgentDirectory(askPool);
  const owners = new CameraOwners(directory, onFault("camera owners could not be read"));
  const store = new PostgresEventStore(commitPool, (learned) => owners.learn(learned));
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
  const intake = new EventIntake(committer);
  const media = new MediaIntake(mediaBus, owners);
  const presence = new Presence(directory, onFault("an agent's presence could not be written"));
  const authentication = new Authentication(directory, systemClock);
  const measured = createIngestMetrics({
    queuedBytes: () => committer.queuedBytes,
    connections: () => entrances?.connectionCount ?? 0,
    entrances: () => entrances?.all ?? [],
    media: () => media.counters,
  });

  try {
    await directory.markAllOffline();
    await owners.refresh();
  } catch (thrown) {
    await Promise.all([committer.close(), commitPool.end(), askPool.end()]);
    throw unreachable(databaseUrl, thrown);
  }

  const roomListeners = new Set<() => void>();
  committer.onRoom(() => {
    for (const listener of roomListeners) listener();
  });
  let entrances: Entrances | null = null;
  let demands: MediaDemands | null = null;
  try {
    entrances = await startEntrances(options, {
      logger,
      refusals: measured.refusals,
      gate: {
        get isOpen() {
          return !committer.isFull;
        },
        onOpen(listener) {
          roomListeners.add(listener);
          return () => void roomListeners.delete(listener);
        },
      },
      handlers: {
        acceptEvents: (connection, agentId, topic, payload) =>
          intake.accept(connection, agentId, topic, payload),
        acceptStatus(agentId, payload) {
          const status = readStatus(payload);
          if (status) presence.said(agentId, status);
          else onFault("a status message was not what the contract says")({ agentId });
        },
        acceptMedia: (agentId, cameraId, profile, fragment) =>
          media.accept(agentId, cameraId, profile, fragment),
        connected(session) {
          if (session.kind === "events") presence.connected(session.agentId);
        },
        disconnected(session) {
          if (session.kind === "events") presence.disconnected(session.agentId);
          else media.disconnected(session.agentId);
        },
        connectionLost: (connection) => committer.forget(connection),
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
    await Promise.all([committer.close(), commitPool.end(), askPool.end()]);
    throw thrown;
  }
  const running = entrances;
  demands = new MediaDemands({
    bus: mediaBus,
    owners,
    clock: systemClock,
    publish: (topic, payload) => running.publishRetained(topic, payload),
  });

  return {
    port: running.port,
    entrances: running.all,
    metrics: measured.metrics,
    async close() {
      demands.close();
      owners.close();
      await running.close();
      await committer.close();
      await presence.close();
      await directory.markAllOffline().catch(onFault("agents could not be marked offline"));
      await Promise.all([commitPool.end(), askPool.end()]);
    },
  };
}
