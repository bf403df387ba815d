import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { issueSetupToken } from "../../first-keys.ts";
import { ApiUnderTest, cookieOf } from "../../test-support/api-under-test.ts";
import { BOW_TIE, insertAlarm, intrusionRule, LINE, SQUARE } from "../../test-support/rows.ts";

let server: ApiUnderTest;
let cameraId: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  const agent = await createAgent(server.database.pool);
  cameraId = (await createCamera(server.database.pool, agent.id)).id;
});
afterAll(() => server.stop());

describe("set-up", () => {
  it("tells that set-up is needed, and refuses a wrong token", async () => {
    expect((await server.get("/api/v1/server")).body).toMatchObject({ name: "Huishi", needsSetup: true });
    const answer = await server.post("/api/v1/setup", {
      token: "x".repeat(43),
      userName: "admin",
      password: "long enough",
    });
    expect(answer).toMatchObject({ status: 403, body: { code: "SETUP_TOKEN_INVALID" } });
  });

  it("makes an older token void when a new one is issued", async () => {
    const older = await issueSetupToken(server.database.databaseUrl);
    await issueSetupToken(server.database.databaseUrl);
    const answer = await server.post("/api/v1/setup", {
      token: older,
      userName: "admin",
      password: "correct horse",
    });
    expect(answer.body.code).toBe("SETUP_TOKEN_INVALID");
  });

  it("creates exactly one administrator however many use the token at once, and signs it in", async () => {
    const token = await issueSetupToken(server.database.databaseUrl);
    const request = { token, userName: "admin", password: "correct horse" };
    const answers = await Promise.all([1, 2, 3].map(() => server.post("/api/v1/setup", request)));
    expect(statusesOf(answers)).toEqual([200, 403, 403]);
    const made = answers.find((answer) => answer.status === 200);
    expect(made?.headers.get("set-cookie")).toMatch(/HttpOnly.*SameSite=Strict/);
    server.cookie = cookieOf(made as NonNullable<typeof made>);
    expect((await server.get("/api/v1/session")).body).toMatchObject({
      userName: "admin",
      role: "administrator",
    });
  });

  it("issues no token once there is an administrator", async () => {
    expect(await issueSetupToken(server.database.databaseUrl)).toBeNull();
    expect((await server.get("/api/v1/server")).body.needsSetup).toBe(false);
  });
});

