import { ackTopic, demandFilter, demandTopic, eventsTopic, mediaTopic, statusTopic } from "@huishi/contracts";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { mayLeaveWill, mayPublish, maySubscribe, type Session, sessionOf } from "./topic-rights.ts";

const events: Session = { agentId: "a", kind: "events" };
const media: Session = { agentId: "a", kind: "media" };

test("each connection has its own topics, and QoS 2 has none", () => {
  const topics = [eventsTopic("a"), statusTopic("a"), mediaTopic("a", "c", "sub"), demandTopic("a", "c")];
  const allowed = (session: Session, qos: number): string[] =>
    topics.filter((topic) => mayPublish(session, topic, qos));
  expect(allowed(events, 1)).toEqual([eventsTopic("a"), statusTopic("a")]);
  expect(allowed(media, 0)).toEqual([mediaTopic("a", "c", "sub")]);
  expect([...allowed(media, 1), ...allowed(events, 2), ...allowed(media, 2)]).toEqual([]);
  expect(topics.filter((topic) => mayLeaveWill(events, topic, 1))).toEqual([statusTopic("a")]);
});

const segment = fc.constantFrom(
  "huishi",
  "v1",
  "a",
  "b",
  "events",
  "status",
  "media",
  "demand",
  "ack",
  "c",
  "sub",
  "+",
  "#",
  "",
  "$SYS",
  "A",
  "..",
);

test("whatever the topic, nobody leaves the own prefix", () => {
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 7 }), fc.constantFrom(events, media), (segments, session) => {
      const topic = segments.join("/");
      if (mayPublish(session, topic, 0))
        expect(topic).toMatch(/^huishi\/v1\/a\/(events|status|media\/\w+\/sub)$/);
      if (maySubscribe(session, topic)) expect(topic).toMatch(/^huishi\/v1\/a\/(ack|demand\/(\w+|\+))$/);
      if (mayLeaveWill(session, topic, 0)) expect(topic).toBe("huishi/v1/a/status");
    }),
    { numRuns: 2_000 },
  );
});

test("only the events connection hears acknowledgements, and only the agent's own", () => {
  expect(maySubscribe(events, ackTopic("a"))).toBe(true);
  expect([maySubscribe(media, ackTopic("a")), maySubscribe(events, ackTopic("b"))]).toEqual([false, false]);
  expect(mayPublish(events, ackTopic("a"), 0)).toBeNull();
});

test("a spare connection may repeat its agent's events, and nothing else", () => {
  const spare: Session = { agentId: "a", kind: "spare" };
  expect(mayPublish(spare, eventsTopic("a"), 1)?.kind).toBe("events");
  expect(mayPublish(spare, eventsTopic("b"), 1)).toBeNull();
  for (const topic of [statusTopic("a"), mediaTopic("a", "c", "sub"), demandTopic("a", "c")]) {
    expect([mayPublish(spare, topic, 0), mayLeaveWill(spare, topic, 0)]).toEqual([null, false]);
  }
  for (const filter of [ackTopic("a"), demandFilter("a"), "#"])
    expect(maySubscribe(spare, filter)).toBe(false);
  expect(sessionOf("a", "a_spare1")).toEqual(spare);
  expect([sessionOf("a", "a_spare9"), sessionOf("a", "b_spare1")]).toEqual([null, null]);
});

test("a client id is the agent's own, or its media connection's", () => {
  const ids = ["a", "a_media", "b", "a_other", "", "a_media_media"];
  expect(ids.map((id) => sessionOf("a", id)?.kind ?? null)).toEqual([
    "events",
    "media",
    null,
    null,
    null,
    null,
  ]);
});

test("the media connection may sign in under its client id, and speaks for the same agent", () => {
  expect(sessionOf("a_media", "a_media")).toEqual({ agentId: "a", kind: "media" });
  expect([sessionOf("a_media", "a"), sessionOf("b_media", "a_media")]).toEqual([null, null]);
});
