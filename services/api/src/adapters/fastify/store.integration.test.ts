import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";

let server: ApiUnderTest;
let cameraId: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const agent = await createAgent(server.database.pool);
  cameraId = (await createCamera(server.database.pool, agent.id)).id;
});

afterAll(async () => {
  await server.stop();
});

const put = (path: string, body: unknown) => server.request("PUT", path, { body });

async function insertLetter(change: { truncated?: boolean; state?: string } = {}): Promise<string> {
  const inserted = await server.database.pool.query<{ id: string }>(
    `INSERT INTO dead_letter (agent_id, topic, code, reason, payload, truncated, state)
     VALUES ('agent-1', 'huishi/v1/agent-1/events', 'EVENT_INVALID', 'no', '\\x7b', $1, $2) RETURNING id`,
    [change.truncated ?? false, change.state ?? "kept"],
  );
  return (inserted.rows[0] as { id: string }).id;
}

describe("dead letters", () => {
  it("are asked to be given again once, with who asked", async () => {
    const id = await insertLetter();
    const answers = await Promise.all([1, 2].map(() => server.post(`/api/v1/dead-letters/${id}/replay`)));
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 409]);
    const refused = answers.find(({ status }) => status === 409);
    expect(refused?.body).toMatchObject({
      code: "DEAD_LETTER_MOVE_ILLEGAL",
      details: { state: "requested" },
    });
    const listed = await server.get("/api/v1/dead-letters?state=requested");
    expect(listed.body.deadLetters).toMatchObject([
      { id, state: "requested", stateBy: "admin", boot: null, truncated: false, outcome: null },
    ]);
  });

  it("that were cut off cannot be given again, but dismissed, and that be taken back", async () => {
    const id = await insertLetter({ truncated: true });
    expect((await server.post(`/api/v1/dead-letters/${id}/replay`)).body.code).toBe("DEAD_LETTER_TRUNCATED");
    expect((await server.post(`/api/v1/dead-letters/${id}/restore`)).status).toBe(409);
    expect((await server.post(`/api/v1/dead-letters/${id}/dismiss`)).body.state).toBe("dismissed");
    expect((await server.post(`/api/v1/dead-letters/${id}/restore`)).body.state).toBe("kept");
    expect((await server.post("/api/v1/dead-letters/999999/replay")).body.code).toBe("DEAD_LETTER_NOT_FOUND");
    const refused = await insertLetter({ state: "refused" });
    expect((await server.post(`/api/v1/dead-letters/${refused}/replay`)).status).toBe(200);
    expect((await server.post("/api/v1/dead-letters/9223372036854775808/replay")).body.code).toBe(
      "VALIDATION_FAILED",
    );
  });
});

describe("retention policies", () => {
  it("change by version, with ages that the store can keep and a basis", async () => {
    const { policies } = (await server.get("/api/v1/retention-policies")).body;
    expect(policies).toContainEqual(
      expect.objectContaining({ dataset: "detection", minDays: 30, maxDays: 90, version: 1 }),
    );
    const path = "/api/v1/retention-policies/detection";
    const body = { minDays: 30, maxDays: 60, basis: "decision 7 of the city", version: 1 };
    expect((await put(path, body)).body).toMatchObject({ maxDays: 60, updatedBy: "admin", version: 2 });
    expect((await put(path, body)).body).toMatchObject({
      code: "VERSION_CONFLICT",
      details: { current: { version: 2 } },
    });
    expect((await put(path, { ...body, version: 2, minDays: 61 })).body.code).toBe("RETENTION_AGES");
    expect((await put(path, { ...body, version: 2, minDays: 1, maxDays: 9 })).body.code).toBe(
      "RETENTION_AGES",
    );
    expect((await put(path, { ...body, basis: "" })).body.code).toBe("VALIDATION_FAILED");
    expect((await put("/api/v1/retention-policies/nothing", body)).body.code).toBe(
      "RETENTION_POLICY_NOT_FOUND",
    );
  });
});

describe("legal holds", () => {
  it("are placed with a reason and released once, with another", async () => {
    const draft = { dataset: "detection", cameraId, fromMs: 1_000, toMs: 2_000, reason: "case 12" };
    const placed = await server.post("/api/v1/legal-holds", draft);
    expect(placed).toMatchObject({ status: 201, body: { ...draft, placedBy: "admin", releasedAtMs: null } });
    const release = `/api/v1/legal-holds/${placed.body.id}/release`;
    expect((await server.post(release, {})).body.code).toBe("VALIDATION_FAILED");
    expect((await server.post(release, { reason: "closed" })).body).toMatchObject({
      releasedBy: "admin",
      releaseReason: "closed",
    });
    expect((await server.post(release, { reason: "closed" })).body.code).toBe("LEGAL_HOLD_RELEASED");
    expect((await server.get("/api/v1/legal-holds")).body.legalHolds).toEqual([]);
    expect((await server.get("/api/v1/legal-holds?released=true")).body.legalHolds).toHaveLength(1);
  });

  it("on what is not there are refused", async () => {
    const draft = { dataset: null, cameraId: null, fromMs: 1_000, toMs: 2_000, reason: "case 12" };
    const codeOf = async (change: object): Promise<string> =>
      (await server.post("/api/v1/legal-holds", { ...draft, ...change })).body.code as string;
    expect(await codeOf({ toMs: 1_000 })).toBe("TIME_RANGE_INVALID");
    expect(await codeOf({ dataset: "nothing" })).toBe("RETENTION_POLICY_NOT_FOUND");
    expect(await codeOf({ cameraId: "no-such" })).toBe("CAMERA_NOT_FOUND");
    expect((await server.post("/api/v1/legal-holds/424242/release", { reason: "x" })).body.code).toBe(
      "LEGAL_HOLD_NOT_FOUND",
    );
  });
});