describe("zones and rules", () => {
  it("refuses shapes that no rule can stand on, with a code and the field", async () => {
    const zones = `/api/v1/cameras/${cameraId}/zones`;
    const draw = (kind: string, points: unknown): Promise<{ status: number; body: { code: string } }> =>
      server.post(zones, { name: "z", kind, points });
    expect((await draw("polygon", BOW_TIE)).body).toMatchObject({
      code: "ZONE_SELF_CROSSING",
      details: { field: "points" },
    });
    expect((await draw("polygon", LINE)).body.code).toBe("ZONE_TOO_FEW_POINTS");
    expect((await draw("line", SQUARE)).body.code).toBe("ZONE_LINE_POINTS");
    expect(
      (
        await draw("polygon", [
          { x: 0, y: 0 },
          { x: 1.5, y: 0 },
          { x: 1, y: 1 },
        ])
      ).body,
    ).toMatchObject({
      code: "VALIDATION_FAILED",
      details: { field: "points.1.x" },
    });
    expect((await server.post(zones, "{")).body.code).toBe("BODY_INVALID");
    expect(
      (await server.post("/api/v1/cameras/none/zones", { name: "z", kind: "line", points: LINE })).body.code,
    ).toBe("CAMERA_NOT_FOUND");
  });

  it("creates, changes with versions, and deletes zones and rules; markup in a name stays text", async () => {
    const name = `<img src=x onerror="alert(1)">`;
    const zone = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name,
      kind: "polygon",
      points: SQUARE,
    });
    expect(zone).toMatchObject({ status: 201, body: { name, version: 1, cameraId } });
    expect(zone.headers.get("content-type")).toContain("application/json");
    expect(zone.headers.get("x-content-type-options")).toBe("nosniff");
    const zonePath = `/api/v1/zones/${zone.body.id}`;
    const renamed = await server.request("PUT", zonePath, {
      body: { name: "gate", points: SQUARE, version: 1 },
    });
    expect(renamed.body).toMatchObject({ name: "gate", version: 2 });
    const late = await server.request("PUT", zonePath, {
      body: { name: "late", points: SQUARE, version: 1 },
    });
    expect(late).toMatchObject({
      status: 409,
      body: { code: "VERSION_CONFLICT", details: { current: { name: "gate" } } },
    });

    const rules = `/api/v1/cameras/${cameraId}/rules`;
    const rule = await server.post(rules, intrusionRule(zone.body.id));
    expect(rule).toMatchObject({ status: 201, body: { kind: "intrusion", version: 1 } });
    const { id, cameraId: _camera, version, ...settings } = rule.body;
    const changed = await server.request("PUT", `/api/v1/rules/${id}`, {
      body: { ...settings, enabled: false, version },
    });
    expect(changed.body).toMatchObject({ enabled: false, version: 2 });
    expect((await server.get(rules)).body.rules).toHaveLength(1);

    expect((await server.request("DELETE", zonePath)).status).toBe(204);
    expect((await server.get(rules)).body.rules).toHaveLength(0);
    expect((await server.request("DELETE", zonePath)).body.code).toBe("ZONE_NOT_FOUND");
  });

  it("refuses rules that do not fit their zone or can never be armed", async () => {
    const line = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name: "line",
      kind: "line",
      points: LINE,
    });
    const rules = `/api/v1/cameras/${cameraId}/rules`;
    const rule = intrusionRule(line.body.id);
    expect((await server.post(rules, rule)).body.code).toBe("RULE_ZONE_KIND");
    const schedule = { days: [1], fromMinute: 60, toMinute: 60, timeZone: "Asia/Shanghai" };
    const crossing = { ...rule, kind: "line_crossing" };
    expect((await server.post(rules, { ...crossing, schedule })).body.code).toBe("RULE_SCHEDULE_EMPTY");
    expect(
      (
        await server.post(rules, {
          ...crossing,
          schedule: { ...schedule, toMinute: 90, timeZone: "Mars/Olympus" },
        })
      ).body.code,
    ).toBe("RULE_TIME_ZONE");
    expect((await server.post(rules, { ...crossing, classes: ["unicorn"] })).body.code).toBe(
      "VALIDATION_FAILED",
    );
    expect((await server.post(rules, { ...crossing, surplus: 1 })).body).toMatchObject({
      code: "VALIDATION_FAILED",
      details: { field: "surplus" },
    });
  });

  it("counts a line's crossings by direction and class in a time range", async () => {
    const line = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name: "counted",
      kind: "line",
      points: LINE,
    });
    const rule = await server.post(`/api/v1/cameras/${cameraId}/rules`, {
      ...intrusionRule(line.body.id),
      kind: "line_crossing",
    });
    await server.database.pool.query(
      `INSERT INTO line_crossing (crossed_at, rule_id, camera_no, track_id, class_code, left_to_right) VALUES
       (to_timestamp(1000), $1, 1, 1, 3, true), (to_timestamp(1001), $1, 1, 2, 3, false),
       (to_timestamp(1002), $1, 1, 3, 1, true), (to_timestamp(2000), $1, 1, 4, 3, true)`,
      [rule.body.id],
    );
    const counts = await server.get(`/api/v1/rules/${rule.body.id}/line-counts?fromMs=1000000&toMs=2000000`);
    expect(counts.body).toMatchObject({
      leftToRight: 2,
      rightToLeft: 1,
      byClass: [
        { objectClass: "person", leftToRight: 1, rightToLeft: 0 },
        { objectClass: "car", leftToRight: 1, rightToLeft: 1 },
      ],
    });
    const backwards = await server.get(`/api/v1/rules/${rule.body.id}/line-counts?fromMs=2&toMs=1`);
    expect(backwards.body.code).toBe("TIME_RANGE_INVALID");
  });
});

describe("alarms", () => {
  it("pages by keyset, newest first, filtered", async () => {
    const ids = [];
    for (let i = 0; i < 5; i++)
      ids.push(await insertAlarm(server.database.pool, { cameraId, priority: i === 0 ? "P1" : "P3" }));
    const first = await server.get("/api/v1/alarms?limit=2");
    expect(first.body.alarms.map((alarm: { id: string }) => alarm.id)).toEqual([ids[4], ids[3]]);
    const second = await server.get(`/api/v1/alarms?limit=3&before=${first.body.next}`);
    expect(second.body).toMatchObject({ next: null });
    expect(second.body.alarms).toHaveLength(3);
    expect((await server.get("/api/v1/alarms?priority=P1")).body.alarms).toHaveLength(1);
    expect((await server.get("/api/v1/alarms?limit=0")).body.code).toBe("VALIDATION_FAILED");
    expect((await server.get("/api/v1/alarms/9999999999999999999")).status).toBe(400);
    expect((await server.get("/api/v1/alarms/999999")).body.code).toBe("ALARM_NOT_FOUND");
  });

  it("acknowledges once, writes the move, and refuses an illegal one with the legal moves", async () => {
    const id = await insertAlarm(server.database.pool, { cameraId });
    const answers = await Promise.all([1, 2].map(() => server.post(`/api/v1/alarms/${id}/acknowledge`)));
    expect(statusesOf(answers)).toEqual([200, 409]);
    const refused = answers.find((answer) => answer.status === 409);
    expect(refused?.body).toMatchObject({
      code: "ALARM_MOVE_ILLEGAL",
      details: { state: "acknowledged", legalMoves: ["falseAlarm"] },
    });
    const wrong = await server.post(`/api/v1/alarms/${id}/false-alarm`, { opinion: "a cat" });
    expect(wrong.body).toMatchObject({ state: "falseAlarm", acknowledgedBy: "admin", version: 3 });
    expect((await server.get(`/api/v1/alarms/${id}/moves`)).body.moves).toMatchObject([
      { from: "new", to: "acknowledged", actor: "admin", opinion: null },
      { from: "acknowledged", to: "falseAlarm", actor: "admin", opinion: "a cat" },
    ]);
  });

  it("serves the snapshot as it was stored, and says when there is none", async () => {
    const id = await insertAlarm(server.database.pool, { cameraId });
    expect((await server.get(`/api/v1/alarms/${id}/snapshot`)).body.code).toBe("SNAPSHOT_NOT_FOUND");
    const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xd9]);
    await server.database.pool.query(
      "INSERT INTO alarm_snapshot (alarm_id, jpeg, sha256) VALUES ($1, $2, '')",
      [id, jpeg],
    );
    const response = await fetch(`${server.api.url}/api/v1/alarms/${id}/snapshot`, {
      headers: { cookie: server.cookie },
    });
    expect(response.headers.get("content-type")).toBe("image/jpeg");
    expect(Buffer.from(await response.arrayBuffer())).toEqual(jpeg);
  });
});

