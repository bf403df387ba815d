import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CameraFeed, FeedOptions, InferencePool } from "./ports.ts";
import { SharedPool } from "./shared-pool.ts";

const feedOptions = (cameraId: string): FeedOptions => ({
  cameraId,
  sampleFps: 5,
  onFrame: () => undefined,
  onDrop: () => undefined,
  onFault: () => undefined,
});

class FakePool implements InferencePool {
  closed = 0;

  open(): Promise<CameraFeed> {
    return Promise.resolve({
      push: () => undefined,
      snapshot: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    });
  }

  close(): Promise<void> {
    this.closed += 1;
    return Promise.resolve();
  }
}

describe("SharedPool", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it("starts the processes with the first camera and one time only", async () => {
    const start = vi.fn(() => Promise.resolve(new FakePool()));
    const shared = new SharedPool({ start, lingerMs: 1_000 });
    expect(start).not.toHaveBeenCalled();
    await Promise.all([shared.open(feedOptions("a")), shared.open(feedOptions("b"))]);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it("ends the processes a while after the last camera, not before", async () => {
    const pool = new FakePool();
    const shared = new SharedPool({ start: () => Promise.resolve(pool), lingerMs: 1_000 });
    const [a, b] = [await shared.open(feedOptions("a")), await shared.open(feedOptions("b"))];
    await a.close();
    await a.close();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(pool.closed).toBe(0);
    await b.close();
    await vi.advanceTimersByTimeAsync(900);
    expect(pool.closed).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(pool.closed).toBe(1);
  });

  it("goes on with the same processes when a camera comes back within the linger", async () => {
    const start = vi.fn(() => Promise.resolve(new FakePool()));
    const shared = new SharedPool({ start, lingerMs: 1_000 });
    await (await shared.open(feedOptions("a"))).close();
    await vi.advanceTimersByTimeAsync(900);
    await shared.open(feedOptions("a"));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(start).toHaveBeenCalledTimes(1);
  });

  it("tries anew after processes that could not start", async () => {
    const start = vi.fn(() => Promise.resolve(new FakePool()));
    start.mockRejectedValueOnce(new Error("the model is corrupt"));
    const shared = new SharedPool({ start, lingerMs: 1_000 });
    await expect(shared.open(feedOptions("a"))).rejects.toThrow("corrupt");
    await shared.open(feedOptions("a"));
    expect(start).toHaveBeenCalledTimes(2);
  });
});