describe("clips", () => {
  it("have a policy like everything else", async () => {
    const { policies } = (await server.get("/api/v1/retention-policies")).body;
    expect(policies).toContainEqual(expect.objectContaining({ dataset: "clip", minDays: 30, maxDays: 90 }));
    const change = { minDays: 7, maxDays: 30, basis: "decision 8", version: 1 };
    expect((await put("/api/v1/retention-policies/clip", change)).body).toMatchObject({
      minDays: 7,
      version: 2,
    });
  });

  it("are not asked for while there is no room, as long as ingest says so", async () => {
    const tell = (isFull: boolean, age: string): Promise<unknown> =>
      server.database.pool.query(
        `INSERT INTO clip_room (max_bytes, used_bytes, is_full, told_at) VALUES (10, 10, $1, now() - $2::interval)
         ON CONFLICT (only_one) DO UPDATE SET is_full = $1, told_at = now() - $2::interval`,
        [isFull, age],
      );
    const ask = () => {
      const range = { fromMs: Date.now() - 60_000, toMs: Date.now() - 1_000 };
      return server.post(`/api/v1/cameras/${cameraId}/clips`, { ...range, profile: "main", purpose: "test" });
    };
    await tell(true, "0");
    expect(await ask()).toMatchObject({ status: 507, body: { code: "CLIP_STORE_FULL" } });
    await tell(true, "1 hour");
    expect((await ask()).status).toBe(201);
    await tell(false, "0");
    expect((await ask()).status).toBe(201);
  });

  it("under a hold keep their camera", async () => {
    const { pool } = server.database;
    const agent = await createAgent(pool);
    const camera = await createCamera(pool, agent.id);
    await pool.query(
      `INSERT INTO clip (id, agent_id, camera_id, profile, from_at, to_at, purpose, requested_by, state, finished_at)
       VALUES ('held', $1, $2, 'main', now() - interval '2 minutes', now() - interval '1 minute', 'x', 'x', 'ready', now())`,
      [agent.id, camera.id],
    );
    const held = { dataset: "clip", cameraId: camera.id, reason: "case 13" };
    const hold = await server.post("/api/v1/legal-holds", {
      ...held,
      fromMs: 1_000,
      toMs: Date.now() + 1_000,
    });
    const end = () => server.request("DELETE", `/api/v1/cameras/${camera.id}`);
    expect(await end()).toMatchObject({ status: 409, body: { code: "LEGAL_HOLD_COVERS" } });
    await server.post(`/api/v1/legal-holds/${hold.body.id}/release`, { reason: "closed" });
    expect((await end()).status).toBe(204);
  });
});

describe("the store's report", () => {
  it("names mode, series and their sizes, and no partition that is still empty as the newest", async () => {
    await server.database.pool.query("INSERT INTO detection SELECT now(), 1, 9999, 1, 1, 1, 1, 1, 1");
    const { body } = await server.get("/api/v1/store");
    expect(["tsl", "apache", "plain"]).toContain(body.mode);
    const detection = body.series.find(({ name }: { name: string }) => name === "detection");
    expect(detection.chunkIntervalMs).toBe(86_400_000);
    expect(detection.bytes).toBeGreaterThan(0);
    expect(detection.newestMs - detection.oldestMs).toBe(86_400_000);
    expect(Math.abs(detection.newestMs - Date.now())).toBeLessThan(2 * 86_400_000);
  });
});

