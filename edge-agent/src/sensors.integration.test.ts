// Real MQTT, HTTP and Modbus TCP against the sensors' part of the agent.
import type { AgentSensor } from "@huishi/contracts";
import { systemClock } from "@huishi/kernel";
import { createLogger } from "@huishi/platform";
import { ModbusSimulator } from "@huishi/sensor-simulator";
import { Aedes } from "aedes";
import { connectAsync, type MqttClient } from "mqtt";
import { connect, createServer, type Socket, type Server, type AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { EventDraft } from "./application/ports.ts";
import { composeSensors, type Sensors } from "./compose-sensors.ts";
import type { SensorListenersConfig } from "./sensor-config.ts";
import { until } from "./test-support/centre.ts";
import { limit, manhole } from "./test-support/sensors.ts";

const TOKEN = "token-of-the-site";
let events: EventDraft[];
let sensors: Sensors;
let stop: AbortController;
let running: Promise<void>;
let ports: Record<string, number>;
const clients: MqttClient[] = [];

async function start(
  own: AgentSensor[],
  listeners: SensorListenersConfig = { mqtt: {}, http: {} },
): Promise<void> {
  sensors = composeSensors({
    recorder: { record: (event) => void events.push(event) },
    clock: systemClock,
    log: createLogger({ name: "test", level: "silent" }),
    sensors: own,
    listeners: {
      ...(listeners.mqtt ? { mqtt: { ...listeners.mqtt, port: 0 } } : {}),
      ...(listeners.broker ? { broker: listeners.broker } : {}),
      ...(listeners.http ? { http: { ...listeners.http, port: 0 } } : {}),
    },
    resolveHost: (host) =>
      host.startsWith("169.254.") ? Promise.reject(new Error("outside the site")) : Promise.resolve(host),
    onListening: (kind, port) => void (ports[kind] = port),
  });
  stop = new AbortController();
  running = sensors.run(stop.signal);
  await until("the listeners", () =>
    Object.keys(listeners).every((kind) => kind === "broker" || ports[kind]),
  );
}

beforeEach(() => {
  events = [];
  ports = {};
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
  stop.abort();
  await running;
});

async function mqtt(account: { username?: string; password?: string } = {}): Promise<MqttClient> {
  const client = await connectAsync(`mqtt://127.0.0.1:${ports["mqtt"]}`, { ...account, reconnectPeriod: 0 });
  client.on("error", () => undefined);
  clients.push(client);
  return client;
}
const of = <T extends EventDraft["type"]>(type: T): Extract<EventDraft, { type: T }>[] =>
  events.filter((event): event is Extract<EventDraft, { type: T }> => event.type === type);
const conditionsOf = (sensorId: string): string[] =>
  of("sensor_health").flatMap((event) =>
    event.sensorId === sensorId ? [[event.condition, event.code].filter(Boolean).join(" ")] : [],
  );
const valuesOf = (sensorId: string): number[] =>
  of("observation").flatMap((event) => (event.sensorId === sensorId ? [event.value] : []));
const post = (sensorId: string, body: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`http://127.0.0.1:${ports["http"]}/sensors/${sensorId}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });

test("a LoRaWAN message over MQTT becomes observations, and a tilt an alarm", async () => {
  await start([
    manhole({
      source: { kind: "mqtt", topic: "lorawan/+/up" },
      timePointer: "/rxInfo/0/time",
      datastreams: [
        { observedProperty: "tilt", unit: "deg", pointer: "/object/tilt" },
        { observedProperty: "temperature", unit: "Cel", sourceUnit: "degF", pointer: "/object/temp_f" },
      ],
      thresholds: [limit()],
      cameraId: "cam-1",
    }),
  ]);
  const client = await mqtt();
  const atMs = Date.now() - 2_000;
  const message = { object: { tilt: "61.5", temp_f: 50 }, rxInfo: [{ time: new Date(atMs).toISOString() }] };
  await client.publishAsync("lorawan/a84041/up", JSON.stringify(message), { qos: 1, retain: true });
  expect(of("sensor_inventory")).toEqual([
    expect.objectContaining({ sensorId: "manhole-1", watchedBy: "cam-1" }),
  ]);
  expect(of("observation")).toEqual([
    expect.objectContaining({ observedProperty: "tilt", value: 61.5, unit: "deg", capturedAtMs: atMs }),
    expect.objectContaining({ observedProperty: "temperature", value: 10, unit: "Cel", capturedAtMs: atMs }),
  ]);
  expect(of("sensor_alarm")).toEqual([
    expect.objectContaining({
      thresholdId: "tilted",
      active: true,
      value: 61.5,
      limit: 15,
      capturedAtMs: atMs,
    }),
  ]);
  expect(conditionsOf("manhole-1")).toEqual(["online"]);
});

test("nobody can listen to other sensors, nothing is retained, unmapped topics are dropped and counted", async () => {
  await start([manhole()]);
  const client = await mqtt();
  const heard: string[] = [];
  client.on("message", (topic) => heard.push(topic));
  await client.subscribeAsync("#").catch(() => undefined);
  await client.publishAsync("site/other", "1", { qos: 1 });
  await client.publishAsync("site/manhole/1", '{"tilt":1}', { qos: 1, retain: true });
  expect(heard).toEqual([]);
  expect(sensors.keeper.totals).toMatchObject({ unknown: 1, observations: 1 });
});

test("a broker that the site has is heard as well: what is mapped, nothing retained, again after it was away", async () => {
  let site = await siteBroker(0);
  const port = site.port;
  const publisher = async (): Promise<MqttClient> => {
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    client.on("error", () => undefined);
    clients.push(client);
    return client;
  };
  const heard = async (tilt: number): Promise<void> => {
    const client = await publisher();
    const again = setInterval(() => client.publish("site/manhole/1", `{"tilt":${tilt}}`), 50);
    await until("the value", () => valuesOf("manhole-1").includes(tilt)).finally(() => clearInterval(again));
  };
  const before = await publisher();
  await before.publishAsync("site/manhole/1", '{"tilt":99}', { qos: 1, retain: true });
  await start([manhole()], { broker: { url: `mqtt://127.0.0.1:${port}` } });
  await heard(1);
  sensors.keeper.apply([manhole({ id: "river", source: { kind: "mqtt", topic: "site/+/level" } })]);
  const again = setInterval(() => before.publish("site/elbe/level", '{"tilt":5}'), 50);
  await until("the new topic", () => valuesOf("river").includes(5)).finally(() => clearInterval(again));
  await site.close();
  site = await siteBroker(port);
  await heard(2);
  expect(valuesOf("manhole-1").filter((value) => value > 2)).toEqual([]);
  await site.close();
}, 30_000);

