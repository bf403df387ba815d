import fc from "fast-check";
import { expect, test } from "vitest";
import { readEvent } from "./motion-events.ts";

const notification = (topic: string, operation: string, items: object[]) => ({
  topic: { _: topic },
  message: {
    message: {
      $: { UtcTime: "2026-01-02T03:04:05Z", PropertyOperation: operation },
      data: { simpleItem: items },
    },
  },
});
const item = (Name: string, Value: unknown) => ({ $: { Name, Value } });

test("an event of the camera's own analytics is told without prefixes", () => {
  expect(
    readEvent(
      notification("tns1:RuleEngine/tnsx:LineDetector/Crossed", "Changed", [
        item("ObjectId", 12),
        item("State", true),
      ]),
    ),
  ).toEqual({
    topic: "RuleEngine/LineDetector/Crossed",
    active: true,
    data: { ObjectId: "12", State: "true" },
    deviceAtMs: Date.UTC(2026, 0, 2, 3, 4, 5),
  });
});

test("a relay's or input's state is told as such", () => {
  const relay = notification("tns1:Device/Trigger/Relay", "Changed", [item("LogicalState", "active")]);
  expect(readEvent(relay)).toMatchObject({ topic: "Device/Trigger/Relay", active: true });
});

test("the state at subscription, motion, and what the contract cannot hold are none", () => {
  expect(readEvent(notification("tns1:Device/Trigger/Relay", "Initialized", []))).toBeNull();
  expect(readEvent(notification("tns1:RuleEngine/CellMotionDetector/Motion", "Changed", []))).toBeNull();
  expect(readEvent(notification("<script>", "Changed", []))).toBeNull();
  const many = Array.from({ length: 100 }, (_, n) => item(`n${n}`, "x".repeat(2_000)));
  const event = readEvent(notification("a", "Changed", [item("<b>", 1), ...many]));
  expect(Object.keys(event?.data ?? {})).toHaveLength(31);
  expect(event?.data["n0"]).toHaveLength(500);
});

test("any tree is read without an error", () => {
  fc.assert(fc.property(fc.anything(), (tree) => void readEvent(tree)));
});
