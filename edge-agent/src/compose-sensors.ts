// How the sensors' part of the agent is put together: one keeper, and the ways by which sensors speak.
import type { AgentSensor } from "@huishi/contracts";
import { type Clock, supervise } from "@huishi/kernel";
import type { Logger } from "@huishi/platform";
import { ModbusDevices } from "./adapters/modbus/modbus-devices.ts";
import { SensorHttp } from "./adapters/sensor-http/sensor-http.ts";
import { SensorSubscriber } from "./adapters/sensor-mqtt/sensor-subscriber.ts";
import { SensorBroker } from "./adapters/sensor-mqtt/sensor-broker.ts";
import type { EventRecorder } from "./application/outbox-relay.ts";
import { SensorKeeper } from "./application/sensor-keeper.ts";
import type { ResolveHost, SensorInlet } from "./application/sensor-ports.ts";
import type { SensorListenersConfig } from "./sensor-config.ts";
import { checkSensorListeners, HTTP_LISTENER, MQTT_LISTENER } from "./sensor-config.ts";

const RETRY = { baseDelayMs: 1_000, maxDelayMs: 60_000, healthyAfterMs: 30_000 };

export interface SensorParts {
  readonly recorder: Pick<EventRecorder, "record">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of the agent's own configuration file. */
  readonly sensors: readonly AgentSensor[];
  readonly listeners: SensorListenersConfig;
  /** The guard of the site's networks, for devices that the agent itself speaks to. */
  readonly resolveHost?: ResolveHost;
  readonly onListening?: (kind: "mqtt" | "http", port: number) => void;
}

/** The running sensors' part. */
export interface Sensors {
  readonly keeper: SensorKeeper;
  /** Runs until the signal aborts; never rejects. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Builds the sensors' part; the agent's own sensors are watched from the first.
 *
 * @throws EdgeError SENSOR_CONFIG_INVALID, UNIT_UNKNOWN, UNIT_MISMATCH
 */
export function composeSensors(parts: SensorParts): Sensors {
  const { recorder, clock, log, sensors, listeners, resolveHost } = parts;
  checkSensorListeners(listeners);
  const keeper = new SensorKeeper({ recorder, clock, log, local: sensors });
  const inlets: SensorInlet[] = [
    new ModbusDevices({ sink: keeper, clock, log, ...(resolveHost && { resolveHost }) }),
  ];
  if (listeners.mqtt) inlets.push(mqttInlet(keeper, listeners.mqtt, parts));
  if (listeners.broker) inlets.push(brokerInlet(keeper, listeners.broker, parts));
  if (listeners.http) inlets.push(httpInlet(keeper, listeners.http, parts));
  for (const inlet of inlets) keeper.addInlet(inlet);
  keeper.apply([]);
  return {
    keeper,
    async run(signal) {
      await Promise.all([
        keeper.run(signal),
        ...inlets.map((inlet) =>
          supervise({ name: `${inlet.kind} sensors`, run: (stop) => inlet.run(stop) }, signal, {
            ...RETRY,
            onFailure: ({ name, error, retryDelayMs }) =>
              log.error({ inlet: name, err: error, retryDelayMs }, "sensors cannot be listened to"),
          }),
        ),
      ]);
    },
  };
}

function mqttInlet(
  sink: SensorKeeper,
  config: NonNullable<SensorListenersConfig["mqtt"]>,
  { log, onListening }: SensorParts,
): SensorInlet {
  return new SensorBroker({
    ...MQTT_LISTENER,
    ...config,
    accounts: (config.accounts ?? []).map(({ username, password = "", topicPrefix }) => ({
      username,
      password,
      ...(topicPrefix === undefined ? {} : { topicPrefix }),
    })),
    sink,
    log,
    onListening: (port) => onListening?.("mqtt", port),
  });
}

function brokerInlet(
  sink: SensorKeeper,
  { url, username, password, caFile }: NonNullable<SensorListenersConfig["broker"]>,
  { log }: SensorParts,
): SensorInlet {
  return new SensorSubscriber({
    url,
    sink,
    log,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(caFile === undefined ? {} : { caFile }),
  });
}

function httpInlet(
  sink: SensorKeeper,
  config: NonNullable<SensorListenersConfig["http"]>,
  { onListening }: SensorParts,
): SensorInlet {
  return new SensorHttp({
    ...HTTP_LISTENER,
    ...config,
    token: config.password ?? null,
    sink,
    onListening: (port) => onListening?.("http", port),
  });
}