async function siteBroker(port: number): Promise<{ port: number; close(): Promise<void> }> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  }).listen(port, "127.0.0.1");
  await until("the site's broker", () => server.listening);
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => broker.close(() => resolve()));
      await closed;
    },
  };
}

test("with accounts, a wrong password is refused and an account keeps to its topics", async () => {
  const accounts = [{ username: "sewer", password: "a long password", topicPrefix: "site/manhole/" }];
  await start([manhole(), manhole({ id: "river", source: { kind: "mqtt", topic: "site/river" } })], {
    mqtt: { accounts },
  });
  await expect(mqtt({ username: "sewer", password: "wrong" })).rejects.toThrow();
  await expect(mqtt()).rejects.toThrow();
  const client = await mqtt({ username: "sewer", password: "a long password" });
  await client.publishAsync("site/river", '{"tilt":1}', { qos: 1 });
  await client.publishAsync("site/manhole/1", '{"tilt":2}', { qos: 1 });
  expect([valuesOf("river"), valuesOf("manhole-1")]).toEqual([[], [2]]);
});

test("a listener that the network can reach needs accounts or a token, and secrets need length", async () => {
  const open = (listeners: SensorListenersConfig): unknown => {
    try {
      composeSensors({
        recorder: { record: () => undefined },
        clock: systemClock,
        log: createLogger({ name: "test", level: "silent" }),
        sensors: [],
        listeners,
      });
      return "built";
    } catch (thrown) {
      return (thrown as { code?: string }).code;
    }
  };
  expect(open({ mqtt: { address: "0.0.0.0" } })).toBe("SENSOR_LISTENER_OPEN");
  expect(open({ http: { address: "10.0.0.2" } })).toBe("SENSOR_LISTENER_OPEN");
  expect(open({ http: { address: "10.0.0.2", password: "admin" } })).toBe("CONFIG_INVALID");
  expect(open({ http: { address: "10.0.0.2", password: TOKEN } })).toBe("built");
  await start([]);
});

