import type { AgentCommand, CommandReply } from "@huishi/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { EdgeError } from "../domain/faults.ts";
import { CommandDesk } from "./command-desk.ts";

const log = { info: () => {}, warn: () => {}, error: () => {} };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function makeDesk(limits: { maxRunning?: number; maxWaiting?: number } = {}) {
  const replies: CommandReply[] = [];
  const clock = { nowMs: 0 };
  const desk = new CommandDesk({
    log,
    steadyMs: () => clock.nowMs,
    replies: { publishReply: async (reply) => void replies.push(reply) },
    ...limits,
  });
  return { desk, replies, clock };
}

const metrics = (id: string, more: Partial<AgentCommand> = {}): AgentCommand => ({
  v: 1,
  id,
  issuedAtMs: 1_000_000,
  validMs: 1_000,
  body: { kind: "metrics" },
  ...more,
});

test("a command is carried out and answered with what it gave", async () => {
  const { desk, replies } = makeDesk();
  desk.register("metrics", async () => ({ text: "up 1" }));
  desk.take(metrics("a"));
  await settled();
  expect(replies).toEqual([{ v: 1, commandId: "a", ok: true, result: { text: "up 1" } }]);
});

test("whatever comes how often, each command is done once and every arrival after that is answered alike", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }), async (arrivals) => {
      const { desk, replies } = makeDesk();
      const done: number[] = [];
      desk.register("metrics", async () => ({ n: done.push(1) }));
      for (const id of arrivals) {
        desk.take(metrics(`c${id}`));
        await settled();
      }
      expect(done.length).toBe(new Set(arrivals).size);
      expect(replies.length).toBe(arrivals.length);
      const texts = new Set(replies.map((reply) => JSON.stringify(reply)));
      expect(texts.size).toBe(done.length);
    }),
    { numRuns: 50 },
  );
});

test("an unknown kind is refused, and a fault of somebody else's never quoted", async () => {
  const { desk, replies } = makeDesk();
  desk.take(metrics("a"));
  desk.register("metrics", () => Promise.reject(new Error("rtsp://admin:hunter2@10.0.0.1")));
  desk.register("rotate_secret", () => Promise.reject(new EdgeError("SECRET_NOT_CHANGED", "no")));
  desk.take(metrics("b"));
  desk.take(metrics("c", { body: { kind: "rotate_secret" } }));
  await settled();
  expect(replies.map(({ code }) => code)).toEqual(["COMMAND_UNSUPPORTED", "INTERNAL", "SECRET_NOT_CHANGED"]);
  expect(JSON.stringify(replies)).not.toContain("hunter2");
});

test("a command that took too long on its way is not done, however wrong the clocks are", async () => {
  const { desk, replies, clock } = makeDesk();
  const done: string[] = [];
  desk.register("metrics", async () => ({ n: done.push("") }));
  clock.nowMs = 5_000;
  desk.take(metrics("quick", { issuedAtMs: 9_000_000_000 }));
  clock.nowMs = 8_000;
  desk.take(metrics("late", { issuedAtMs: 9_000_001_000 }));
  desk.take(metrics("in-time", { issuedAtMs: 9_000_002_500 }));
  await settled();
  expect(replies.map(({ ok, code }) => code ?? ok)).toEqual(["COMMAND_EXPIRED", true, true]);
  expect(done.length).toBe(2);
});

test("so many run at once, so many wait, one more is refused, and one that waited too long is not done", async () => {
  const { desk, replies, clock } = makeDesk({ maxRunning: 1, maxWaiting: 1 });
  let finish = (): void => {};
  desk.register("metrics", () => new Promise((resolve) => (finish = () => resolve({}))));
  for (const id of ["runs", "waits", "surplus"]) desk.take(metrics(id));
  clock.nowMs = 1_001;
  finish();
  await settled();
  expect(replies.map(({ commandId, code }) => [commandId, code])).toEqual([
    ["surplus", "COMMAND_QUEUE_FULL"],
    ["runs", undefined],
    ["waits", "COMMAND_EXPIRED"],
  ]);
});

test("closing ends what runs", async () => {
  const { desk } = makeDesk();
  desk.register(
    "metrics",
    (_body, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  );
  desk.take(metrics("a"));
  await expect(desk.close()).resolves.toBeUndefined();
});
