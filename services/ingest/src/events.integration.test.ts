import { EVENT_TYPES, eventsTopic } from "@huishi/contracts";
import { connectAgent, createAgent, createCamera, type TestAgent, until } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  BOOT,
  inventory,
  motion,
  publishEvents,
  runIngest,
  type RunningIngest,
  times,
  trigger,
} from "./test-support/running-ingest.ts";

let running: RunningIngest;
let agent: TestAgent;
let client: MqttClient;
beforeEach(async () => {
  running = await runIngest();
  agent = await createAgent(running.pool);
  client = await connectAgent(running.ingest.port, agent);
});
afterEach(async () => {
  await client.endAsync(true);
  await running.close();
});

const rows = async (sql: string): Promise<unknown[]> => (await running.pool.query(sql)).rows as unknown[];
const deadLetters = (): Promise<unknown[]> => rows("SELECT agent_id, code FROM dead_letter ORDER BY id");

test("an acknowledged event is committed", async () => {
  await publishEvents(client, agent.id, [motion(1)]);
  expect(
    await rows(
      "SELECT agent_id, boot, seq, type_code, subject_id, captured_at, body FROM edge_event JOIN event_source ON no = source_no",
    ),
  ).toEqual([
    {
      agent_id: agent.id,
      boot: BOOT,
      seq: "1",
      type_code: EVENT_TYPES.camera_motion,
      subject_id: "north",
      captured_at: new Date(times.capturedAtMs),
      body: motion(1),
    },
  ]);
});

test("the PUBACK waits for the commit", async () => {
  const blocker = await running.pool.connect();
  await blocker.query("BEGIN; LOCK TABLE edge_event IN ACCESS EXCLUSIVE MODE");
  let isAcknowledged = false;
  const published = publishEvents(client, agent.id, [motion(1)]).then(() => (isAcknowledged = true));
  await until("the insert waits for the lock", async () => {
    const waiting = await blocker.query("SELECT 1 FROM pg_locks WHERE NOT granted");
    return (waiting.rowCount ?? 0) > 0;
  });
  expect(isAcknowledged).toBe(false);
  await blocker.query("COMMIT");
  blocker.release();
  await published;
  expect(await rows("SELECT count(*)::int AS n FROM edge_event")).toEqual([{ n: 1 }]);
});

test("an event that arrives again, alone or within its batch, is there once and makes one alarm", async () => {
  await createCamera(running.pool, agent.id, "gate");
  await publishEvents(client, agent.id, [trigger(1, "gate"), trigger(1, "gate"), trigger(2, "gate")]);
  await publishEvents(client, agent.id, [trigger(2, "gate"), trigger(3, "gate")]);
  expect(await rows("SELECT seq FROM edge_event ORDER BY seq")).toEqual([
    { seq: "1" },
    { seq: "2" },
    { seq: "3" },
  ]);
  expect(await rows("SELECT source_event FROM alarm ORDER BY id")).toEqual(
    [1, 2, 3].map((seq) => ({ source_event: `${agent.id}/${BOOT}/${seq}` })),
  );
  expect(await deadLetters()).toEqual([]);
});

test.each([
  ["no JSON", "{", "MALFORMED_JSON"],
  ["bytes that are no text", Buffer.from([0xff, 0x00, 0xfe]), "MALFORMED_JSON"],
  ["another version", JSON.stringify({ v: 2, boot: BOOT, events: [motion(1)] }), "INVALID_BATCH"],
  ["no events", JSON.stringify({ v: 1, boot: BOOT, events: [] }), "INVALID_BATCH"],
  ["nothing", "", "MALFORMED_JSON"],
  ["a JSON number", "42", "INVALID_BATCH"],
])("a message of %s is acknowledged and becomes a dead letter", async (_, payload, code) => {
  await client.publishAsync(eventsTopic(agent.id), payload, { qos: 1 });
  expect(await deadLetters()).toEqual([{ agent_id: agent.id, code }]);
  expect(client.connected).toBe(true);
});