test("HTTP answers 202, and every refusal by its code", async () => {
  await start([manhole({ id: "bin", source: { kind: "http" } })], { http: { password: TOKEN } });
  const right = { authorization: `Bearer ${TOKEN}` };
  const code = async (answer: Promise<Response>): Promise<[number, string]> => {
    const response = await answer;
    const body = (await response.json()) as { error?: { code: string }; accepted?: boolean };
    return [response.status, body.error?.code ?? ""];
  };
  expect(await code(post("bin", '{"tilt":1}', right))).toEqual([202, ""]);
  expect(await code(post("bin", '{"tilt":1}'))).toEqual([401, "TOKEN_REFUSED"]);
  expect(await code(post("bin", '{"tilt":1}', { authorization: "Bearer no" }))).toEqual([
    401,
    "TOKEN_REFUSED",
  ]);
  expect(await code(post("none", "{}", right))).toEqual([404, "SENSOR_NOT_FOUND"]);
  expect(await code(post("bin", "{", right))).toEqual([422, "SENSOR_PAYLOAD_INVALID"]);
  expect(await code(post("bin", '{"tilt":"x"}', right))).toEqual([422, "SENSOR_PAYLOAD_INVALID"]);
  expect(await code(post("bin", "1", { ...right, "content-type": "text/plain" }))).toEqual([
    415,
    "CONTENT_TYPE_REFUSED",
  ]);
  expect(await code(post("bin", `{"tilt":1,"x":"${"y".repeat(20_000)}"}`, right))).toEqual([
    413,
    "SENSOR_PAYLOAD_TOO_LARGE",
  ]);
  const deep = `${"[".repeat(8_000)}${"]".repeat(8_000)}`;
  expect(await code(post("bin", deep, right))).toEqual([422, "SENSOR_PAYLOAD_INVALID"]);
  expect(valuesOf("bin")).toEqual([1]);
});

test("wrong JSON and packets without end befall their sensor alone", async () => {
  await start([manhole(), manhole({ id: "river", source: { kind: "mqtt", topic: "site/river" } })]);
  const [good, bad] = [await mqtt(), await mqtt()];
  await bad.publishAsync("site/manhole/1", "not json", { qos: 1 });
  await bad.publishAsync("site/manhole/1", Buffer.alloc(20_000, 0x20), { qos: 1 });
  const closed = new Promise<void>((resolve) => bad.once("close", () => resolve()));
  bad.publish("site/manhole/1", Buffer.alloc(2_000_000), { qos: 0 });
  await closed;
  await good.publishAsync("site/river", '{"tilt":7}', { qos: 1 });
  expect(conditionsOf("manhole-1")).toEqual([
    "fault SENSOR_PAYLOAD_INVALID",
    "fault SENSOR_PAYLOAD_TOO_LARGE",
  ]);
  expect(valuesOf("river")).toEqual([7]);
  // A CONNECT that announces 200 MB ends before any of it is gathered.
  const socket = connect({ port: ports["mqtt"] as number, host: "127.0.0.1" });
  const ended = new Promise((resolve) => socket.once("close", resolve));
  socket.on("error", () => undefined);
  socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f, 0, 4]));
  await ended;
});

