/** Rules that look beyond one camera's tracks, from the tables that people write to the alarm's row. */
import { type GroundPairs, RULE_DEFAULTS, type Rule } from "@huishi/contracts";
import { positionAt } from "@huishi/kernel";
import { createLogger, InProcessMediaBus } from "@huishi/platform";
import { createAgent, createCamera, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rule, track, zone } from "./application/test-support/tracks.ts";
import { type Analytics, startAnalytics } from "./compose.ts";
import { insertRule, insertZone } from "./test-support/database-rows.ts";
import { FakeInference } from "./test-support/fake-inference.ts";

const HERE = { latitude: 31.23, longitude: 121.47 };
const WATER_AT = 1_700_000_010_000;

/** The picture is 100 m wide and 50 m high on the ground, and begins so many metres east of here. */
function groundFrom(metres: number): GroundPairs {
  const corner = (x: number, y: number) => ({
    picture: { x, y },
    position: positionAt(HERE, { x: metres + 100 * x, y: 50 * (1 - y) }),
  });
  return [corner(0, 1), corner(1, 1), corner(1, 0), corner(0, 0)];
}

let database: TestDatabase;
let running: Analytics[];

beforeEach(async () => {
  database = await testDatabase();
  running = [];
  const agent = await createAgent(database.pool);
  for (const id of ["cam-1", "cam-2"]) {
    await createCamera(database.pool, agent.id, id);
    await insertZone(database.pool, zone({ id: `zone-${id}`, cameraId: id }));
  }
});
afterEach(async () => {
  for (const analytics of running) await analytics.close();
  await database.drop();
});

async function start(): Promise<FakeInference> {
  const inference = new FakeInference();
  running.push(
    await startAnalytics({
      databaseUrl: database.databaseUrl,
      mediaBus: new InProcessMediaBus({ lingerMs: 0 }),
      logger: createLogger({ name: "test", level: "silent" }),
      inferenceProcesses: 1,
      sampleFps: 5,
      registry: new Registry(),
      inference: () => Promise.resolve(inference),
    }),
  );
  return inference;
}

const ruleOf = (cameraId: string, fields: Partial<Rule> = {}): Rule =>
  rule({ id: `rule-${cameraId}`, cameraId, zoneId: `zone-${cameraId}`, ...fields });

function putGround(cameraId: string, pairs: GroundPairs): Promise<unknown> {
  return database.pool.query("INSERT INTO camera_ground_plane (camera_id, pairs) VALUES ($1, $2)", [
    cameraId,
    JSON.stringify(pairs),
  ]);
}

async function alarms(): Promise<Record<string, unknown>[]> {
  const { rows } = await database.pool.query<Record<string, unknown>>("SELECT * FROM alarm ORDER BY id");
  return rows;
}

const analysed = (inference: FakeInference, cameraId: string) =>
  until(`${cameraId} is analysed`, () => inference.feeds.has(cameraId));

