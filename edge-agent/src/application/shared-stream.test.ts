import { ManualClock } from "@huishi/kernel";
import { describe, expect, test, vi } from "vitest";
import type { CapturedUnit, FrameSource, SourceUnit, StreamConsumer } from "./ports.ts";
import { type Attachment, SharedStream } from "./shared-stream.ts";

const log = { info: () => undefined, warn: () => undefined, error: vi.fn() };

const unit = (keyframe: boolean, ptsMs: number): SourceUnit => ({
  codec: "h264",
  annexB: Uint8Array.of(0, 0, 0, 1, keyframe ? 0x65 : 0x41),
  keyframe,
  disposable: false,
  changed: false,
  ptsMs,
});

/** A source that a test plays by hand. */
class HandSource implements FrameSource {
  runs = 0;
  #give: ((units: readonly SourceUnit[]) => void) | null = null;
  #fail: ((error: Error) => void) | null = null;

  run(signal: AbortSignal, onUnits: (units: readonly SourceUnit[]) => void): Promise<void> {
    this.runs += 1;
    this.#give = onUnits;
    return new Promise((_, reject) => {
      this.#fail = reject;
      signal.addEventListener("abort", () => reject(signal.reason as Error));
    });
  }
  give(...units: SourceUnit[]): void {
    this.#give?.(units);
  }
  fail(): void {
    this.#fail?.(new Error("cut"));
  }
}

function start(source: FrameSource, lingerMs = 20) {
  const stop = new AbortController();
  const told: string[] = [];
  const stream = new SharedStream({
    cameraId: "gate",
    source,
    clock: new ManualClock(1_000_000),
    log,
    signal: stop.signal,
    lingerMs,
    events: {
      onFlowing: () => told.push("flowing"),
      onStopped: () => told.push("stopped"),
      onEnded: () => told.push("ended"),
      onFailed: () => told.push("failed"),
    },
    retry: { baseDelayMs: 1, maxDelayMs: 1, healthyAfterMs: 1_000 },
  });
  return { stream, told, stop };
}

function consumer(): StreamConsumer & { units: CapturedUnit[]; interruptions: number } {
  const seen = {
    units: [] as CapturedUnit[],
    interruptions: 0,
    onUnit: (one: CapturedUnit) => void seen.units.push(one),
    onInterrupted: () => void (seen.interruptions += 1),
  };
  return seen;
}
const attachment = (who: StreamConsumer): Attachment => ({ profile: "sub", purpose: "live", consumer: who });

describe("a shared stream", () => {
  test("is opened once for all, and gives a joiner the group of pictures that runs", async () => {
    const source = new HandSource();
    const { stream } = start(source);
    const [first, second] = [consumer(), consumer()];
    stream.attach(attachment(first));
    source.give(unit(true, 0), unit(false, 40), unit(true, 80), unit(false, 120));
    stream.attach(attachment(second));
    source.give(unit(false, 160));
    expect(source.runs).toBe(1);
    expect(first.units.map(({ ptsMs }) => ptsMs)).toEqual([0, 40, 80, 120, 160]);
    expect(second.units.map(({ ptsMs }) => ptsMs)).toEqual([80, 120, 160]);
    expect(stream.statistics).toMatchObject({ pictures: 5, keyframes: 2, connections: 1 });
    await stream.stop();
  });

  test("ends a linger after its last consumer, not before", async () => {
    const { stream, told } = start(new HandSource());
    const [first, second] = [attachment(consumer()), attachment(consumer())];
    stream.attach(first);
    stream.detach(first);
    stream.attach(second);
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(stream.hasEnded).toBe(false);
    stream.detach(second);
    await vi.waitFor(() => expect(told).toEqual(["ended"]));
    await stream.stop();
  });

  test("tells of an interruption and begins anew at a keyframe, without the old group", async () => {
    const source = new HandSource();
    const { stream, told } = start(source);
    const first = consumer();
    stream.attach(attachment(first));
    source.give(unit(true, 0));
    source.fail();
    await vi.waitFor(() => expect(source.runs).toBe(2));
    const late = consumer();
    stream.attach(attachment(late));
    expect(late.units).toEqual([]);
    source.give(unit(true, 0));
    expect(first.interruptions).toBe(1);
    expect(first.units.map(({ unitNumber }) => unitNumber)).toEqual([0, 0]);
    expect(told).toEqual(["flowing", "stopped", "flowing"]);
    await stream.stop();
  });

  test("tells of no fault when the agent stops", async () => {
    const source = new HandSource();
    const { stream, told, stop } = start(source);
    const only = consumer();
    stream.attach(attachment(only));
    source.give(unit(true, 0));
    stop.abort(new Error("the agent stops"));
    await vi.waitFor(() => expect(only.interruptions).toBe(1));
    expect(told).toEqual(["flowing"]);
    await stream.stop();
  });

  test("detaches a consumer that throws; the others never notice", async () => {
    const source = new HandSource();
    const { stream } = start(source);
    const good = consumer();
    const bad = vi.fn(() => {
      throw new Error("broken");
    });
    stream.attach(attachment({ onUnit: bad }));
    stream.attach(attachment(good));
    source.give(unit(true, 0), unit(false, 40));
    expect(bad).toHaveBeenCalledTimes(1);
    expect(good.units).toHaveLength(2);
    expect(log.error).toHaveBeenCalledTimes(1);
    // A joiner that fails is not tried again with every picture of the group.
    stream.attach(attachment({ onUnit: bad }));
    expect(bad).toHaveBeenCalledTimes(2);
    await stream.stop();
  });
});