test("one sensor that floods loses its own messages, the others lose none", async () => {
  const names = Array.from({ length: 10 }, (_, i) => `s${i}`);
  await start([
    manhole({ id: "flood" }),
    ...names.map((id) => manhole({ id, source: { kind: "mqtt", topic: `site/${id}` } })),
  ]);
  const [flooding, ...clients] = await Promise.all([mqtt(), mqtt(), mqtt()]);
  for (let i = 0; i < 5_000; i += 1) flooding.publish("site/manhole/1", `{"tilt":${i % 90}}`, { qos: 0 });
  await Promise.all(
    names.flatMap((id, n) =>
      Array.from({ length: 100 }, (_, i) =>
        (clients[n % 2] as MqttClient).publishAsync(`site/${id}`, `{"tilt":${i}}`, { qos: 1 }),
      ),
    ),
  );
  await until("the flood has been dropped", () => sensors.keeper.totals.flooded > 0);
  expect(names.map((id) => valuesOf(id).length)).toEqual(names.map(() => 100));
  expect(conditionsOf("flood")).toContain("fault SENSOR_FLOODING");
  // Alarms and conditions are few however much comes.
  expect(of("sensor_health").length).toBeLessThan(30);
});

test("a connection that floods waits in its own TCP window while another is served", async () => {
  await start([manhole()]);
  const [flooding, good] = [await mqtt(), await mqtt()];
  const total = 30_000;
  for (let i = 0; i < total; i += 1) flooding.publish("site/nobody", "1", { qos: 0 });
  for (let i = 0; i < 50; i += 1) await good.publishAsync("site/manhole/1", `{"tilt":${i}}`, { qos: 1 });
  expect(valuesOf("manhole-1")).toHaveLength(50);
  const { unknown } = sensors.keeper.totals;
  expect(unknown).toBeLessThan(total / 2);
  await until("the flood goes on", () => sensors.keeper.totals.unknown > unknown);
});

test("an account takes over no session of another account", async () => {
  const accounts = ["sewer", "river"].map((username) => ({ username, password: "a long password" }));
  await start([manhole()], { mqtt: { accounts } });
  const open = (username: string): Promise<MqttClient> =>
    connectAsync(`mqtt://127.0.0.1:${ports["mqtt"]}`, {
      username,
      password: "a long password",
      clientId: "gateway",
      reconnectPeriod: 0,
    });
  const [sewer, river] = [await open("sewer"), await open("river")];
  clients.push(sewer, river);
  await river.publishAsync("site/manhole/1", '{"tilt":1}', { qos: 1 });
  await sewer.publishAsync("site/manhole/1", '{"tilt":2}', { qos: 1 });
  expect(valuesOf("manhole-1")).toEqual([1, 2]);
});

const modbusSensor = (id: string, port: number, change: Partial<AgentSensor> = {}): AgentSensor => ({
  id,
  name: id,
  source: { kind: "modbus_tcp", host: "127.0.0.1", port, pollMs: 100 },
  datastreams: [
    {
      observedProperty: "water_level",
      unit: "m",
      sourceUnit: "cm",
      scale: 0.1,
      register: { table: "input_register", address: 3, type: "int16" },
      expectedIntervalMs: 60_000,
    },
    {
      observedProperty: "power",
      unit: "W",
      register: { table: "holding_register", address: 0, type: "float32", wordOrder: "little" },
      expectedIntervalMs: 60_000,
    },
    {
      observedProperty: "open",
      unit: "1",
      register: { table: "coil", address: 9, type: "bit" },
      expectedIntervalMs: 60_000,
    },
  ],
  ...change,
});
const beyond = (address: number): AgentSensor["datastreams"] => [
  { observedProperty: "tilt", unit: "deg", register: { table: "input_register", address, type: "int16" } },
];

test("Modbus registers are read, scaled and converted; an exception befalls one sensor alone", async () => {
  const device = await ModbusSimulator.start();
  device.setInput(3, 1_234);
  const float = Buffer.alloc(4);
  float.writeFloatBE(12.5);
  float.copy(device.holding, 0, 2, 4);
  float.copy(device.holding, 2, 0, 2);
  device.coils[1] = 0b10;
  await start(
    [modbusSensor("gauge", device.port), modbusSensor("wrong", device.port, { datastreams: beyond(500) })],
    {},
  );
  await until("both are known", () => conditionsOf("gauge").length > 0 && conditionsOf("wrong").length > 0);
  expect(valuesOf("gauge").slice(0, 3)).toEqual([1.234, 12.5, 1]);
  expect([conditionsOf("gauge"), conditionsOf("wrong")]).toEqual([
    ["online"],
    ["fault SENSOR_MODBUS_EXCEPTION"],
  ]);
  expect(device.connections).toBe(1);
  await device.stop();
});

