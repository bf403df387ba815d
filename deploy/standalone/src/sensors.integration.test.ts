// Sensors as a city has them: simulated devices -> edge agent -> ingest -> PostgreSQL -> API.
import { startApi, issueClaimCode, issueSetupToken, type RunningApi } from "@huishi/api";
import type { Alarm, SensorState, Series } from "@huishi/contracts";
import { type EdgeAgent, startEdgeAgent } from "@huishi/edge-agent";
import { type Ingest, startIngest } from "@huishi/ingest";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { httpSender, ModbusSimulator, mqttSender, SCENES, valuesAt } from "@huishi/sensor-simulator";
import { testDatabase, type TestDatabase, until } from "@huishi/testkit";
import { connectAsync } from "mqtt";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiClient } from "./test-support/api-client.ts";

const logger = createLogger({ name: "test", level: "silent" });
const host = "127.0.0.1";
let folder: string;
let database: TestDatabase;
let ingest: Ingest;
let api: RunningApi;
let agent: EdgeAgent;
let client: ApiClient;
let gauge: ModbusSimulator;
const ports: Record<string, number> = {};

const centre = (port: number): Promise<Ingest> =>
  startIngest({ databaseUrl: database.databaseUrl, host, port, mediaBus: new InProcessMediaBus(), logger });

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "huishi-sensors-"));
  database = await testDatabase();
  ingest = await centre(0);
  const mqttUrl = `mqtt://${host}:${ingest.port}`;
  const dashboardDir = path.join(folder, "dashboard");
  await mkdir(dashboardDir);
  await writeFile(path.join(dashboardDir, "index.html"), "<!doctype html>");
  api = await startApi({
    databaseUrl: database.databaseUrl,
    mediaBus: new InProcessMediaBus(),
    logger,
    host,
    port: 0,
    dashboardDir,
    mqttUrl,
    version: "0.0.0-test",
  });
  client = new ApiClient(api.url);
  await client.setUp(`/setup?token=${await issueSetupToken(database.databaseUrl)}`);
  gauge = await ModbusSimulator.start();
  gauge.setInput(0, 245);
  agent = await startAgent(mqttUrl);
}, 60_000);
afterAll(async () => {
  await agent?.close();
  await api?.close();
  await ingest?.close();
  await gauge?.stop();
  await database?.drop();
  await rm(folder, { recursive: true, force: true });
});

async function startAgent(mqttUrl: string): Promise<EdgeAgent> {
  const { code } = await issueClaimCode(database.databaseUrl);
  return startEdgeAgent({
    stateDir: path.join(folder, "agent"),
    serverUrl: api.url,
    mqttUrl,
    claimCode: code,
    cameras: [],
    discovery: { enabled: false },
    logger,
    sensorListeners: { mqtt: { port: 0 }, http: { port: 0 } },
    onSensorListening: (kind, port) => void (ports[kind] = port),
    sensors: [
      {
        id: "cover",
        name: "井盖",
        source: { kind: "mqtt", topic: "site/cover" },
        timePointer: "/time",
        datastreams: [{ observedProperty: "tilt", unit: "deg", pointer: "/tilt_deg" }],
        thresholds: [
          {
            id: "tilted",
            observedProperty: "tilt",
            when: "above",
            limit: 15,
            clearAt: 5,
            alarmClass: "manhole_abnormal",
            priority: "P1",
          },
        ],
      },
      {
        id: "underpass",
        name: "下穿通道",
        source: { kind: "http" },
        timePointer: "/time",
        datastreams: [
          { observedProperty: "road_depth", unit: "cm", pointer: "/depth_cm" },
          { observedProperty: "rain", unit: "mm/h", pointer: "/rain_mm_h" },
        ],
      },
      {
        id: "gauge",
        name: "水位计",
        source: { kind: "modbus_tcp", host, port: gauge.port, pollMs: 200 },
        datastreams: [
          {
            observedProperty: "water_level",
            unit: "m",
            sourceUnit: "cm",
            register: { table: "input_register", address: 0, type: "int16" },
          },
        ],
      },
      {
        id: "busy",
        name: "busy",
        source: { kind: "mqtt", topic: "busy/+" },
        datastreams: Array.from({ length: 8 }, (_, i) => ({
          observedProperty: `v${i}`,
          unit: "1",
          pointer: `/${i}`,
        })),
      },
    ],
  });
}

