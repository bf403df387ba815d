import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  commandTopic,
  configTopic,
  demandTopic,
  eventsTopic,
  mediaTopic,
  parseTopic,
  replyTopic,
  statusTopic,
  uploadTopic,
} from "./topics.ts";

describe("parseTopic", () => {
  it("reads what the builders make", () => {
    expect(parseTopic(eventsTopic("box-1"))).toEqual({ kind: "events", agentId: "box-1" });
    expect(parseTopic(statusTopic("box-1"))).toEqual({ kind: "status", agentId: "box-1" });
    expect(parseTopic(demandTopic("box-1", "cam-2"))).toEqual({
      kind: "demand",
      agentId: "box-1",
      cameraId: "cam-2",
    });
    expect(parseTopic(mediaTopic("box-1", "cam-2", "sub"))).toEqual({
      kind: "media",
      agentId: "box-1",
      cameraId: "cam-2",
      stream: "sub",
    });
    expect(parseTopic(configTopic("box-1"))).toEqual({ kind: "config", agentId: "box-1" });
    expect(parseTopic(commandTopic("box-1"))).toEqual({ kind: "command", agentId: "box-1" });
    expect(parseTopic(replyTopic("box-1"))).toEqual({ kind: "reply", agentId: "box-1" });
    expect(parseTopic(uploadTopic("box-1", "clip-7"))).toEqual({
      kind: "upload",
      agentId: "box-1",
      transferId: "clip-7",
    });
  });

  it.each([
    "huishi/v1/+/events",
    "huishi/v1/box-1/#",
    "huishi/v1/box-1/events/more",
    "huishi/v2/box-1/events",
    "$SYS/broker",
    "",
    "huishi/v1/Box/events",
    "huishi/v1/box-1/media/cam/other",
  ])("knows nothing of %j", (topic) => expect(parseTopic(topic)).toBeNull());

  it("never gives an identity with a separator or wildcard in it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("huishi", "v1", "+", "#", "events", "status", "a", "..", ""), {
          maxLength: 7,
        }),
        (parts) => {
          const parsed = parseTopic(parts.join("/"));
          expect(parsed === null || /^[a-z0-9-]+$/.test(parsed.agentId)).toBe(true);
        },
      ),
    );
  });
});
