import { REHEARSAL_CHUNK_BYTES, type RehearsalCreateBody, RULE_DEFAULTS } from "@huishi/contracts";
import { createAgent, createCamera } from "@huishi/testkit";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Answer, ApiUnderTest } from "../../test-support/api-under-test.ts";

let server: ApiUnderTest;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const agent = await createAgent(server.database.pool, "agent");
  await createCamera(server.database.pool, agent.id, "cam-1");
  await createCamera(server.database.pool, agent.id, "cam-2");
});
afterAll(() => server.stop());
beforeEach(async () => {
  await server.database.pool.query("DELETE FROM rehearsal; DELETE FROM rehearsal_clip; DELETE FROM look");
});

const POLYGON = [
  { x: 0.2, y: 0.2 },
  { x: 0.8, y: 0.2 },
  { x: 0.8, y: 0.8 },
];

function asked(fields: Partial<RehearsalCreateBody> = {}): RehearsalCreateBody {
  const nowMs = Date.now();
  return {
    cameraId: "cam-1",
    subject: {
      zone: { kind: "polygon", points: POLYGON },
      rule: {
        ...RULE_DEFAULTS.intrusion,
        name: "Nobody here",
        kind: "intrusion",
        classes: ["person"],
        direction: "both",
        enabled: true,
        schedule: null,
      },
    },
    source: { kind: "tracks", fromMs: nowMs - 3_600_000, toMs: nowMs },
    ...fields,
  };
}

const create = (fields: Partial<RehearsalCreateBody> = {}): Promise<Answer> =>
  server.post("/api/v1/rehearsals", asked(fields));

const codeOf = ({ status, body }: Answer): [number, string] => [status, body.code as string];

describe("rehearsals", () => {
  it("wait for analytics, are listed, and are looked at by name", async () => {
    const { status, body } = await create();
    expect(status).toBe(202);
    expect(body).toMatchObject({
      cameraId: "cam-1",
      state: "waiting",
      progress: 0,
      result: null,
      baseline: null,
    });
    expect((await server.get(`/api/v1/rehearsals/${body.id}`)).body).toEqual(body);
    expect((await server.get("/api/v1/rehearsals?cameraId=cam-1")).body.rehearsals).toMatchObject([
      { id: body.id },
    ]);
    const looks = await server.database.pool.query("SELECT user_name, camera_id, purpose FROM look");
    expect(looks.rows).toEqual([{ user_name: "admin", camera_id: "cam-1", purpose: "rule rehearsal" }]);
  });

  it("are cancelled, once and for good", async () => {
    const { body } = await create();
    const path = `/api/v1/rehearsals/${body.id}`;
    expect((await server.request("DELETE", path)).body.state).toBe("cancelled");
    expect((await server.request("DELETE", path)).body.state).toBe("cancelled");
    expect(codeOf(await server.request("DELETE", "/api/v1/rehearsals/none"))).toEqual([
      404,
      "REHEARSAL_NOT_FOUND",
    ]);
  });

  it("that have ended stay as they are", async () => {
    const { body } = await create();
    await server.database.pool.query("UPDATE rehearsal SET state = 'done'");
    expect((await server.request("DELETE", `/api/v1/rehearsals/${body.id}`)).body.state).toBe("done");
  });

  it("are three a person at most, also when asked for at once", async () => {
    const answers = await Promise.all(Array.from({ length: 6 }, () => create()));
    expect(answers.filter(({ status }) => status === 202)).toHaveLength(3);
    expect(codeOf(answers.find(({ status }) => status !== 202) as Answer)).toEqual([409, "REHEARSAL_LIMIT"]);
  });

  it("refuse a polygon that crosses itself, a rule on the wrong zone, a time to come and one too long", async () => {
    const { subject } = asked();
    const crossed = [
      { x: 0.1, y: 0.1 },
      { x: 0.9, y: 0.9 },
      { x: 0.9, y: 0.1 },
      { x: 0.1, y: 0.9 },
    ];
    const nowMs = Date.now();
    const bad = (fields: Partial<RehearsalCreateBody>) => create(fields).then(codeOf);
    expect(await bad({ subject: { ...subject, zone: { kind: "polygon", points: crossed } } })).toEqual([
      400,
      "ZONE_SELF_CROSSING",
    ]);
    expect(await bad({ subject: { ...subject, rule: { ...subject.rule, kind: "line_crossing" } } })).toEqual([
      400,
      "RULE_ZONE_KIND",
    ]);
    expect(await bad({ source: { kind: "tracks", fromMs: nowMs + 60_000, toMs: nowMs + 120_000 } })).toEqual([
      400,
      "TIME_RANGE_INVALID",
    ]);
    expect(await bad({ source: { kind: "tracks", fromMs: nowMs - 8 * 86_400_000, toMs: nowMs } })).toEqual([
      400,
      "TIME_RANGE_TOO_LONG",
    ]);
    expect(await bad({ cameraId: "none" })).toEqual([404, "CAMERA_NOT_FOUND"]);
    expect(await bad({ subject: { ...subject, rule: { ...subject.rule, kind: "object_removed" } } })).toEqual(
      [400, "REHEARSAL_NEEDS_CLIP"],
    );
    const looks = await server.database.pool.query("SELECT 1 FROM look");
    expect(looks.rowCount).toBe(0);
  });

  it("are for those who may edit rules", async () => {
    await server.database.pool.query("UPDATE app_user SET role = 'operator'");
    try {
      expect(codeOf(await create())).toEqual([403, "NOT_ALLOWED"]);
      expect(codeOf(await server.get("/api/v1/rehearsals?cameraId=cam-1"))).toEqual([403, "NOT_ALLOWED"]);
    } finally {
      await server.database.pool.query("UPDATE app_user SET role = 'administrator'");
    }
  });
});

