import { describe, expect, it } from "vitest";
import { EventBroker } from "./event-broker.ts";

function make() {
  let nowMs = 0;
  let ids = 0;
  const broker = new EventBroker(
    () => nowMs,
    () => `s${++ids}`,
  );
  const signal = new AbortController().signal;
  return { broker, signal, later: (ms: number) => (nowMs += ms) };
}

describe("pull points", () => {
  it("begin with the present state and then tell each change once", async () => {
    const { broker, signal } = make();
    const { id } = broker.subscribe(60_000) as { id: string };
    broker.setMotion(true);
    broker.setMotion(true);
    const pulled = await broker.pull(id, 10, 0, signal);
    expect(pulled?.events.map((event) => [event.operation, event.isMotion])).toEqual([
      ["Initialized", false],
      ["Changed", true],
    ]);
    expect((await broker.pull(id, 10, 0, signal))?.events).toEqual([]);
  });

  it("wake a waiting poll at once", async () => {
    const { broker, signal } = make();
    const { id } = broker.subscribe(60_000) as { id: string };
    await broker.pull(id, 10, 0, signal);
    const waiting = broker.pull(id, 10, 60_000, signal);
    broker.setMotion(true);
    expect((await waiting)?.events).toHaveLength(1);
  });

  it("end a waiting poll when the client goes away, and keep the events for the next", async () => {
    const { broker } = make();
    const { id } = broker.subscribe(60_000) as { id: string };
    const gone = new AbortController();
    await broker.pull(id, 10, 0, gone.signal);
    const waiting = broker.pull(id, 10, 60_000, gone.signal);
    gone.abort();
    expect((await waiting)?.events).toEqual([]);
    broker.setMotion(true);
    expect((await broker.pull(id, 10, 0, new AbortController().signal))?.events).toHaveLength(1);
  });

  it("expire unless renewed, are limited in number, and forget the oldest of too many events", async () => {
    const { broker, signal, later } = make();
    const { id } = broker.subscribe(60_000) as { id: string };
    later(50_000);
    expect(broker.renew(id, 60_000)).toBe(110_000);
    later(50_000);
    expect(broker.size).toBe(1);
    for (let change = 0; change < 500; change++) broker.setMotion(change % 2 === 0);
    expect((await broker.pull(id, 1000, 0, signal))?.events.length).toBe(200);
    later(20_000);
    expect(await broker.pull(id, 10, 0, signal)).toBeUndefined();
    for (let count = 0; count < 16; count++) expect(broker.subscribe(60_000)).toBeDefined();
    expect(broker.subscribe(60_000)).toBeUndefined();
  });
});
