// The two connections to the centre.
import { MAX_SPARE_CONNECTIONS } from "@huishi/contracts";
import { type Runnable, type SuperviseOptions, supervise } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { MqttEventLink } from "./adapters/mqtt/mqtt-event-link.ts";
import { MqttMediaLink } from "./adapters/mqtt/mqtt-media-link.ts";
import { MqttSpareLink } from "./adapters/mqtt/mqtt-spare-link.ts";
import type { CentreState } from "./application/agent-state.ts";
import { CentrePresence } from "./application/centre-presence.ts";
import { HedgedEvents } from "./application/hedged-events.ts";
import { OutboxRelay } from "./application/outbox-relay.ts";
import type { CentreListener, DemandHandler } from "./application/ports.ts";
import { UplinkPacer } from "./application/uplink-pacer.ts";
import type { AgentBase } from "./compose-base.ts";
import type { CommandParts } from "./compose-command.ts";
import type { UplinkBudget } from "./domain/uplink-budget.ts";

const LINK_RETRY = { baseDelayMs: 500, maxDelayMs: 30_000, healthyAfterMs: 30_000 };

interface LinksRun {
  readonly command: Pick<CommandParts, "runConnection">;
  /** Kept to what the line takes beside the events. */
  readonly budget: UplinkBudget;
}

export interface ComposedLinks {
  readonly events: MqttEventLink;
  readonly media: MqttMediaLink;
  describe(): CentreState;
  /** Keeps both connections and drains the outbox until the signal aborts. */
  run(parts: LinksRun, signal: AbortSignal): Promise<void>;
}

/** @param heard where what the centre says goes; asked for when something comes */
export function composeLinks(
  base: AgentBase,
  heard: { centre(): CentreListener; readonly onDemand: DemandHandler },
): ComposedLinks {
  const { known, log, clock, agentId, options } = base;
  const { ca, secret } = known;
  const mqttUrl = options.mqttUrl ?? known.identity.mqttUrl;
  const presence = new CentrePresence(clock);
  const account = {
    agentId,
    mqttUrl,
    get secret() {
      return secret.current;
    },
  };
  const media = new MqttMediaLink(account, ca);
  const events = new MqttEventLink({
    centre: listenerOf(heard, presence),
    identity: {
      agentId,
      mqttUrl,
      get secret() {
        return secret.offer();
      },
    },
    clock,
    log,
    ca,
    acknowledgement: options.acknowledgement ?? "puback",
    onDemand: heard.onDemand,
  });
  // Brokers know the two accounts of an agent and no more.
  const isOwnEndpoint = (options.acknowledgement ?? "puback") === "puback";
  const spares = Array.from(
    { length: isOwnEndpoint ? MAX_SPARE_CONNECTIONS : 0 },
    (_, i) => new MqttSpareLink(account, i + 1, ca),
  );
  return {
    events,
    media,
    describe: () => ({
      address: new URL(mqttUrl).host,
      isConnected: events.isConnected,
      sinceMs: presence.sinceMs,
      isMediaConnected: media.isConnected,
      mediaQueuedBytes: media.queuedBytes,
    }),
    async run({ command, budget }, signal) {
      const pacer = new UplinkPacer(media, budget);
      const live = new HedgedEvents({
        link: events,
        spares,
        stalledMs: () => events.stalledMs,
        keep: (spare, until) => supervise(spare, until, linkRetry(log)),
      });
      const relay = new OutboxRelay(base.outbox, events, {
        live,
        onAcknowledged: (tookMs) => pacer.acknowledged(tookMs),
      });
      const connect = (s: AbortSignal): Promise<void> => events.run(s).finally(() => presence.lost());
      const run = (runnable: Runnable): Promise<void> => supervise(runnable, signal, linkRetry(log));
      await Promise.all([
        run({ name: "event connection", run: (s) => command.runConnection(connect, s) }),
        run({ name: "media connection", run: (s) => media.run(s) }),
        run({ name: "outbox relay", run: (s) => relay.run(s) }),
        pacer.run(signal),
        live.run(signal),
      ]);
    },
  };
}

function listenerOf(heard: { centre(): CentreListener }, presence: CentrePresence): CentreListener {
  return {
    onConfig: (config) => heard.centre().onConfig(config),
    onUnreadableConfig: (revision, why) => heard.centre().onUnreadableConfig?.(revision, why),
    onCommand: (given) => heard.centre().onCommand(given),
    onConnected: () => {
      presence.connected();
      heard.centre().onConnected?.();
    },
  };
}

function linkRetry(log: Logger): SuperviseOptions {
  return {
    ...LINK_RETRY,
    onFailure: ({ name, error, retryDelayMs }) =>
      log.warn({ connection: name, err: error, retryDelayMs }, "connection to the centre lost"),
  };
}
