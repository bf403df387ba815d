import type { AccessUnit } from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { withTransaction } from "@huishi/platform";
import { createAgent, createCamera, until } from "@huishi/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ApiUnderTest } from "../../test-support/api-under-test.ts";
import { insertAlarm, SQUARE } from "../../test-support/rows.ts";
import { WallClient } from "../../test-support/wall-client.ts";

let server: ApiUnderTest;
let cameraId: string;

beforeAll(async () => {
  server = await ApiUnderTest.start();
  await server.setUp();
  const agent = await createAgent(server.database.pool);
  cameraId = (await createCamera(server.database.pool, agent.id)).id;
});
afterAll(() => server.stop());

function unit(unitNumber: number, options: { keyframe?: boolean; bytes?: number } = {}): AccessUnit {
  return {
    codec: "h264",
    keyframe: options.keyframe ?? unitNumber % 10 === 0,
    discontinuity: false,
    unitNumber,
    capturedAtMs: 1_700_000_000_000 + unitNumber * 40,
    ptsMs: unitNumber * 40,
    data: Buffer.alloc(options.bytes ?? 100, 1),
  };
}

describe("the upgrade", () => {
  it("is refused to other origins, to none, and without a session", async () => {
    const cases: [WallClient, number][] = [
      [new WallClient(server, { origin: "https://evil.example" }), 403],
      [new WallClient(server, { origin: null }), 403],
      [new WallClient(server, { origin: "null" }), 403],
      [new WallClient(server, { cookie: "" }), 401],
      [new WallClient(server, { cookie: "huishi=made-up" }), 401],
    ];
    for (const [client, status] of cases)
      expect(await until("a refusal", () => client.refusedWith)).toBe(status);
  });
});

describe("changes", () => {
  it("come as whole rows: alarms with their moves, zones, and what was deleted", async () => {
    const wall = await WallClient.join(server);
    const id = await insertAlarm(server.database.pool, { cameraId, zoneName: "<b>gate</b>" });
    await until("the alarm", () => wall.alarmIds().has(id));
    await server.post(`/api/v1/alarms/${id}/acknowledge`);
    await until("its move", () =>
      wall
        .changes()
        .some(
          (change) =>
            change.kind === "alarm" && change.alarm.id === id && change.alarm.state === "acknowledged",
        ),
    );
    expect(wall.changes()[0]).toMatchObject({
      kind: "alarm",
      alarm: { zoneName: "<b>gate</b>", cameraName: cameraId },
    });
    const zone = await server.post(`/api/v1/cameras/${cameraId}/zones`, {
      name: "z",
      kind: "polygon",
      points: SQUARE,
    });
    await server.request("DELETE", `/api/v1/zones/${zone.body.id}`);
    await until("the deletion", () =>
      wall
        .changes()
        .some((change) => change.kind === "deleted" && change.what === "zone" && change.id === zone.body.id),
    );
    await wall.close();
  });

  it("none is lost across reconnects while transactions commit out of order", async () => {
    const written = new Set<string>();
    // Whoever has no cursor starts from now: take one before anything is written.
    const first = await WallClient.join(server);
    let cursor = first.cursor();
    await first.close();
    // Transactions that take their place early and commit late, interleaved with quick ones.
    const writers = Array.from({ length: 12 }, async (_, writer) => {
      for (let i = 0; i < 8; i++) {
        await withTransaction(server.database.pool, async (client) => {
          written.add(await insertAlarm(client, { cameraId }));
          await sleep(((writer * 7 + i * 13) % 5) * 25);
          written.add(await insertAlarm(client, { cameraId }));
        });
      }
    });
    const seen = new Set<string>();
    const writingEnds = new AbortController();
    const writing = Promise.all(writers).then(() => {
      writingEnds.abort();
    });
    let reconnects = 0;
    while (!writingEnds.signal.aborted || reconnects < 3) {
      const wall: WallClient = await WallClient.join(server, cursor);
      expect(wall.last("welcome")?.resumed).toBe(true);
      await sleep(60);
      await wall.close();
      for (const id of wall.alarmIds()) seen.add(id);
      cursor = wall.cursor();
      reconnects += 1;
      await sleep(30);
    }
    await writing;
    const wall = await WallClient.join(server, cursor);
    await until("the rest", () => {
      for (const id of wall.alarmIds()) seen.add(id);
      return seen.size >= written.size;
    });
    expect([...written].filter((id) => !seen.has(id))).toEqual([]);
    await wall.close();
  });

  it("resume from the outbox when the ring of a restarted server does not reach back", async () => {
    const wall = await WallClient.join(server);
    const cursorId = await insertAlarm(server.database.pool, { cameraId });
    await until("the alarm", () => wall.alarmIds().has(cursorId));
    const cursor = wall.cursor();
    await wall.close();
    const missed = await Promise.all(
      Array.from({ length: 30 }, () => insertAlarm(server.database.pool, { cameraId })),
    );
    const restarted = await server.restart();
    const again = await WallClient.join(restarted, cursor);
    expect(again.last("welcome")?.resumed).toBe(true);
    await until("all that was missed", () => missed.every((id) => again.alarmIds().has(id)));
    await again.close();
  });

  it("tell `resumed: false` to a cursor older than the outbox, from the future or never given", async () => {
    await server.database.pool.query(
      "DELETE FROM change WHERE (tx, id) < (SELECT tx, id FROM change ORDER BY tx DESC, id DESC LIMIT 1)",
    );
    const restarted = await server.restart();
    for (const cursor of ["1-1", "18446744073709551615-1", undefined]) {
      const wall = await WallClient.join(restarted, cursor);
      expect(wall.last("welcome")?.resumed).toBe(false);
      await wall.close();
    }
    const wall = new WallClient(restarted);
    await until("open", () => wall.refusedWith === null && wall.closed === null && wall.isOpen);
    wall.send({ t: "hello", cursor: "99999999999999999999-0" });
    expect((await until("an error", () => wall.last("error"))).code).toBe("VALIDATION_FAILED");
  });
});

