import { expect, test } from "vitest";
import { readConfig } from "./config.ts";

const DATABASE = { HUISHI_DATABASE_URL: "postgres://huishi@127.0.0.1/huishi" };
const namesAtFault = (env: NodeJS.ProcessEnv): unknown => {
  try {
    readConfig({ ...DATABASE, ...env });
    return null;
  } catch (thrown) {
    const { code, details } = thrown as { code: string; details: { names: string[] } };
    return { code, names: details.names };
  }
};

test("with nothing but a database the endpoint listens on loopback without TLS", () => {
  expect(readConfig(DATABASE)).toEqual({
    databaseUrl: DATABASE.HUISHI_DATABASE_URL,
    logLevel: "info",
    host: "127.0.0.1",
    port: 1883,
    healthHost: "127.0.0.1",
    healthPort: 9091,
    allowPlain: false,
  });
});

test("TLS files and a broker are read, and the endpoint can be left out", () => {
  expect(
    readConfig({
      ...DATABASE,
      HUISHI_MQTT_PORT: "off",
      HUISHI_MQTT_TLS_KEY: "/k",
      HUISHI_MQTT_TLS_CERT: "/c",
      HUISHI_MQTT_BROKER_URL: "mqtts://broker.example:8883",
      HUISHI_MQTT_BROKER_USER: "huishi-ingest",
      HUISHI_MQTT_BROKER_PASSWORD_FILE: "/p",
      HUISHI_MQTT_BROKER_CA: "/ca",
      HUISHI_MQTT_VERSION: "4",
    }),
  ).toMatchObject({
    port: null,
    tls: { keyFile: "/k", certFile: "/c" },
    broker: {
      url: "mqtts://broker.example:8883",
      version: 4,
      user: "huishi-ingest",
      passwordFile: "/p",
      caFile: "/ca",
    },
  });
  expect(readConfig({ ...DATABASE, HUISHI_MQTT_BROKER_URL: "mqtt://[::1]" }).broker).toEqual({
    url: "mqtt://[::1]",
    version: 5,
  });
});

test.each([
  [
    "a key without its certificate",
    { HUISHI_MQTT_TLS_KEY: "/k" },
    ["HUISHI_MQTT_TLS_KEY", "HUISHI_MQTT_TLS_CERT"],
  ],
  ["no entrance at all", { HUISHI_MQTT_PORT: "off" }, ["HUISHI_MQTT_PORT", "HUISHI_MQTT_BROKER_URL"]],
  ["a password in the address", { HUISHI_MQTT_BROKER_URL: "mqtt://u:p@h" }, ["HUISHI_MQTT_BROKER_URL"]],
  ["another scheme", { HUISHI_MQTT_BROKER_URL: "http://h" }, ["HUISHI_MQTT_BROKER_URL"]],
  ["a port that is none", { HUISHI_MQTT_BROKER_URL: "mqtt://h:99999" }, ["HUISHI_MQTT_BROKER_URL"]],
  ["another version", { HUISHI_MQTT_VERSION: "3" }, ["HUISHI_MQTT_VERSION"]],
  ["another word for plain", { HUISHI_MQTT_PLAIN: "yes" }, ["HUISHI_MQTT_PLAIN"]],
])("%s is refused by the variables' names", (_, env, names) => {
  expect(namesAtFault(env)).toEqual({ code: "CONFIG_INVALID", names });
});
