import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";
import { insertAlarm, intrusionRule, SQUARE } from "../../test-support/rows.ts";

const PAIRS = [
  { picture: { x: 0.2, y: 0.9 }, position: { latitude: 31.2, longitude: 121.4 } },
  { picture: { x: 0.8, y: 0.9 }, position: { latitude: 31.2, longitude: 121.4001 } },
  { picture: { x: 0.8, y: 0.05 }, position: { latitude: 31.2004, longitude: 121.4001 } },
  { picture: { x: 0.2, y: 0.05 }, position: { latitude: 31.2004, longitude: 121.4 } },
];

let server: ApiUnderTest;
let path: string;
let cameraId: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  const agent = await createAgent(server.database.pool);
  cameraId = (await createCamera(server.database.pool, agent.id)).id;
  path = `/api/v1/cameras/${cameraId}/ground-plane`;
  await server.setUp();
});
afterAll(() => server.stop());

const put = (pairs: unknown, version: number, at = path) =>
  server.request("PUT", at, { body: { pairs, version } });

describe("a camera's ground plane", () => {
  it("is written with versions, read and deleted", async () => {
    expect((await server.get(path)).body.code).toBe("GROUND_PLANE_NOT_FOUND");
    expect(await put(PAIRS, 0)).toMatchObject({ status: 200, body: { cameraId, version: 1, pairs: PAIRS } });
    expect(await put(PAIRS, 0)).toMatchObject({ status: 409, body: { code: "VERSION_CONFLICT" } });
    expect((await put(PAIRS, 1)).body).toMatchObject({ version: 2 });
    expect((await server.get(path)).body).toEqual({ cameraId, pairs: PAIRS, version: 2 });
    const { rows } = await server.database.pool.query(
      "SELECT count(*)::int AS n FROM change WHERE kind = 'camera' AND key = $1",
      [cameraId],
    );
    expect(rows[0].n).toBeGreaterThanOrEqual(2);
    expect((await server.request("DELETE", path)).status).toBe(204);
    expect((await server.request("DELETE", path)).body.code).toBe("GROUND_PLANE_NOT_FOUND");
    expect((await put(PAIRS, 2)).body.code).toBe("GROUND_PLANE_NOT_FOUND");
    expect((await put(PAIRS, 0, "/api/v1/cameras/none/ground-plane")).body.code).toBe("CAMERA_NOT_FOUND");
  });

  it("is refused with a code for what is wrong with its points", async () => {
    expect((await put(PAIRS.slice(1), 0)).body.code).toBe("VALIDATION_FAILED");
    const line = [PAIRS[0], PAIRS[1], { ...PAIRS[2], picture: { x: 0.5, y: 0.9 } }, PAIRS[3]];
    expect((await put(line, 0)).body).toMatchObject({
      code: "GROUND_PLANE_COLLINEAR",
      details: { field: "pairs", side: "picture", points: [0, 1, 2] },
    });
    expect((await put([PAIRS[1], PAIRS[0], PAIRS[2], PAIRS[3]], 0)).body.code).toBe("GROUND_PLANE_ORDER");
    const mirrored = PAIRS.map(({ picture }, i) => ({
      picture,
      position: PAIRS[[1, 0, 3, 2][i]!]!.position,
    }));
    expect((await put(mirrored, 0)).body.code).toBe("GROUND_PLANE_MIRRORED");
  });

  it("is asked for by rules about metres, and stays while they are there", async () => {
    const zone = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name: "road",
      kind: "polygon",
      points: SQUARE,
    });
    const rules = `/api/v1/cameras/${cameraId}/rules`;
    const rule = { ...intrusionRule(zone.body.id), kind: "speed_over" };
    expect((await server.post(rules, rule)).body).toMatchObject({
      code: "RULE_SETTING_MISSING",
      details: { field: "speedKmh" },
    });
    expect(await server.post(rules, { ...rule, speedKmh: 50 })).toMatchObject({
      status: 400,
      body: { code: "RULE_NEEDS_GROUND_PLANE" },
    });
    await put(PAIRS, 0);
    const made = await server.post(rules, { ...rule, speedKmh: 50 });
    expect(made).toMatchObject({ status: 201, body: { kind: "speed_over", speedKmh: 50 } });
    expect((await server.request("DELETE", path)).body).toMatchObject({
      code: "GROUND_PLANE_IN_USE",
      details: { ruleIds: [made.body.id] },
    });
    await server.request("DELETE", `/api/v1/rules/${made.body.id}`);
    expect((await server.request("DELETE", path)).status).toBe(204);
  });
});

describe("a rule with a sensor condition", () => {
  it("names a datastream that is there", async () => {
    const zone = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name: "underpass",
      kind: "polygon",
      points: SQUARE,
    });
    const rules = `/api/v1/cameras/${cameraId}/rules`;
    const rule = (datastreamId: string) => ({
      ...intrusionRule(zone.body.id),
      sensor: { datastreamId, comparison: "above", value: 0.3, maxAgeMs: 60_000 },
    });
    for (const unknown of ["4711", "99999999999", "water"]) {
      expect((await server.post(rules, rule(unknown))).body).toMatchObject({
        code: "RULE_DATASTREAM_UNKNOWN",
        details: { field: "sensor.datastreamId" },
      });
    }
    const agent = await createAgent(server.database.pool);
    await server.database.pool.query(
      "INSERT INTO sensor (id, agent_id, name) VALUES ('water-1', $1, 'water')",
      [agent.id],
    );
    const { rows } = await server.database.pool.query<{ no: number }>(
      "INSERT INTO datastream (sensor_id, observed_property, unit) VALUES ('water-1', 'level', 'm') RETURNING no",
    );
    expect((await server.post(rules, rule(String(rows[0]!.no)))).status).toBe(201);
  });
});

describe("an alarm", () => {
  it("shows its position, its sensor's reading and the neighbours that saw it too", async () => {
    const { pool } = server.database;
    const id = await insertAlarm(pool, { cameraId });
    const bare = (await server.get(`/api/v1/alarms/${id}`)).body;
    expect(bare).not.toHaveProperty("position");
    const reading = { datastreamId: "7", comparison: "above", value: 0.4, limit: 0.3, atMs: 1_000 };
    await pool.query(
      "UPDATE alarm SET latitude = 31.2, longitude = 121.4, sensor_reading = $2 WHERE id = $1",
      [id, JSON.stringify(reading)],
    );
    const agent = await createAgent(pool);
    const other = await createCamera(pool, agent.id);
    await pool.query(
      `INSERT INTO alarm_neighbour (alarm_id, camera_id, rule_id, first_at, last_at, occurrences, latitude, longitude, source_event)
       VALUES ($1, $2, 'rule-9', now(), now(), 1, 31.2, 121.4, 'x')`,
      [id, other.id],
    );
    expect((await server.get(`/api/v1/alarms/${id}`)).body).toMatchObject({
      position: { latitude: 31.2, longitude: 121.4 },
      sensorReading: reading,
      neighbourCameraIds: [other.id],
    });
  });
});
