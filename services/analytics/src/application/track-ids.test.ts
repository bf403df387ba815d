import { describe, expect, it, vi } from "vitest";
import { TRACK_ID_BLOCK, TrackIds } from "./track-ids.ts";

describe("TrackIds", () => {
  it("counts up within its block", async () => {
    const ids = new TrackIds({ takeBlock: () => Promise.resolve(1) });
    await ids.prepare();
    expect([ids.take(), ids.take(), ids.take()]).toEqual([1, 2, 3]);
  });

  it("goes on in the next block without waiting, which may lie anywhere", async () => {
    const blocks = [1, 5 * TRACK_ID_BLOCK + 1];
    const takeBlock = vi.fn(() => Promise.resolve(blocks.shift() as number));
    const ids = new TrackIds({ takeBlock });
    await ids.prepare();
    for (let i = 0; i < TRACK_ID_BLOCK - 1; i++) ids.take();
    await Promise.resolve();
    expect([ids.take(), ids.take()]).toEqual([TRACK_ID_BLOCK, 5 * TRACK_ID_BLOCK + 1]);
    expect(takeBlock).toHaveBeenCalledTimes(2);
  });

  it("says so when the database gives no ids", async () => {
    const ids = new TrackIds({ takeBlock: () => Promise.reject(new Error("away")) });
    await expect(ids.prepare()).rejects.toThrow("away");
    expect(() => ids.take()).toThrow(expect.objectContaining({ code: "TRACK_IDS_EXHAUSTED" }));
  });

  it("takes one block however many ask at once", async () => {
    const takeBlock = vi.fn(() => Promise.resolve(1));
    const ids = new TrackIds({ takeBlock });
    await Promise.all([ids.prepare(), ids.prepare(), ids.prepare()]);
    expect(takeBlock).toHaveBeenCalledTimes(1);
  });
});
