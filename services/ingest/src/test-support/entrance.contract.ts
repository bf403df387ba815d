import {
  commandTopic,
  configTopic,
  replyTopic,
  type AccessUnit,
  ackTopic,
  demandFilter,
  eventsTopic,
  fragmentAccessUnit,
  mediaTopic,
  statusTopic,
} from "@huishi/contracts";
import { sleep } from "@huishi/kernel";
import { connectAgent, createCamera, type TestAgent, until } from "@huishi/testkit";
import type { MqttClient } from "mqtt";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type EntranceKind, WINDOW } from "./entrance-kinds.ts";
import { EntranceRig } from "./entrance-rig.ts";
import { BOOT, inventory, motion } from "./running-ingest.ts";
import { batchOf } from "./test-edge.ts";

/** What every entrance for agents must do, whatever stands between them and ingest. */
export function describeEntrance(kind: EntranceKind): void {
  describe(kind.name, () => {
    let rig: EntranceRig;
    let agent: TestAgent;
    const clients: MqttClient[] = [];
    beforeEach(async () => {
      rig = await EntranceRig.start(kind);
      agent = await rig.agent();
    });
    afterEach(async () => {
      await Promise.all(clients.splice(0).map((client) => client.endAsync(true)));
      await rig.close();
    });

    const connect = async (
      ...args: Parameters<typeof connectAgent> extends [unknown, ...infer R] ? R : never
    ) => {
      const [who, options] = args;
      const client = await connectAgent(rig.place, who, { protocolVersion: kind.version, ...options });
      client.on("error", () => {});
      clients.push(client);
      return client;
    };
    const stored = (): Promise<{ seq: number }[]> =>
      rig.rows(
        "SELECT seq::int FROM edge_event JOIN event_source ON no = source_no ORDER BY agent_id, boot, seq",
      );
    const isOnline = async (who = agent): Promise<boolean> =>
      (await rig.rows<{ online: boolean }>("SELECT online FROM agent WHERE id = $1", who.id))[0]?.online ??
      false;
    const status = (online: boolean, atMs = 2): string => JSON.stringify({ v: 1, online, atMs });

    test("events are acknowledged after the commit and never before", async () => {
      const edge = rig.edge(agent);
      await edge.connection();
      const held = await rig.holdCommits();
      let hasPuback = false;
      const published = edge.publish(batchOf(7, [motion(1)])).then(() => (hasPuback = true));
      await until("the insert waits for the lock", () => held.isAwaited());
      await sleep(200);
      expect(edge.acks).toEqual([]);
      if (kind.pubackMeansCommitted) expect(hasPuback).toBe(false);
      await held.release();
      await published;
      await until("the acknowledgement", () => edge.acks.length > 0);
      expect(edge.acks).toEqual([{ v: 1, boot: BOOT, batch: 7 }]);
      expect(await stored()).toEqual([{ seq: 1 }]);
    });

    test("a batch that asks for no acknowledgement gets none", async () => {
      const edge = rig.edge(agent);
      await edge.publish(JSON.stringify({ v: 1, boot: BOOT, events: [motion(1)] }));
      await edge.send(2, [motion(2)]);
      expect(edge.acks).toEqual([{ v: 1, boot: BOOT, batch: 2 }]);
      expect(await stored()).toEqual([{ seq: 1 }, { seq: 2 }]);
    });

    test("a batch published while ingest is down arrives after its restart", async () => {
      const edge = rig.edge(agent);
      await edge.connection();
      await rig.stopIngest();
      const sent = edge.send(1, [motion(1)], 60_000);
      await sleep(300);
      await rig.startIngest();
      await sent;
      expect(await stored()).toEqual([{ seq: 1 }]);
      if (kind.keepsEvents) expect(edge.attempts).toBe(1);
    });

    test("what stands in the middle dies: an agent that sends again has each event there once", async () => {
      const BATCHES = 60;
      const edge = rig.edge(agent);
      let acknowledged = 0;
      const waiting = Array.from({ length: BATCHES }, (_, index) => index);
      const worker = async (): Promise<void> => {
        for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
          const first = batch * 10;
          await edge.send(
            batch,
            Array.from({ length: 10 }, (_, index) => motion(first + index)),
          );
          acknowledged += 1;
          await sleep(5);
        }
      };
      const sending = Promise.all([worker(), worker(), worker(), worker()]);
      for (const count of [8, 30]) {
        await until(`${count} are acknowledged`, () => acknowledged >= count);
        await rig.crash();
      }
      await sending;
      expect((await stored()).map(({ seq }) => seq)).toEqual(
        Array.from({ length: BATCHES * 10 }, (_, i) => i),
      );
      expect(edge.losses).toBeGreaterThan(0);
    });

    test("a batch that comes again is acknowledged again and stored once", async () => {
      const edge = rig.edge(agent);
      await edge.send(1, [motion(1), motion(2)]);
      await edge.send(1, [motion(1), motion(2)]);
      await edge.send(2, [motion(2), motion(3)]);
      expect(await stored()).toEqual([{ seq: 1 }, { seq: 2 }, { seq: 3 }]);
    });

    test("poison becomes dead letters and is acknowledged, and what follows goes on", async () => {
      const edge = rig.edge(agent);
      await edge.publish(batchOf(1, [motion(1)]).slice(0, -3));
      await edge.publish(JSON.stringify({ v: 2, boot: BOOT, batch: 2, events: [] }));
      await edge.publish("\0");
      await edge.send(3, [{ ...motion(2), active: "yes" }, motion(3)]);
      await until("all acknowledgements", () => edge.acks.length === 3);
      expect(edge.acks.map(({ batch }) => batch)).toEqual([1, 2, 3]);
      expect(await stored()).toEqual([{ seq: 3 }]);
      const letters = await rig.rows<{ code: string }>("SELECT code FROM dead_letter ORDER BY code");
      expect(letters.map(({ code }) => code)).toEqual([
        "INVALID_BATCH",
        "INVALID_EVENT",
        "MALFORMED_JSON",
        "MALFORMED_JSON",
      ]);
    });

    test("an agent's status makes it online, and its Will offline", async () => {
      const client = await connect(agent, {
        will: { topic: statusTopic(agent.id), payload: Buffer.from(status(false)), qos: 1, retain: true },
      });
      await client.publishAsync(statusTopic(agent.id), status(true), { qos: 1, retain: true });
      await until("online", () => isOnline());
      client.stream.destroy();
      await until("offline", async () => !(await isOnline()));
    });

    test("a restarted ingest knows who is online", async () => {
      const edge = rig.edge(agent);
      const say = async (): Promise<void> => {
        const client = await edge.connection();
        await client.publishAsync(statusTopic(agent.id), status(true), { qos: 1, retain: true });
      };
      await say();
      await until("online", () => isOnline());
      await rig.stopIngest();
      expect(await isOnline()).toBe(false);
      await rig.startIngest();
      // At an endpoint of ours the agent must come back first; a broker has kept its word.
      if (!kind.keepsEvents) await say();
      await until("online again", () => isOnline());
    });

    test("media reaches who watches, whole, from one fragment or many", async () => {
      await createCamera(rig.database.pool, agent.id, "north");
      const got: AccessUnit[] = [];
      rig.mediaBus.subscribe({ cameraId: "north", profile: "sub" }, (unit) => got.push(unit));
      const media = await connect(agent, { connection: "media" });
      const topic = mediaTopic(agent.id, "north", "sub");
      const send = (unitNumber: number, bytes: number): void => {
        const unit: AccessUnit = {
          codec: "h264",
          keyframe: true,
          discontinuity: false,
          unitNumber,
          capturedAtMs: 1_700_000_000_000,
          ptsMs: unitNumber * 40,
          data: new Uint8Array(bytes).fill(7),
        };
        for (const fragment of fragmentAccessUnit(unit))
          media.publish(topic, Buffer.from(fragment), { qos: 0 });
      };
      // The first ones make ingest look for the camera, and for the agent.
      await until("a first unit", () => {
        send(0, 10);
        return got.length > 0;
      });
      send(1, 200_000);
      await until("the large unit", () => got.some(({ data }) => data.byteLength === 200_000));
      expect(media.connected).toBe(true);
    });

    test("a wish to watch reaches the agent, and one that comes later too", async () => {
      await createCamera(rig.database.pool, agent.id, "north");
      const listen = async (): Promise<string[]> => {
        const heard: string[] = [];
        const client = await connect(agent);
        client.on("message", (_topic, payload) => {
          const { streams } = JSON.parse(payload.toString()) as { streams: { profile: string }[] };
          heard.push(streams.map(({ profile }) => profile).join());
        });
        await client.subscribeAsync(demandFilter(agent.id), { qos: 1 });
        return heard;
      };
      const first = await listen();
      // The camera was written behind ingest's back: an event makes it known.
      await rig.edge(await rig.agent()).connection();
      rig.mediaBus.subscribe({ cameraId: "north", profile: "sub" }, () => {});
      await until("the demand", () => first.includes("sub"));
      await clients.shift()?.endAsync();
      const second = await listen();
      await until("the demand again", () => second.includes("sub"));
    });

    test("keep-alives go on while a commit takes twice as long", async () => {
      const edge = rig.edge(agent, { keepalive: 1 });
      await edge.connection();
      const held = await rig.holdCommits();
      const sent = edge.send(1, [motion(1)], 60_000);
      await until("the insert waits for the lock", () => held.isAwaited());
      const [entrance] = rig.ingest.entrances;
      let wasAlwaysConnected = true;
      // Agents have a keep-alive of 1 s here, ingest at the broker one of 2 s.
      for (let look = 0; look < 45; look++) {
        wasAlwaysConnected &&= entrance?.isConnected ?? false;
        await sleep(100);
      }
      expect({ wasAlwaysConnected, losses: edge.losses }).toEqual({ wasAlwaysConnected: true, losses: 0 });
      await held.release();
      await sent;
      expect(edge.attempts).toBe(1);
    });

    test("a configuration is kept for the agent, a command comes once, and its reply is written down", async () => {
      const document = { v: 1, revision: 1, issuedAtMs: 1, site: {}, cameras: [], sensors: [] };
      await rig.rows(
        "INSERT INTO agent_config (agent_id, revision, document, changed_by) VALUES ($1, 1, $2, 'somebody')",
        agent.id,
        JSON.stringify(document),
      );
      const client = await rig.edge(agent).connection();
      const heard: [string, { id?: string }][] = [];
      client.on("message", (topic, payload) => heard.push([topic, JSON.parse(payload.toString())]));
      await client.subscribeAsync([configTopic(agent.id), commandTopic(agent.id)], { qos: 1 });
      await client.publishAsync(statusTopic(agent.id), status(true), { qos: 1, retain: true });
      await until("the configuration", () => heard.some(([topic]) => topic === configTopic(agent.id)));
      await rig.rows(
        "INSERT INTO agent_command (id, agent_id, body, valid_ms, created_by) VALUES ('c1', $1, $2, 60000, 'somebody')",
        agent.id,
        JSON.stringify({ kind: "metrics" }),
      );
      const command = await until("the command", () =>
        heard.find(([topic]) => topic === commandTopic(agent.id)),
      );
      expect(command[1]).toMatchObject({ v: 1, id: "c1", body: { kind: "metrics" } });
      await client.publishAsync(replyTopic(agent.id), "x".repeat(70_000), { qos: 1 });
      const reply = { v: 1, commandId: "c1", ok: true, result: { text: "up 1" } };
      await client.publishAsync(replyTopic(agent.id), JSON.stringify(reply), { qos: 1 });
      await client.publishAsync(replyTopic(agent.id), JSON.stringify({ ...reply, ok: false }), { qos: 1 });
      await until(
        "the outcome",
        async () => (await rig.rows("SELECT 1 FROM agent_command WHERE state = 'done'")).length,
      );
      const [row] = await rig.rows("SELECT ok, result FROM agent_command");
      expect(row).toEqual({ ok: true, result: { text: "up 1" } });
      expect(heard.filter(([topic]) => topic === commandTopic(agent.id)).length).toBe(1);
    });

    test("a revoked agent is refused within five seconds, and counts as offline", async () => {
      const edge = rig.edge(agent);
      await edge.send(1, [motion(1)]);
      const client = await edge.connection();
      await client.publishAsync(statusTopic(agent.id), status(true), { qos: 1, retain: true });
      await until("online", () => isOnline());
      await rig.rows("UPDATE agent SET revoked_at = now() WHERE id = $1", agent.id);
      await until("offline", async () => !(await isOnline()), 5_000);
      void edge.send(2, [motion(2)], 100);
      await sleep(1_000);
      expect(edge.acks.map(({ batch }) => batch)).toEqual([1]);
      expect(await stored()).toEqual([{ seq: 1 }]);
      expect(await isOnline()).toBe(false);
      expect(await rig.ingest.metrics.text()).toMatch(
        /refusals_total\{reason="(UNKNOWN_AGENT|BAD_CREDENTIALS|AGENT_REVOKED)"\} [1-9]/,
      );
    });

    test("an agent that the database does not know is refused", async () => {
      const stranger: TestAgent = { id: "stranger", secret: "some secret" };
      await rig.admit(stranger);
      const edge = rig.edge(stranger);
      void edge.send(1, [motion(1)], 100);
      await until("it is refused", async () =>
        /refusals_total\{reason="(UNKNOWN_AGENT|BAD_CREDENTIALS|AGENT_REVOKED)"\} [1-9]/.test(
          await rig.ingest.metrics.text(),
        ),
      );
      expect(edge.acks).toEqual([]);
      expect(await rig.rows("SELECT 1 FROM edge_event UNION ALL SELECT 1 FROM dead_letter")).toEqual([]);
    });

    test("nobody speaks for another agent, or hears its acknowledgements", async () => {
      const other = await rig.agent();
      const heard: string[] = [];
      const spy = await connect(agent);
      spy.on("message", (topic) => heard.push(topic));
      for (const filter of [ackTopic(other.id), "huishi/v1/+/ack", "huishi/v1/#", "#"])
        await spy.subscribeAsync(filter, { qos: 1 }).catch(() => null);
      spy.publish(eventsTopic(other.id), batchOf(1, [motion(9)]), { qos: 1 }, () => {});
      const edge = rig.edge(other);
      await edge.send(2, [motion(1)]);
      const events = await rig.rows(
        "SELECT agent_id, seq::int FROM edge_event JOIN event_source ON no = source_no",
      );
      expect(events).toEqual([{ agent_id: other.id, seq: 1 }]);
      expect(heard).toEqual([]);
    });

    test("memory stays bounded while the database stands still, and nothing is missing afterwards", async () => {
      const BATCHES = 60;
      const held = await rig.holdCommits();
      const long = "x".repeat(190);
      const edge = rig.edge(agent);
      await edge.connection();
      const sent = Array.from({ length: BATCHES }, (_, batch) => {
        const events = Array.from({ length: 100 }, (_, each) =>
          inventory(batch * 100 + each, "north", { manufacturer: long, model: long, serial: long }),
        );
        return edge.send(batch, events, 60_000);
      });
      await until("the insert waits for the lock", () => held.isAwaited());
      let highest = 0;
      for (let look = 0; look < 30; look++) {
        highest = Math.max(highest, await rig.metric("huishi_ingest_queue_bytes"));
        await sleep(50);
      }
      // 60 batches of about 90 KB, three times as large when parsed. At the endpoint one message a connection and at
      // the broker the window is let in.
      const batchBytes = 90 * 1024 * 3;
      expect(highest).toBeGreaterThan(0);
      expect(highest).toBeLessThanOrEqual((WINDOW + 2) * batchBytes);
      await held.release();
      await Promise.all(sent);
      expect(await stored()).toHaveLength(BATCHES * 100);
      expect(await rig.metric("huishi_ingest_queue_bytes")).toBe(0);
    });
  });
}