test("a half-open Modbus device is offline, holds up nobody, and is back by itself", async () => {
  const [sick, well] = [await ModbusSimulator.start(), await ModbusSimulator.start()];
  await start([modbusSensor("sick", sick.port), modbusSensor("well", well.port)], {});
  await until("both are online", () => valuesOf("sick").length > 0 && valuesOf("well").length > 0);
  sick.setFault("silent");
  await until("it is offline", () => conditionsOf("sick").includes("offline SENSOR_UNREACHABLE"));
  const before = valuesOf("well").length;
  await until("the other goes on", () => valuesOf("well").length > before + 6);
  expect(conditionsOf("well")).toEqual(["online"]);
  sick.setFault(null);
  await until("it is back", () => conditionsOf("sick").at(-1) === "online");
  await Promise.all([sick.stop(), well.stop()]);
}, 30_000);

test("a device that is not there, or talks nonsense, is told as what it is", async () => {
  const babbling = await ModbusSimulator.start();
  babbling.setFault("garbage");
  const closed: Server = createServer().listen(0, "127.0.0.1");
  await until("a free port", () => closed.listening);
  const { port } = closed.address() as AddressInfo;
  closed.close();
  const outside = modbusSensor("outside", 502, {
    source: { kind: "modbus_tcp", host: "169.254.169.254", port: 80, pollMs: 100 },
  });
  await start([modbusSensor("absent", port), modbusSensor("babbling", babbling.port), outside], {});
  await until("the one outside", () => conditionsOf("outside").length > 0);
  expect(conditionsOf("outside")).toEqual(["offline SENSOR_UNREACHABLE"]);
  await until(
    "both are told",
    () => conditionsOf("absent").length > 0 && conditionsOf("babbling").length > 0,
  );
  expect(conditionsOf("absent")).toEqual(["offline SENSOR_UNREACHABLE"]);
  expect(conditionsOf("babbling")[0]).toBe("fault SENSOR_MODBUS_PROTOCOL");
  await babbling.stop();
});

test("a change of the configuration starts, stops and changes sensors, and leaves the others alone", async () => {
  const device = await ModbusSimulator.start();
  const gauge = modbusSensor("gauge", device.port);
  const river = manhole({
    id: "river",
    source: { kind: "mqtt", topic: "site/river" },
    thresholds: [limit()],
  });
  await start([], { mqtt: {} });
  sensors.keeper.apply([gauge, river]);
  const client = await mqtt();
  await client.publishAsync("site/river", '{"tilt":60}', { qos: 1 });
  await until("the gauge is read", () => valuesOf("gauge").length > 0);
  sensors.keeper.apply([gauge, manhole()]);
  expect(of("sensor_alarm").map(({ active }) => active)).toEqual([true, false]);
  await client.publishAsync("site/river", '{"tilt":61}', { qos: 1 });
  await client.publishAsync("site/manhole/1", '{"tilt":3}', { qos: 1 });
  expect([valuesOf("river"), valuesOf("manhole-1")]).toEqual([[60], [3]]);
  expect(device.connections).toBe(1);
  expect(of("sensor_inventory").map(({ sensorId }) => sensorId)).toEqual(["gauge", "river", "manhole-1"]);
  const bad = {
    ...manhole({ id: "bad" }),
    datastreams: [{ observedProperty: "x", unit: "cubit", pointer: "/x" }],
  };
  expect(() => sensors.keeper.apply([bad])).toThrow(expect.objectContaining({ code: "UNIT_UNKNOWN" }));
  expect(() => sensors.keeper.apply([manhole({ source: { kind: "http" } })])).toThrow(
    expect.objectContaining({ code: "SENSOR_CONFIG_INVALID" }),
  );
  await client.publishAsync("site/manhole/1", '{"tilt":4}', { qos: 1 });
  expect(valuesOf("manhole-1")).toEqual([3, 4]);
  await device.stop();
});
