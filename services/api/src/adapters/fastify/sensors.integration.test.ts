import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";
import { insertAlarm } from "../../test-support/rows.ts";

let server: ApiUnderTest;
const AT = Date.UTC(2026, 5, 1, 12);

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const { pool } = server.database;
  const agent = await createAgent(pool);
  await createCamera(pool, agent.id, "gate");
  await pool.query("INSERT INTO area (id, name) VALUES ('old-town', '老城')");
  await pool.query(
    "INSERT INTO sensor (id, agent_id, name, camera_id) VALUES ('cover', $1, 'cover', 'gate'), ('alone', $1, 'alone', NULL)",
    [agent.id],
  );
  await pool.query(
    "INSERT INTO datastream (sensor_id, observed_property, unit) VALUES ('cover', 'tilt', 'deg')",
  );
  await insertAlarm(pool, { cameraId: "gate" });
  for (const sensorId of ["cover", "alone"]) {
    await pool.query("SELECT take_sensor_alarm($1::jsonb)", [
      JSON.stringify({
        sensorId,
        thresholdId: "tilted",
        observedProperty: "tilt",
        unit: "deg",
        value: 61.5,
        limit: 15,
        alarmClass: "manhole_abnormal",
        priority: "P1",
        active: true,
        capturedAtMs: AT,
        sourceEvent: `a/b/${sensorId}`,
      }),
    ]);
  }
});
afterAll(async () => {
  await server.stop();
});

const patch = (id: string, body: unknown) => server.request("PATCH", `/api/v1/sensors/${id}`, { body });

test("a person names a sensor and says where it stands; an old version is refused with the newer one", async () => {
  const changed = await patch("cover", { name: "北门井盖", areaId: "old-town", version: 1 });
  expect(changed).toMatchObject({
    status: 200,
    body: { name: "北门井盖", areaId: "old-town", version: 2, cameraId: "gate" },
  });
  const conflict = await patch("cover", { name: "x", version: 1 });
  expect([conflict.status, conflict.body.code, conflict.body.details.current.version]).toEqual([
    409,
    "VERSION_CONFLICT",
    2,
  ]);
  expect((await patch("none", { name: "x", version: 1 })).body.code).toBe("SENSOR_NOT_FOUND");
  expect((await patch("cover", { name: "x", areaId: "none", version: 2 })).body.code).toBe("AREA_NOT_FOUND");
  expect((await patch("cover", { name: "", version: 2 })).status).toBe(400);
  const moved = await patch("cover", { name: "北门井盖", areaId: null, version: 2 });
  expect(moved.body).toMatchObject({ areaId: null, version: 3 });
});

test("an alarm of a sensor comes with what was measured, and the camera that looks at it", async () => {
  const { body } = await server.get("/api/v1/alarms?sensorId=cover");
  expect(body.alarms).toMatchObject([
    {
      sensorId: "cover",
      cameraId: "gate",
      measured: {
        observedProperty: "tilt",
        value: 61.5,
        limit: 15,
        unit: "deg",
        datastreamNo: expect.any(Number),
      },
      capturedAtMs: AT,
      endedAtMs: null,
      boxes: [],
      hasSnapshot: false,
    },
  ]);
  const alone = await server.get("/api/v1/alarms?sensorId=alone");
  expect(alone.body.alarms).toMatchObject([
    { cameraId: null, cameraName: null, measured: { datastreamNo: null } },
  ]);
  const ofCamera = await server.get("/api/v1/alarms?cameraId=gate");
  expect(ofCamera.body.alarms).toMatchObject([{ sensorId: "cover" }, { sensorId: null, measured: null }]);
});

test("an alarm of a sensor without camera is acknowledged like any other", async () => {
  const [alarm] = (await server.get("/api/v1/alarms?sensorId=alone")).body.alarms;
  const moved = await server.post(`/api/v1/alarms/${alarm.id}/acknowledge`, {});
  expect(moved).toMatchObject({ status: 200, body: { state: "acknowledged", sensorId: "alone" } });
});

test("deleting the camera leaves the sensor's alarm", async () => {
  expect((await server.request("DELETE", "/api/v1/cameras/gate")).status).toBe(204);
  const { body } = await server.get("/api/v1/alarms?sensorId=cover");
  expect(body.alarms).toMatchObject([{ sensorId: "cover", cameraId: null }]);
});
