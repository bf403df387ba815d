import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";

const HOUR_MS = 3_600_000;
const TO_MS = Math.floor(Date.now() / HOUR_MS) * HOUR_MS;
const RANGE = `fromMs=${TO_MS - 3 * HOUR_MS}&toMs=${TO_MS}`;

let server: ApiUnderTest;
let cameraId: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const { pool } = server.database;
  const agent = await createAgent(pool);
  const camera = await createCamera(pool, agent.id);
  cameraId = camera.id;
  await pool.query(
    `INSERT INTO zone (id, camera_id, name, kind, points)
     SELECT id, $1, CASE id WHEN 'a' THEN '=1+1' ELSE '路口, B' END, 'polygon', '[]' FROM unnest(ARRAY['a', 'b']) AS id ORDER BY id`,
    [cameraId],
  );
  const at = new Date(TO_MS - HOUR_MS);
  const zone = (id: string): string => `(SELECT no FROM zone WHERE id = '${id}')`;
  await pool.query(
    `INSERT INTO zone_visit SELECT $1, $1::timestamptz + interval '4 seconds', 1, ${zone("a")}, $2, 1`,
    [at, camera.no],
  );
  await pool.query(`INSERT INTO zone_flow SELECT $1, 1, ${zone("a")}, ${zone("b")}, $2, 3000, 1, true`, [
    at,
    camera.no,
  ]);
  await pool.query(`INSERT INTO zone_occupancy SELECT $1, 30000, 60000, ${zone("a")}, $2, 0, 2`, [
    at,
    camera.no,
  ]);
  await pool.query("INSERT INTO detection SELECT $1, 1, $2, 1, 8000, 100, 200, 300, 400", [at, camera.no]);
  await pool.query(
    `INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ('line', $1, 'a', '{"kind":"line_crossing","name":"@kerb"}')`,
    [cameraId],
  );
  await pool.query("INSERT INTO line_crossing SELECT $1, 1, $2, 3, false, 'line'", [at, camera.no]);
});

afterAll(async () => {
  await server.stop();
});

const ask = (path: string, accept = "application/json") => server.get(`/api/v1/${path}`, { accept });

describe("statistics over HTTP", () => {
  it("answer with what zones saw", async () => {
    const dwell = await ask(`statistics/dwell?${RANGE}&cameraId=${cameraId}&groupBy=zone_class`);
    expect(dwell.body).toMatchObject({
      fromMs: TO_MS - 3 * HOUR_MS,
      distributions: [{ zoneId: "a", objectClass: "person", visits: 1, meanMs: 4_000 }],
      next: null,
    });
    const occupancy = await ask(`statistics/occupancy?${RANGE}&by=hour&zoneId=a&zoneId=b`);
    expect(occupancy.body.points).toEqual([
      { atMs: TO_MS - HOUR_MS, zoneId: "a", objectClass: null, mean: 0.5, max: 2, watchedMs: 60_000 },
    ]);
    const flows = await ask(
      `statistics/flows?${RANGE}&cameraId=${cameraId}&withinMinutes=5&byClass=true&via=direct`,
    );
    expect(flows.body.flows).toEqual([{ fromZoneId: "a", toZoneId: "b", objectClass: "person", count: 1 }]);
    const lines = await ask(`statistics/counts?${RANGE}&what=crossings&by=hour&groupBy=line_class`);
    expect(lines.body.points).toMatchObject([{ key: "line", objectClass: "car", count: 1, leftToRight: 0 }]);
    const heat = await ask(`cameras/${cameraId}/heat-map?${RANGE}&byClass=true`);
    expect(heat.body.cells).toMatchObject([{ objectClass: "person", detections: 1 }]);
  });

  it("refuse what cannot be asked, and say how it can", async () => {
    const codeOf = async (path: string): Promise<unknown> => (await ask(`statistics/${path}`)).body.code;
    expect(await codeOf(`dwell?${RANGE}`)).toBe("VALIDATION_FAILED");
    expect(await codeOf(`dwell?fromMs=0&toMs=${TO_MS}&zoneId=a`)).toBe("TIME_RANGE_TOO_LONG");
    expect(await codeOf(`occupancy?${RANGE}&by=hour&zoneId=none`)).toBe("ZONE_NOT_FOUND");
    expect(await codeOf(`flows?${RANGE}`)).toBe("VALIDATION_FAILED");
    expect(await codeOf(`flows?${RANGE}&cameraId=${cameraId}&withinMinutes=7`)).toBe("VALIDATION_FAILED");
    expect(await codeOf(`flows?${RANGE}&cameraId=none`)).toBe("CAMERA_NOT_FOUND");
  });

  it("ask for a session", async () => {
    for (const path of ["dwell", "occupancy", "flows", "counts"]) {
      expect((await server.get(`/api/v1/statistics/${path}?${RANGE}`, { cookie: "" })).status).toBe(401);
    }
  });
});

