import { expect, test } from "vitest";
import { validateBatch } from "./event-validation.ts";

const receiptOf = (text: string): unknown =>
  validateBatch({ agentId: "a", topic: "t", payload: Buffer.from(text), ingestedAtMs: 0 }).receipt;
const boot = "00112233aabbccdd";
const receipt = { boot, batch: 7 };

test("a batch that asks for an acknowledgement gives its receipt, be it good or not", () => {
  expect(receiptOf(JSON.stringify({ v: 1, boot, batch: 7, events: [{ type: "x" }] }))).toEqual(receipt);
  expect(receiptOf(JSON.stringify({ v: 1, boot, batch: 7, events: [] }))).toEqual(receipt);
  expect(receiptOf(JSON.stringify({ v: 9, boot, batch: 7, other: true }))).toEqual(receipt);
  // Cut off on the way: what stands at its head is enough.
  expect(receiptOf(`{"v":1,"boot":"${boot}","batch":7,"events":[{"ty`)).toEqual(receipt);
});

test.each([
  ["none is asked for", JSON.stringify({ v: 1, boot, events: [{ type: "x" }] })],
  ["the boot is none", JSON.stringify({ v: 1, boot: "x", batch: 7, events: [] })],
  ["the number is none", JSON.stringify({ v: 1, boot, batch: -1, events: [] })],
  ["the number is too large", `{"v":1,"boot":"${boot}","batch":9999999999999999,"events":[`],
  ["it is cut off within the number", `{"v":1,"boot":"${boot}","batch":7`],
  ["it is no object", "null"],
  ["it is no JSON", "\0"],
])("there is no receipt where %s", (_, text) => expect(receiptOf(text)).toBeNull());
