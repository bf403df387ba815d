import type { MediaBus } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { type Logger, type Metrics, type PartHealth, repeatSummary, unreachable } from "@huishi/platform";
import { PostgresAgentListener } from "./adapters/postgres/agent-listener.ts";
import { PostgresAgentDirectory } from "./adapters/postgres/postgres-agent-directory.ts";
import { PostgresControlStore } from "./adapters/postgres/postgres-control-store.ts";
import { AgentControl } from "./application/agent-control.ts";
import { Authentication } from "./application/authentication.ts";
import { CameraOwners } from "./application/camera-owners.ts";
import type { MqttEntrance } from "./application/entrance.ts";
import { EventIntake } from "./application/event-intake.ts";
import { MediaDemands } from "./application/media-demands.ts";
import { MediaIntake } from "./application/media-intake.ts";
import { OutboxReports } from "./application/outbox-reports.ts";
import { Presence, readStatus } from "./application/presence.ts";
import { type EntranceOptions, type Entrances, startEntrances } from "./compose-entrances.ts";
import { composeClips } from "./compose-clips.ts";
import { composeStore } from "./compose-store.ts";
import { createIngestMetrics } from "./metrics.ts";

export interface IngestOptions extends EntranceOptions {
  readonly databaseUrl: string;
  readonly mediaBus: MediaBus;
  readonly logger: Logger;
  /** Folder of the clips that agents send. Without it none is asked for. */
  readonly clipsDir?: string;
  /** Bytes of clips at most; default 64 GiB. */
  readonly clipsMaxBytes?: number;
  /** Memory for events that wait for their commit; beyond it, connections are not read. Default 32 MiB. */
  readonly maxQueuedBytes?: number;
}

export interface Ingest {
  /** Of the in-process endpoint; 0 without it. */
  readonly port: number;
  readonly entrances: readonly MqttEntrance[];
  readonly metrics: Metrics;
  /** The database, whether events get into it, and the entrances. */
  health(): Promise<readonly PartHealth[]>;
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

  const store = composeStore({
    databaseUrl,
    logger,
    onFault,
    onCameras: (learned) => owners.learn(learned),
    onUpkeep: (task, seconds) => measured.upkeepSeconds.observe({ task }, seconds),
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
  const { committer } = store;
  const directory = new PostgresAgentDirectory(store.askPool);
  const owners = new CameraOwners(directory, onFault("camera owners could not be read"));
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
  const control = new AgentControl({
    store: new PostgresControlStore(store.askPool),
    publishRetained: (topic, payload) => entrances?.publishRetained(topic, payload),
    publish: (topic, payload) => entrances?.publish(topic, payload),
    onFault,
  });
  const listener = new PostgresAgentListener(databaseUrl, {
    configChanged: (agentId) => control.configChanged(agentId),
    commandGiven: (agentId) => control.commandGiven(agentId),
    revoked(agentId) {
      authentication.forget(agentId);
      entrances?.cut(agentId);
    },
  });
  const clips = composeClips({
    pool: store.askPool,
    clipsDir: options.clipsDir,
    clipsMaxBytes: options.clipsMaxBytes,
    onFault,
  });
  const measured = createIngestMetrics({
    queuedBytes: () => committer.queuedBytes,
    queuedRows: () => committer.queuedRows,
    connections: () => entrances?.connectionCount ?? 0,
    entrances: () => entrances?.all ?? [],
    media: () => media.counters,
    reports: () => reports.reports(),
    clipRoom: () => clips.room,
  });

  try {
    await directory.markAllOffline();
    await owners.refresh();
  } catch (thrown) {
    await store.close();
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
          if (status) {
            presence.said(agentId, status);
            reports.said(agentId, status);
            if (!status.online) control.gone(agentId);
          } else onFault("a status message was not what the contract says")({ agentId });
        },
        acceptMedia: (agentId, cameraId, profile, fragment) =>
          media.accept(agentId, cameraId, profile, fragment),
        acceptUpload: (agentId, transferId, topic, payload) =>
          clips.accept(agentId, transferId, topic, payload),
        connected(session) {
          if (session.kind === "events") presence.connected(session.agentId);
        },
        disconnected(session) {
          if (session.kind === "events") {
            presence.disconnected(session.agentId);
            control.gone(session.agentId);
          } else media.disconnected(session.agentId);
        },
        connectionLost: (connection) => committer.forget(connection),
        subscribedToDemands: (agentId) => demands?.agentSubscribed(agentId),
        subscribedToControl: (agentId) => control.subscribed(agentId),
        acceptReply: (agentId, payload) => control.reply(agentId, payload),
        judge: (agentId, secret) => authentication.judge(agentId, secret),
        async revokedAmong(agentIds) {
          const revoked = await directory.revokedAmong(agentIds);
          for (const agentId of revoked) authentication.forget(agentId);
          return revoked;
        },
      },
    });
  } catch (thrown) {
    await store.close();
    throw thrown;
  }
  const running = entrances;
  demands = new MediaDemands({
    bus: mediaBus,
    owners,
    clock: systemClock,
    publish: (topic, payload) => running.publishRetained(topic, payload),
  });
  store.keep([listener, control, ...clips.runnables]);

  return {
    port: running.port,
    entrances: running.all,
    metrics: measured.metrics,
    health: async () => [...(await store.health()), ...running.all.map(entranceHealth)],
    async close() {
      demands.close();
      owners.close();
      await running.close();
      await committer.close();
      await presence.close();
      await directory.markAllOffline().catch(onFault("agents could not be marked offline"));
      await store.close();
    },
  };
}

function entranceHealth({ description, isConnected }: MqttEntrance): PartHealth {
  return { name: description, ok: isConnected };
}