describe("statistics as sheets", () => {
  it.each([
    [
      "statistics/dwell?groupBy=zone_class&cameraId=",
      "zone_id,zone,class,visits,mean_ms,p50_ms,p90_ms,p95_ms,bin_from_ms,bin_to_ms,bin_visits",
      `a,"'=1+1",person,1,4000,`,
    ],
    [
      "statistics/occupancy?by=hour&cameraId=",
      "at,zone_id,zone,class,mean,max,watched_ms",
      `${new Date(TO_MS - HOUR_MS).toISOString()},a,"'=1+1",,0.5,2,60000`,
    ],
    [
      "statistics/flows?cameraId=",
      "from_zone_id,from_zone,to_zone_id,to_zone,class,count",
      `a,"'=1+1",b,"路口, B",,1`,
    ],
    [
      "statistics/counts?what=crossings&by=hour&groupBy=line_class&cameraId=",
      "at,key,name,class,count,left_to_right,right_to_left,mean_dwell_ms",
      `${new Date(TO_MS - HOUR_MS).toISOString()},line,"'@kerb",car,1,0,1,`,
    ],
  ])("%s", async (path, head, row) => {
    const answer = await ask(`${path}${cameraId}&${RANGE}`, "text/csv");
    expect(answer.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(answer.headers.get("content-disposition")).toMatch(/^attachment; filename="[a-z]+\.csv"$/);
    const [first, second, end] = (answer.body as string).replace("\ufeff", "").split("\r\n");
    expect(first).toBe(head);
    expect(second?.startsWith(row), second).toBe(true);
    expect(end).toBe("");
  });

  it("of a camera's picture have a line a cell", async () => {
    const { body } = await ask(`cameras/${cameraId}/heat-map?${RANGE}`, "text/csv");
    expect((body as string).split("\r\n")[1]).toBe("0,1,,1");
  });

  it("hold every page, and are refused like the answer itself", async () => {
    await server.database.pool.query(
      `INSERT INTO zone_occupancy SELECT $1::timestamptz + n * interval '1 minute', 0, 60000, no, 1, class, 0
       FROM zone, generate_series(0, 1439) AS n, unnest(ARRAY[0, 1, 2, 3, 4, 5, 6, 7]) AS class`,
      [new Date(TO_MS - 100 * HOUR_MS)],
    );
    const day = `fromMs=${TO_MS - 100 * HOUR_MS}&toMs=${TO_MS - 76 * HOUR_MS}`;
    const classes = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "train"];
    const query = `${day}&by=minute&cameraId=${cameraId}${classes.map((name) => `&class=${name}`).join("")}`;
    const { body } = await ask(`statistics/occupancy?${query}`, "text/csv");
    expect(body.split("\r\n")).toHaveLength(1 + 2 * 7 * 1440 + 1);
    const refused = await ask(`statistics/flows?${RANGE}&cameraId=none`, "text/csv");
    expect(refused).toMatchObject({ status: 404, body: { code: "CAMERA_NOT_FOUND" } });
  });
});