describe("areas", () => {
  it("lie in each other, never in a circle, and go when nothing is in them", async () => {
    expect((await put("/api/v1/areas/city", { name: "City", parentId: null })).body).toMatchObject({
      version: 1,
    });
    expect((await put("/api/v1/areas/north", { name: "North", parentId: "city" })).status).toBe(200);
    expect((await put("/api/v1/areas/north", { name: "North", parentId: null })).body.code).toBe(
      "VERSION_CONFLICT",
    );
    const around = await put("/api/v1/areas/city", { name: "City", parentId: "north", version: 1 });
    expect(around.body.code).toBe("AREA_CYCLE");
    expect((await put("/api/v1/areas/self", { name: "Self", parentId: "self" })).body.code).toBe(
      "AREA_NOT_FOUND",
    );
    expect((await put("/api/v1/areas/lost", { name: "Lost", parentId: null, version: 3 })).body.code).toBe(
      "AREA_NOT_FOUND",
    );
    const moved = await server.request("PATCH", `/api/v1/cameras/${cameraId}`, {
      body: { name: "Gate", areaId: "north", version: 1 },
    });
    expect(moved.body).toMatchObject({ name: "Gate", areaId: "north" });
    const renamed = await server.request("PATCH", `/api/v1/cameras/${cameraId}`, {
      body: { name: "Gate 1", version: 2 },
    });
    expect(renamed.body).toMatchObject({ name: "Gate 1", areaId: "north" });
    const nowhere = await server.request("PATCH", `/api/v1/cameras/${cameraId}`, {
      body: { name: "Gate", areaId: "nowhere", version: 3 },
    });
    expect(nowhere.body.code).toBe("AREA_NOT_FOUND");
    expect((await server.request("DELETE", "/api/v1/areas/north")).body.code).toBe("AREA_IN_USE");
    expect((await server.request("DELETE", "/api/v1/areas/city")).body.code).toBe("AREA_IN_USE");
    const page = await server.get("/api/v1/areas?limit=1");
    expect(page.body).toMatchObject({ areas: [{ id: "city" }], next: "city" });
    expect((await server.get("/api/v1/areas?after=city")).body).toMatchObject({
      areas: [{ id: "north", parentId: "city" }],
      next: null,
    });
  });
});

describe("questions over HTTP", () => {
  const range = `fromMs=${Date.now() - 3_600_000}&toMs=${Date.now()}`;

  it("take one or several ids, and refuse what is too much with what to do", async () => {
    const counts = (query: string) =>
      server.get(`/api/v1/statistics/counts?what=detections&by=minute&${query}`);
    expect((await counts(`${range}&cameraId=${cameraId}&class=car&class=bus`)).body).toMatchObject({
      points: [],
      next: null,
    });
    expect((await counts("fromMs=0&toMs=999999999999")).body).toMatchObject({ code: "TIME_RANGE_TOO_LONG" });
    expect((await counts("fromMs=0")).body.code).toBe("VALIDATION_FAILED");
    expect((await counts(`${range}&class=unicorn`)).body.code).toBe("VALIDATION_FAILED");
    expect((await counts(`${range}&groupBy=zone`)).body.code).toBe("COUNTS_NOT_KEPT");
    expect((await counts(`${range}&cameraId=a%27%3B--`)).body.code).toBe("VALIDATION_FAILED");
    expect(
      (await server.get(`/api/v1/statistics/counts?what=detections&by=day&timeZone=Mars&${range}`)).body.code,
    ).toBe("TIME_ZONE_UNKNOWN");
    const many = Array.from({ length: 201 }, (_, i) => `cameraId=c${i}`).join("&");
    expect((await counts(`${range}&${many}`)).body.code).toBe("VALIDATION_FAILED");
  });

  it("answer for every route", async () => {
    await server.database.pool.query(
      "INSERT INTO detection SELECT now() - interval '1 minute', -5, no, 1, 8000, 100, 200, 300, 400 FROM camera",
    );
    const { body } = await server.get(`/api/v1/cameras/${cameraId}/detections?minutes=2`);
    expect(Number.isInteger(body.detections[0].capturedAtMs)).toBe(true);
    expect(body.detections).toMatchObject([
      { trackId: "-5", objectClass: "person", score: 0.8, box: { x: 0.01, h: 0.04 } },
    ]);
    for (const path of [
      `cameras/${cameraId}/tracks`,
      `tracks?${range}&class=car&heading=up`,
      `cameras/${cameraId}/heat-map?${range}`,
      "camera-states?limit=1",
      "sensors",
      `devices/${cameraId}/events?${range}&type=camera_motion`,
    ]) {
      expect((await server.get(`/api/v1/${path}`)).status, path).toBe(200);
    }
    expect((await server.get(`/api/v1/cameras/${cameraId}/detections?minutes=61`)).body.code).toBe(
      "VALIDATION_FAILED",
    );
    expect((await server.get("/api/v1/cameras/none/detections")).body.code).toBe("CAMERA_NOT_FOUND");
    expect((await server.get(`/api/v1/sensors/none/datastreams/1/series?${range}`)).body.code).toBe(
      "DATASTREAM_NOT_FOUND",
    );
    expect((await server.get(`/api/v1/zones/none/heat-map?${range}`)).body.code).toBe("ZONE_NOT_FOUND");
  });

  it("that take too long say so", async () => {
    const { answerTo } = await import("./errors.ts");
    expect(answerTo(Object.assign(new Error("canceled"), { code: "57014" }))).toMatchObject({
      status: 503,
      body: { code: "QUESTION_TOO_HEAVY" },
    });
  });
});