const get = async <T>(route: string): Promise<T> => (await (await client.send("GET", route)).json()) as T;
const sensor = async (id: string): Promise<SensorState | undefined> =>
  (await get<{ sensors: SensorState[] }>("/sensors")).sensors.find((each) => each.id === id);
const alarms = async (): Promise<Alarm[]> =>
  (await get<{ alarms: Alarm[] }>("/alarms?sensorId=cover")).alarms;

async function valuesOf(id: string, property: string): Promise<number[]> {
  const stream = (await sensor(id))?.datastreams.find((each) => each.observedProperty === property);
  if (!stream) return [];
  const range = `fromMs=${Date.now() - 600_000}&toMs=${Date.now() + 1_000}`;
  const series = await get<Series>(`/sensors/${id}/datastreams/${stream.no}/series?${range}&points=2000`);
  return series.points.map(({ mean }) => mean);
}

test("a flood that is posted, a level that is polled and a unit that is converted stand in the API's series", async () => {
  await until("the listener", () => ports["http"] !== undefined);
  const sender = httpSender({ url: `http://${host}:${ports["http"]}/sensors/underpass` });
  const startMs = Date.now() - 120_000;
  for (let second = 0; second < 120; second += 20) {
    await sender.send(valuesAt(SCENES.road_flood, second * 1_000), startMs + second * 1_000);
  }
  await until("the depths", async () => (await valuesOf("underpass", "road_depth")).length === 6);
  expect(await valuesOf("underpass", "road_depth")).toEqual([0, 2, 21.3333, 31, 21.6667, 3]);
  await until("the level", async () => (await valuesOf("gauge", "water_level")).includes(2.45));
  expect(await sensor("gauge")).toMatchObject({ name: "水位计", condition: "online", stale: false });
  expect((await sensor("gauge"))?.datastreams).toMatchObject([
    { observedProperty: "water_level", unit: "m", expectedIntervalMs: 200 },
  ]);
});

test("a cover that is lifted while the uplink is down is an alarm with its true time when it is back", async () => {
  await until("the listener", () => ports["mqtt"] !== undefined);
  const { port } = ingest;
  await ingest.close();
  const sender = await mqttSender({ url: `mqtt://${host}:${ports["mqtt"]}`, topic: "site/cover" });
  const startMs = Date.now() - 60_000;
  for (const second of [0, 10, 22, 40, 50]) {
    await sender.send(valuesAt(SCENES.manhole, second * 1_000), startMs + second * 1_000);
  }
  await sender.close();
  expect(await alarms()).toEqual([]);
  ingest = await centre(port);
  await until("the alarm", async () => (await alarms())[0]?.endedAtMs, 30_000);
  expect(await alarms()).toMatchObject([
    {
      alarmClass: "manhole_abnormal",
      sensorName: "井盖",
      measured: { value: 62, limit: 15, unit: "deg", datastreamNo: expect.any(Number) },
      capturedAtMs: startMs + 22_000,
      endedAtMs: startMs + 50_000,
      occurrences: 1,
      cameraId: null,
    },
  ]);
}, 60_000);

test("values as fast as an agent has to take them are all stored", async () => {
  const sender = await connectAsync(`mqtt://${host}:${ports["mqtt"]}`);
  // 125 messages of eight values, five times over; each burst within what one sensor may send.
  const total = 5 * 125 * 8;
  for (let burst = 0; burst < 5; burst += 1) {
    const started = performance.now();
    await Promise.all(
      Array.from({ length: 125 }, (_, i) =>
        sender.publishAsync(
          "busy/a",
          JSON.stringify(Array.from({ length: 8 }, (_, k) => burst * 1_000 + i + k)),
          {
            qos: 1,
          },
        ),
      ),
    );
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, 1_000 - (performance.now() - started))));
  }
  await sender.endAsync();
  const stored = async (): Promise<number> => {
    const { rows } = await database.pool.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM observation JOIN datastream ON no = datastream_no WHERE sensor_id = 'busy'",
    );
    return rows[0]?.n ?? 0;
  };
  await until("all values", async () => (await stored()) === total, 30_000);
}, 60_000);