test("bad events in a batch become dead letters with their reason, and stop no neighbour", async () => {
  await publishEvents(client, agent.id, [
    motion(1),
    { ...motion(2), active: "yes" },
    { ...motion(3), type: "weather" },
    { ...motion(4), password: "extra" },
    inventory(5, "north", { name: "zero \0 byte" }),
    inventory(6, "north", { name: "half \ud800 pair" }),
    trigger(7, "nowhere"),
    motion(8),
  ]);
  expect(await rows("SELECT seq FROM edge_event ORDER BY seq")).toEqual([{ seq: "1" }, { seq: "8" }]);
  expect(await rows("SELECT code, reason FROM dead_letter ORDER BY id")).toMatchObject([
    { code: "INVALID_EVENT", reason: expect.stringContaining("/active") },
    { code: "UNKNOWN_EVENT_TYPE" },
    { code: "INVALID_EVENT" },
    { code: "UNSTORABLE_TEXT" },
    { code: "UNSTORABLE_TEXT" },
    { code: "UNKNOWN_CAMERA", reason: expect.stringContaining("nowhere") },
  ]);
});

test("a poison row among 1,000 is found, and its 999 neighbours commit", async () => {
  await running.pool.query("ALTER TABLE edge_event ADD CHECK (seq <> 637)");
  const events = Array.from({ length: 1_000 }, (_, index) => motion(index + 1));
  await Promise.all([
    publishEvents(client, agent.id, events.slice(0, 500)),
    publishEvents(client, agent.id, events.slice(500)),
  ]);
  expect(await rows("SELECT count(*)::int AS n FROM edge_event")).toEqual([{ n: 999 }]);
  expect(
    await rows("SELECT code, convert_from(payload, 'UTF8')::json ->> 'seq' AS seq FROM dead_letter"),
  ).toEqual([{ code: "REFUSED_BY_DATABASE", seq: "637" }]);
});

test("a camera's faults and measures are the last ones told", async () => {
  const measure = (seq: number, profile: string, fps: number, laterMs: number) => ({
    type: "camera_measure",
    seq,
    agentAtMs: times.agentAtMs,
    capturedAtMs: times.capturedAtMs + laterMs,
    cameraId: "north",
    profile,
    codec: "h264",
    width: 640,
    height: 360,
    fps,
    bitRate: 500_000,
  });
  const fault = { fault: "blurred", sinceMs: times.capturedAtMs };
  await publishEvents(client, agent.id, [
    inventory(1, "north", {}),
    { type: "camera_health", seq: 2, ...times, cameraId: "north", condition: "degraded", faults: [fault] },
    measure(3, "sub", 25, 0),
    measure(4, "main", 20, 1),
  ]);
  await publishEvents(client, agent.id, [measure(5, "sub", 12, 2), measure(6, "main", 5, -1)]);
  const [camera] = (await rows("SELECT condition, faults, measured FROM camera")) as {
    condition: string;
    faults: unknown;
    measured: { fps: number }[];
  }[];
  expect(camera).toMatchObject({ condition: "degraded", faults: [fault] });
  expect(camera?.measured.map(({ fps }) => fps).sort((a, b) => a - b)).toEqual([12, 20]);
});

test("a device record takes over what the device is, and what an older agent does not tell is not known", async () => {
  const facts = () =>
    rows("SELECT hardware_address, endpoint, capabilities, version FROM camera WHERE id = 'north'");
  const told = {
    hardwareAddress: "02:00:00:00:00:01",
    endpoint: "urn:uuid:1",
    capabilities: ["imaging", "media2"],
  };
  await publishEvents(client, agent.id, [inventory(1, "north", told), inventory(2, "north", told)]);
  const known = {
    hardware_address: "02:00:00:00:00:01",
    endpoint: "urn:uuid:1",
    capabilities: ["imaging", "media2"],
  };
  expect(await facts()).toEqual([{ ...known, version: 1 }]);
  await publishEvents(client, agent.id, [inventory(3, "north", { ...told, capabilities: ["imaging"] })]);
  expect(await facts()).toEqual([{ ...known, capabilities: ["imaging"], version: 2 }]);
  await publishEvents(client, agent.id, [inventory(4, "north")]);
  expect(await facts()).toEqual([{ hardware_address: null, endpoint: null, capabilities: [], version: 3 }]);
});

