// The sensors' part of the agent's own configuration file.
import { resolve } from "node:path";
import { type Static, Type } from "typebox";
import { EdgeError } from "./domain/faults.ts";
import { isLoopbackAddress } from "./domain/loopback.ts";

const Address = Type.String({ minLength: 1, maxLength: 253 });
const Port = Type.Integer({ minimum: 0, maximum: 65535 });
const secret = {
  password: Type.Optional(Type.String({ maxLength: 256 })),
  /** File whose first line it is; relative to the configuration file. */
  passwordFile: Type.Optional(Type.String({ minLength: 1 })),
};
const MIN_SECRET = 12;

export const MQTT_LISTENER = { address: "127.0.0.1", port: 1883, maxClients: 256 } as const;
export const HTTP_LISTENER = { address: "127.0.0.1", port: 8883 } as const;

/** Listeners for sensors on the site's network; one that is not named does not run. */
export const SensorListenersSchema = Type.Object(
  {
    mqtt: Type.Optional(
      Type.Object(
        {
          /** Default 127.0.0.1. Elsewhere accounts are required. */
          address: Type.Optional(Address),
          /** Default 1883. */
          port: Type.Optional(Port),
          maxClients: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
          accounts: Type.Optional(
            Type.Array(
              Type.Object(
                {
                  username: Type.String({ minLength: 1, maxLength: 256 }),
                  ...secret,
                  /** Topics that it may publish to begin so. */
                  topicPrefix: Type.Optional(Type.String({ maxLength: 200 })),
                },
                { additionalProperties: false },
              ),
              { maxItems: 1_000 },
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    /** A broker that the site has already, instead of or beside the listener of our own. */
    broker: Type.Optional(
      Type.Object(
        {
          /** `mqtt://` or `mqtts://`, without an account. */
          url: Type.String({ pattern: "^mqtts?://[^@/]+/?$", maxLength: 512 }),
          username: Type.Optional(Type.String({ minLength: 1, maxLength: 256 })),
          ...secret,
          /** PEM file of the authority that its certificate is checked against; relative to the configuration file. */
          caFile: Type.Optional(Type.String({ minLength: 1 })),
        },
        { additionalProperties: false },
      ),
    ),
    http: Type.Optional(
      Type.Object(
        {
          /** Default 127.0.0.1. Elsewhere a token (password, passwordFile) is required. */
          address: Type.Optional(Address),
          /** Default 8883. */
          port: Type.Optional(Port),
          ...secret,
        },
        { additionalProperties: false },
      ),
    ),
  },
  { additionalProperties: false },
);
export type SensorListenersConfig = Static<typeof SensorListenersSchema>;

type WithPassword = <T extends { password?: string; passwordFile?: string }>(
  account: T,
  path: string,
) => Promise<T>;

/** Reads the listeners' secrets. @throws EdgeError CONFIG_INVALID, SENSOR_LISTENER_OPEN */
export async function readSensorListeners(
  config: SensorListenersConfig,
  folder: string,
  read: WithPassword,
): Promise<SensorListenersConfig> {
  const { mqtt, http, broker } = config;
  const accounts = await Promise.all(
    (mqtt?.accounts ?? []).map((account, i) => read(account, `/sensorListeners/mqtt/accounts/${i}`)),
  );
  const token = http && (await read(http, "/sensorListeners/http"));
  const listeners = {
    ...(mqtt ? { mqtt: { ...mqtt, accounts } } : {}),
    ...(token ? { http: token } : {}),
    ...(broker ? { broker: await readBroker(broker, folder, read) } : {}),
  };
  checkSensorListeners(listeners);
  return listeners;
}

/**
 * Checks that no listener is open to the site's network without a secret, and that secrets are worth the name.
 *
 * @throws EdgeError CONFIG_INVALID, SENSOR_LISTENER_OPEN
 */
export function checkSensorListeners({ mqtt, http }: SensorListenersConfig): void {
  const accounts = mqtt?.accounts ?? [];
  accounts.forEach(({ password }, i) => checkSecret(password, `/sensorListeners/mqtt/accounts/${i}`));
  if (mqtt && accounts.length === 0) checkLoopback(mqtt.address ?? MQTT_LISTENER.address, "mqtt");
  if (http?.password !== undefined) checkSecret(http.password, "/sensorListeners/http");
  else if (http) checkLoopback(http.address ?? HTTP_LISTENER.address, "http");
}

async function readBroker(
  broker: NonNullable<SensorListenersConfig["broker"]>,
  folder: string,
  read: WithPassword,
): Promise<NonNullable<SensorListenersConfig["broker"]>> {
  const { caFile, ...account } = await read(broker, "/sensorListeners/broker");
  return caFile === undefined ? account : { ...account, caFile: resolve(folder, caFile) };
}

function checkSecret(secret: string | undefined, path: string): void {
  if (secret !== undefined && secret.length >= MIN_SECRET) return;
  throw new EdgeError("CONFIG_INVALID", `${path} needs a password of at least ${MIN_SECRET} characters`, {
    details: { path },
  });
}

function checkLoopback(address: string, listener: "mqtt" | "http"): void {
  if (isLoopbackAddress(address)) return;
  throw new EdgeError(
    "SENSOR_LISTENER_OPEN",
    `/sensorListeners/${listener} would be open to everybody on ${address}`,
  );
}
