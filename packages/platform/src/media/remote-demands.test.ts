import { BUS_DEMAND_LEASE_MS, type BusDemand, type Sampling, type StreamKey } from "@huishi/contracts";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RemoteDemands } from "./remote-demands.ts";

const ALL: Sampling = { kind: "all" };
const key = (cameraId: string): StreamKey => ({ cameraId, profile: "sub" });
const list = (member: string, cameras: readonly string[], sampling: Sampling = ALL): BusDemand => ({
  v: 1,
  member,
  part: 0,
  parts: 1,
  streams: cameras.map((cameraId) => ({ cameraId, profile: "sub", sampling })),
});

describe("RemoteDemands", () => {
  it("wants what any member wants, as much as the most demanding", () => {
    const demands = new RemoteDemands();
    demands.take(list("a", ["north"], { kind: "fps", fps: 5 }), 0);
    expect(demands.take(list("b", ["north"], { kind: "keyframes" }), 0).changed).toEqual([]);
    expect(demands.take(list("c", ["north"], ALL), 0).changed).toEqual([key("north")]);
    expect(demands.samplingOf(key("north"))).toEqual(ALL);
    expect(demands.take(list("c", []), 0).changed).toEqual([key("north")]);
    expect(demands.samplingOf(key("north"))).toEqual({ kind: "fps", fps: 5 });
  });

  it("says which streams are new to a member, once", () => {
    const demands = new RemoteDemands();
    demands.take(list("a", ["north"]), 0);
    expect(demands.take(list("b", ["north", "south"]), 0).joined).toEqual([key("north"), key("south")]);
    expect(demands.take(list("b", ["north", "south"]), 1).joined).toEqual([]);
  });

  it("forgets a member that is silent for a lease", () => {
    const demands = new RemoteDemands();
    demands.take(list("dead", ["north"]), 0);
    demands.take(list("alive", ["south"]), 1);
    expect(demands.expire(BUS_DEMAND_LEASE_MS - 1)).toEqual([]);
    expect(demands.expire(BUS_DEMAND_LEASE_MS)).toEqual([key("north")]);
    expect(demands.keys()).toEqual([key("south")]);
  });

  it("drops what a list in parts no longer names only when it is complete, and ignores parts out of order", () => {
    const demands = new RemoteDemands();
    const parts = (part: number, cameras: readonly string[]): BusDemand => ({
      ...list("a", cameras),
      part,
      parts: 2,
    });
    demands.take(parts(0, ["a"]), 0);
    demands.take(parts(1, ["b"]), 0);
    expect(demands.keys()).toEqual([key("a"), key("b")]);
    demands.take(parts(1, ["c"]), 0);
    demands.take(parts(0, ["d"]), 0);
    expect(demands.keys()).toEqual([key("a"), key("b"), key("d")]);
    demands.take(parts(1, ["b"]), 0);
    expect(demands.keys()).toEqual([key("d"), key("b")]);
  });

  it("changes tell the whole truth: who follows them knows what is wanted", () => {
    const members = fc.constantFrom("a", "b", "c");
    const cameras = fc.uniqueArray(fc.constantFrom("n", "s", "e", "w"), { maxLength: 4 });
    const sampling = fc.constantFrom<Sampling>(ALL, { kind: "keyframes" }, { kind: "fps", fps: 5 });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(members, cameras, sampling, fc.nat(20_000)), { maxLength: 20 }),
        (steps) => {
          const demands = new RemoteDemands();
          const followed = new Map<string, Sampling>();
          let nowMs = 0;
          const follow = (keys: readonly StreamKey[]): void => {
            for (const changed of keys) {
              const wanted = demands.samplingOf(changed);
              if (wanted) followed.set(changed.cameraId, wanted);
              else followed.delete(changed.cameraId);
            }
          };
          for (const [member, wanted, how, pauseMs] of steps) {
            nowMs += pauseMs;
            follow(demands.expire(nowMs));
            follow(demands.take(list(member, wanted, how), nowMs).changed);
            const truth = demands.keys().map((k) => [k.cameraId, demands.samplingOf(k)] as const);
            expect(new Map(followed)).toEqual(new Map(truth));
          }
        },
      ),
    );
  });
});