test("a camera appears by its inventory, its condition by its health, and an alarm by its trigger", async () => {
  await publishEvents(client, agent.id, [
    inventory(1, "north", { manufacturer: "Axis" }),
    {
      type: "camera_health",
      seq: 2,
      ...times,
      cameraId: "north",
      condition: "auth_failed",
      code: "CAMERA_AUTH",
    },
    trigger(3, "north", { objectClass: "person", score: 0.5, box: { x: 0.1, y: 0.2, w: 0.3, h: 0.4 } }),
    inventory(4, "north", { manufacturer: "Axis", name: "North gate" }),
  ]);
  expect(
    await rows(
      "SELECT id, agent_id, name, manufacturer, condition, condition_code, condition_since FROM camera",
    ),
  ).toEqual([
    {
      id: "north",
      agent_id: agent.id,
      name: "North gate",
      manufacturer: "Axis",
      condition: "auth_failed",
      condition_code: "CAMERA_AUTH",
      condition_since: new Date(times.capturedAtMs),
    },
  ]);
  expect(
    await rows("SELECT camera_id, alarm_class, object_class, priority, state, captured_at, boxes FROM alarm"),
  ).toEqual([
    {
      camera_id: "north",
      alarm_class: "intrusion",
      object_class: "person",
      priority: "P2",
      state: "new",
      captured_at: new Date(times.capturedAtMs),
      boxes: [
        {
          trackId: null,
          objectClass: "person",
          score: 0.5,
          box: { x: 0.1, y: 0.2, w: 0.3, h: 0.4 },
          deciding: true,
        },
      ],
    },
  ]);
});

test("what changes nothing tells nobody, and a person's name outlives the device's", async () => {
  await publishEvents(client, agent.id, [inventory(1, "north")]);
  await running.pool.query("UPDATE camera SET name = '北门', name_by_person = true");
  const health = { type: "camera_health", ...times, cameraId: "north", condition: "online" };
  await publishEvents(client, agent.id, [{ ...health, seq: 2 }]);
  const before = await rows("SELECT count(*)::int AS n FROM change");
  await publishEvents(client, agent.id, [inventory(3, "north"), { ...health, seq: 4 }]);
  expect(await rows("SELECT count(*)::int AS n FROM change")).toEqual(before);
  expect(await rows("SELECT name, condition FROM camera")).toEqual([{ name: "北门", condition: "online" }]);
});

test("nobody reports about another agent's camera", async () => {
  const other = await createAgent(running.pool);
  await createCamera(running.pool, other.id, "theirs");
  await publishEvents(client, agent.id, [inventory(1, "theirs"), trigger(2, "theirs"), motion(3, "theirs")]);
  expect(await deadLetters()).toEqual([1, 2, 3].map(() => ({ agent_id: agent.id, code: "FOREIGN_CAMERA" })));
  expect(await rows("SELECT agent_id FROM camera")).toEqual([{ agent_id: other.id }]);
});

test("when the database's connections are cut, the acknowledgement waits and nothing is lost", async () => {
  await publishEvents(client, agent.id, [motion(1)]);
  const batches = Array.from({ length: 40 }, (_, batch) =>
    publishEvents(client, agent.id, [motion(2 + batch * 2), motion(3 + batch * 2)]),
  );
  for (let cut = 0; cut < 5; cut++) {
    await running.pool.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'huishi-ingest-commit' AND datname = current_database()`,
    );
  }
  await Promise.all(batches);
  expect(await rows("SELECT count(*)::int AS n FROM edge_event")).toEqual([{ n: 81 }]);
  expect(client.connected).toBe(true);
});