describe("cameras", () => {
  it("names a camera under its version and deletes it with what belongs to it", async () => {
    const agent = await createAgent(server.database.pool);
    const { id } = await createCamera(server.database.pool, agent.id);
    await insertAlarm(server.database.pool, { cameraId: id });
    const path = `/api/v1/cameras/${id}`;
    expect((await server.request("PATCH", path, { body: { name: "北门", version: 1 } })).body).toMatchObject({
      name: "北门",
      version: 2,
    });
    expect((await server.request("PATCH", path, { body: { name: "again", version: 1 } })).body.code).toBe(
      "VERSION_CONFLICT",
    );
    expect((await server.request("DELETE", path)).status).toBe(204);
    expect((await server.request("PATCH", path, { body: { name: "gone", version: 2 } })).body.code).toBe(
      "CAMERA_NOT_FOUND",
    );
  });
});

describe("agents", () => {
  it("exchanges a code once, whatever its spelling, for an identity whose secret is stored as a digest", async () => {
    const issued = await server.post("/api/v1/agents/claim-codes");
    expect(issued.status).toBe(201);
    const code = String(issued.body.code).toLowerCase().replaceAll("-", " ");
    const answers = await Promise.all(
      [1, 2].map(() => server.post("/api/v1/agents/claim", { code, name: "北门 box 7" }, { cookie: "" })),
    );
    expect(statusesOf(answers)).toEqual([201, 403]);
    const claimed = answers.find((answer) => answer.status === 201)?.body;
    expect(claimed).toMatchObject({ mqttUrl: "mqtt://127.0.0.1:1883" });
    expect(claimed.agentId).toMatch(/^box-7-[0-9a-f]{8}$/);
    const stored = await server.database.pool.query(
      "SELECT secret_hash = sha256($2::bytea) AS same FROM agent WHERE id = $1",
      [claimed.agentId, Buffer.from(claimed.secret)],
    );
    expect(stored.rows).toEqual([{ same: true }]);
    const listed = (await server.get("/api/v1/agents")).body.agents;
    expect(listed.find((agent: { id: string }) => agent.id === claimed.agentId)).toMatchObject({
      name: "北门 box 7",
      online: false,
    });
    expect(JSON.stringify(listed)).not.toContain(claimed.secret);
  });

  it("lists the devices that agents found, with what became of them", async () => {
    const { pool } = server.database;
    await pool.query("INSERT INTO agent (id, name, secret_hash) VALUES ('finder', 'Finder', '\\x00')");
    await pool.query(
      "INSERT INTO camera (id, agent_id, name, address) VALUES ('adopted-1', 'finder', 'A', '10.0.0.1:80')",
    );
    await pool.query(
      `INSERT INTO found_device (agent_id, device_key, how, address, first_at, told_at, gone)
       SELECT 'finder', 'urn:' || n, 'ws_discovery', '10.0.0.' || n || ':80', now(), now() - n * interval '1 s', n = 3
       FROM generate_series(1, 3) AS n`,
    );
    const { devices } = (await server.get("/api/v1/found-devices?agentId=finder")).body;
    expect(devices.map(({ deviceKey, state }: Record<string, string>) => [deviceKey, state])).toEqual([
      ["urn:1", "adopted"],
      ["urn:2", "quarantined"],
      ["urn:3", "gone"],
    ]);
    expect((await server.get("/api/v1/found-devices?agentId=nobody")).body.devices).toEqual([]);
  });

  it("pages dead letters", async () => {
    await server.database.pool.query(
      `INSERT INTO dead_letter (agent_id, topic, code, reason, payload)
       SELECT 'a', 't', 'EVENT_INVALID', 'bad', '\\x7b' FROM generate_series(1, 3)`,
    );
    const page = await server.get("/api/v1/dead-letters?limit=2");
    expect(page.body.deadLetters).toHaveLength(2);
    expect(page.body.deadLetters[0]).toMatchObject({ payload: "ew==", code: "EVENT_INVALID" });
    expect((await server.get(`/api/v1/dead-letters?limit=2&before=${page.body.next}`)).body).toMatchObject({
      next: null,
    });
  });
});

function statusesOf(answers: readonly { status: number }[]): number[] {
  return answers.map((answer) => answer.status).sort((a, b) => a - b);
}