describe("rules beyond one camera's tracks", () => {
  it("raise when a person is in the zone and the water rises later, with the reading on record", async () => {
    await database.pool.query(
      "INSERT INTO sensor (id, agent_id, name) SELECT 'water-1', agent_id, 'water' FROM camera WHERE id = 'cam-1'",
    );
    const { rows } = await database.pool.query<{ no: number }>(
      "INSERT INTO datastream (sensor_id, observed_property, unit) VALUES ('water-1', 'level', 'm') RETURNING no",
    );
    const datastreamId = String(rows[0]?.no);
    const sensor = { datastreamId, comparison: "above", value: 0.3, maxAgeMs: 60_000 } as const;
    await insertRule(database.pool, ruleOf("cam-1", { sensor }));
    const inference = await start();
    await analysed(inference, "cam-1");
    let atMs = WATER_AT - 5_000;
    const see = () => inference.see("cam-1", (atMs += 200), { tracks: [track(1)] });
    for (let k = 0; k < 50; k++) see();
    expect(await alarms()).toEqual([]);

    await database.pool.query(
      "UPDATE datastream SET last_value = 0.45, last_at = to_timestamp($1 / 1000.0)",
      [WATER_AT],
    );
    await until("the alarm", async () => {
      see();
      return (await alarms()).length === 1;
    });
    expect(await alarms()).toMatchObject([
      {
        rule_id: "rule-cam-1",
        sensor_reading: { datastreamId, comparison: "above", value: 0.45, limit: 0.3, atMs: WATER_AT },
      },
    ]);
  });

  it("begin to measure speeds when the camera is told how its picture lies on the ground", async () => {
    const speeding = { ...RULE_DEFAULTS.speed_over, kind: "speed_over", classes: ["car"] } as const;
    await insertRule(database.pool, ruleOf("cam-1", { ...speeding, classes: ["car"] }));
    const inference = await start();
    await analysed(inference, "cam-1");
    // 25 m/s to the east.
    const drive = (fromMs: number, id: number) => {
      for (let t = 0; t <= 2_000; t += 200) {
        const box = { x: 0.2 + t / 4_000, y: 0.4, w: 0.06, h: 0.1 };
        inference.see("cam-1", fromMs + t, { tracks: [track(id, { objectClass: "car", box })] });
      }
    };
    drive(1_700_000_000_000, 1);
    await putGround("cam-1", groundFrom(0));
    let atMs = 1_700_000_100_000;
    let id = 2;
    await until("the alarm", async () => {
      drive((atMs += 10_000), id++);
      return (await alarms()).length > 0;
    });
    const [alarm] = await alarms();
    expect(alarm).toMatchObject({ alarm_class: "speeding", object_class: "car" });
    expect(alarm?.["latitude"]).toBeCloseTo(positionAt(HERE, { x: 0, y: 25 }).latitude, 6);
  });

  it("raise one alarm for two cameras that see the same, in two processes", async () => {
    const neighbours = { metres: 25, withinMs: 30_000 };
    for (const cameraId of ["cam-1", "cam-2"])
      await insertRule(database.pool, ruleOf(cameraId, { neighbours }));
    await putGround("cam-1", groundFrom(0));
    await putGround("cam-2", groundFrom(10));
    const both = [await start(), await start()];
    await until("each has one camera", () => both.every(({ feeds }) => feeds.size === 1), 30_000);
    const holderOf = (cameraId: string) => both.find(({ feeds }) => feeds.has(cameraId)) as FakeInference;
    const [one, other] = [holderOf("cam-1"), holderOf("cam-2")];
    for (let t = 1_700_000_000_000; t <= 1_700_000_003_000; t += 200) {
      one.see("cam-1", t, { tracks: [track(1)] });
      other.see("cam-2", t + 50, { tracks: [track(1)] });
    }
    await until("both", async () => (await alarms())[0]?.["occurrences"] === 2);
    expect(await alarms()).toHaveLength(1);
    const { rows } = await database.pool.query("SELECT camera_id, occurrences FROM alarm_neighbour");
    expect(rows).toEqual([
      { camera_id: (await alarms())[0]?.["camera_id"] === "cam-1" ? "cam-2" : "cam-1", occurrences: 1 },
    ]);
  });

  it("show what was left behind where it stands, as a thing of no class", async () => {
    await insertRule(
      database.pool,
      ruleOf("cam-1", { kind: "abandoned_object", alarmClass: "abandoned_object" }),
    );
    const inference = await start();
    await analysed(inference, "cam-1");
    expect(inference.feeds.get("cam-1")?.watch?.polygons).toEqual([zone().points]);
    const region = {
      id: 1,
      kind: "appeared",
      box: { x: 0.5, y: 0.5, w: 0.05, h: 0.1 },
      sinceMs: 1_700_000_000_000,
      score: 0.9,
    } as const;
    for (let t = 1_700_000_000_000; t <= 1_700_000_003_000; t += 200)
      inference.see("cam-1", t, { picture: { staticRegions: [region] } });
    await until("the alarm", async () => (await alarms()).length === 1);
    expect(await alarms()).toMatchObject([
      {
        object_class: null,
        boxes: [{ trackId: null, objectClass: "abandoned_object", box: region.box, deciding: true }],
      },
    ]);
  });
});