/** A file that begins as an MP4 does. */
function mp4(bytes: number): Buffer {
  const file = Buffer.alloc(bytes, 7);
  file.write("\0\0\0\x20ftypisom", "latin1");
  return file;
}

async function send(
  id: string,
  no: number,
  bytes: Buffer,
  type = "application/octet-stream",
): Promise<Answer> {
  const response = await fetch(`${server.api.url}/api/v1/rehearsals/clips/${id}/chunks/${no}`, {
    method: "PUT",
    headers: { cookie: server.cookie, "content-type": type },
    body: new Uint8Array(bytes),
  });
  return { status: response.status, body: await response.json(), headers: response.headers };
}

const announce = (bytes: number, cameraId = "cam-1"): Promise<Answer> =>
  server.post("/api/v1/rehearsals/clips", { cameraId, bytes });

describe("clips for rehearsals", () => {
  it("come in chunks, in any order and twice, and can then be rehearsed on", async () => {
    const file = mp4(2 * REHEARSAL_CHUNK_BYTES + 5);
    const { body } = await announce(file.length);
    expect(body).toMatchObject({ chunks: 3, received: 0, complete: false });
    const chunk = (no: number) => file.subarray(no * REHEARSAL_CHUNK_BYTES, (no + 1) * REHEARSAL_CHUNK_BYTES);
    await send(body.id, 2, chunk(2));
    await send(body.id, 0, chunk(0));
    await send(body.id, 0, chunk(0));
    const source = { kind: "clip", clipId: body.id as string } as const;
    expect(codeOf(await create({ source }))).toEqual([409, "REHEARSAL_CLIP_INCOMPLETE"]);
    expect((await send(body.id, 1, chunk(1))).body).toMatchObject({ received: 3, complete: true });
    expect((await create({ source })).status).toBe(202);
    expect(codeOf(await create({ source, cameraId: "cam-2" }))).toEqual([404, "REHEARSAL_CLIP_NOT_FOUND"]);
    const kept = await server.database.pool.query(
      "SELECT sum(length(bytes))::int AS bytes FROM rehearsal_clip_chunk",
    );
    expect(kept.rows).toEqual([{ bytes: file.length }]);
  });

  it("are refused when they are no video, whatever they are called", async () => {
    const { body } = await announce(1_000);
    expect(codeOf(await send(body.id, 0, Buffer.alloc(1_000, "#EXTM3U\n")))).toEqual([
      415,
      "REHEARSAL_CLIP_TYPE",
    ]);
    expect(codeOf(await server.get(`/api/v1/rehearsals/clips/${body.id}`))).toEqual([
      404,
      "REHEARSAL_CLIP_NOT_FOUND",
    ]);
  });

  it("are refused when too large, before and while they come", async () => {
    expect(codeOf(await announce(300 * 1024 * 1024))).toEqual([400, "VALIDATION_FAILED"]);
    const { body } = await announce(REHEARSAL_CHUNK_BYTES);
    expect(codeOf(await send(body.id, 0, mp4(REHEARSAL_CHUNK_BYTES + 1)))).toEqual([413, "BODY_TOO_LARGE"]);
    expect(codeOf(await send(body.id, 0, mp4(17)))).toEqual([400, "REHEARSAL_CHUNK_INVALID"]);
    expect(codeOf(await send(body.id, 1, mp4(17)))).toEqual([400, "REHEARSAL_CHUNK_INVALID"]);
    expect((await send(body.id, 0, mp4(17), "video/mp4")).status).toBe(415);
  });

  it("are few: the oldest that nobody waits for makes room", async () => {
    const ids: string[] = [];
    for (let k = 0; k < 4; k++) ids.push((await announce(1_000)).body.id as string);
    const states = await Promise.all(ids.map((id) => server.get(`/api/v1/rehearsals/clips/${id}`)));
    expect(states.map(({ status }) => status)).toEqual([404, 200, 200, 200]);
    expect((await server.request("DELETE", `/api/v1/rehearsals/clips/${ids[3]}`)).status).toBe(204);
  });

  it("belong to who announced them", async () => {
    const { body } = await announce(1_000);
    await server.database.pool.query("UPDATE rehearsal_clip SET user_id = user_id + 1");
    expect(codeOf(await send(body.id, 0, mp4(1_000)))).toEqual([403, "NOT_ALLOWED"]);
  });
});