describe("a database that goes and comes back", () => {
  it("ends no socket, and no change is lost", async () => {
    const wall = await WallClient.join(server);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      await server.database.pool.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE 'huishi-api%'",
      );
      ids.push(await insertAlarm(server.database.pool, { cameraId }));
    }
    await until("all alarms", () => ids.every((id) => wall.alarmIds().has(id)));
    expect(wall.closed).toBeNull();
    await wall.close();
  });
});

describe("live pictures", () => {
  it("subscribe once a stream for all viewers, begin with a keyframe and carry the announced channel", async () => {
    const watch = {
      t: "watch",
      watches: [
        { cameraId, profile: "sub" },
        { cameraId: "no-such", profile: "main" },
      ],
    };
    const first = await WallClient.join(server);
    first.send(watch);
    const watching = await until("watching", () => first.last("watching"));
    expect(watching.refused).toEqual([{ cameraId: "no-such", code: "CAMERA_NOT_FOUND" }]);
    await until("demand", () => server.mediaBus.demands().length === 1);
    for (let i = 10; i < 15; i++) server.mediaBus.publish({ cameraId, profile: "sub" }, unit(i));
    await until("pictures", () => first.units.length === 5);
    const second = await WallClient.join(server);
    second.send(watch);
    await until("the group of pictures so far", () => second.units.length === 5);
    expect(second.units[0]?.unit).toMatchObject({ keyframe: true, unitNumber: 10 });
    expect(second.units[0]?.channel).toBe(watching.channels[0]?.channel);
    expect(server.mediaBus.stats().subscribers).toBe(1);
    server.mediaBus.publishScene({ cameraId, capturedAtMs: 1, tracks: [] });
    await until("the scene", () => first.last("scene") && second.last("scene"));
    first.send({ t: "watch", watches: [] });
    await second.close();
    await until("no demand", () => server.mediaBus.demands().length === 0);
    const looks = await until("the looks' end", async () => {
      const ended = await server.database.pool.query(
        "SELECT user_name, camera_id, profile, purpose FROM look WHERE ended_at IS NOT NULL",
      );
      return ended.rows.length === 2 && ended.rows;
    });
    expect(looks[0]).toEqual({
      user_name: "admin",
      camera_id: cameraId,
      profile: "sub",
      purpose: "operations wall",
    });
    await first.close();
  });

  it("are dropped for a slow reader up to the next keyframe, while every change arrives", async () => {
    const wall = await WallClient.join(server);
    wall.send({ t: "watch", watches: [{ cameraId, profile: "main" }] });
    await until("watching", () => wall.last("watching"));
    wall.pause();
    // 20 MB of pictures: more than the socket's own buffers and the media limit together.
    for (let i = 0; i < 100; i++) {
      server.mediaBus.publish({ cameraId, profile: "main" }, unit(i, { bytes: 200_000 }));
      if (i % 10 === 0) await sleep(5);
    }
    const ids = await Promise.all(
      Array.from({ length: 50 }, () => insertAlarm(server.database.pool, { cameraId })),
    );
    await sleep(100);
    wall.resume();
    await until("every change", () => ids.every((id) => wall.alarmIds().has(id)));
    const before = wall.units.length;
    expect(before).toBeLessThan(100);
    for (let i = 101; i < 125; i++) server.mediaBus.publish({ cameraId, profile: "main" }, unit(i));
    await until("pictures again", () => wall.units.some(({ unit: { unitNumber } }) => unitNumber === 124));
    const resumed = wall.units.slice(before)[0]?.unit;
    expect(resumed).toMatchObject({ keyframe: true, discontinuity: true });
    expect(wall.closed).toBeNull();
    await wall.close();
  });
});

describe("sockets end", () => {
  it("when their session is signed out or deleted", async () => {
    const wall = await WallClient.join(server);
    await server.database.pool.query("DELETE FROM user_session");
    const closed = await until("the close", () => wall.closed);
    expect(closed.code).toBe(4001);
    await server.signIn();
    const again = await WallClient.join(server);
    await server.post("/api/v1/sign-out");
    expect((await until("the close", () => again.closed)).code).toBe(4001);
    expect((await server.get("/api/v1/session")).status).toBe(401);
    await server.signIn();
  });

  it("on what is no message, and on a flood of messages", async () => {
    for (const message of ["{", "[]", `{"t":"watch"}`, `{"t":"hello","surplus":1}`]) {
      const wall = await WallClient.join(server);
      wall.send(message);
      expect((await until("the close", () => wall.closed)).code).toBe(4000);
    }
    const flood = await WallClient.join(server);
    for (let i = 0; i < 200; i++) flood.send({ t: "ping", id: i });
    expect((await until("the close", () => flood.closed)).code).toBe(4029);
    const large = await WallClient.join(server);
    large.send("x".repeat(70_000));
    expect((await until("the close", () => large.closed)).code).toBe(1009);
  });
});
