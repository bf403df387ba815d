import type { Logger, Metrics } from "@huishi/platform";
import type { ReadGate } from "./adapters/mqtt/guarded-connection.ts";
import { MqttEndpoint } from "./adapters/mqtt/mqtt-endpoint.ts";
import type { TlsFilePaths } from "./adapters/mqtt/tls-files.ts";
import { BrokerEntrance, type BrokerOptions } from "./adapters/mqtt-broker/broker-entrance.ts";
import type { EntranceHandlers, MqttEntrance } from "./application/entrance.ts";

/** Where agents come in: the endpoint in this process, an external broker, or both. */
export interface EntranceOptions {
  readonly host: string;
  /** Of the in-process endpoint: 0 takes any free port, null leaves it out. */
  readonly port: number | null;
  /** Of the in-process endpoint. Without it only a loopback address is listened on, unless `allowPlain` is set. */
  readonly tls?: TlsFilePaths;
  readonly allowPlain?: boolean;
  /** Default 4096. */
  readonly maxConnections?: number;
  readonly broker?: BrokerOptions;
}

export interface Entrances {
  readonly all: readonly MqttEntrance[];
  /** Of the in-process endpoint; 0 without it. */
  readonly port: number;
  readonly connectionCount: number;
  publishRetained(topic: string, payload: Buffer): void;
  publish(topic: string, payload: Buffer): void;
  cut(agentId: string): void;
  close(): Promise<void>;
}

/** Errors: those of `MqttEndpoint.start`. */
export async function startEntrances(
  options: EntranceOptions,
  parts: {
    handlers: EntranceHandlers;
    gate: ReadGate;
    refusals: ReturnType<Metrics["counter"]>;
    logger: Logger;
  },
): Promise<Entrances> {
  const { handlers, gate, logger } = parts;
  const onRefusal = (reason: string): void => parts.refusals.inc({ reason });
  const endpoint =
    options.port === null
      ? null
      : await MqttEndpoint.start({
          host: options.host,
          port: options.port,
          maxConnections: options.maxConnections ?? 4096,
          maxUnauthenticated: 512,
          ...(options.tls && { tls: options.tls }),
          allowPlain: options.allowPlain ?? false,
          gate,
          handlers,
          logger,
          onRefusal,
        });
  const broker = options.broker
    ? BrokerEntrance.start({ ...options.broker, handlers, logger, onRefusal })
    : null;
  const all: MqttEntrance[] = [endpoint, broker].filter((each) => each !== null);
  for (const { description } of all) logger.info({ entrance: description }, "MQTT entrance is open");
  return {
    all,
    port: endpoint?.port ?? 0,
    get connectionCount() {
      return all.reduce((sum, each) => sum + each.connectionCount, 0);
    },
    publishRetained(topic, payload) {
      for (const each of all) each.publishRetained(topic, payload);
    },
    publish(topic, payload) {
      for (const each of all) each.publish(topic, payload);
    },
    cut(agentId) {
      for (const each of all) each.cut(agentId);
    },
    async close() {
      await Promise.all(all.map((each) => each.close()));
    },
  };
}
