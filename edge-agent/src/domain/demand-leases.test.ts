import type { MediaDemand } from "@huishi/contracts";
import { ManualClock } from "@huishi/kernel";
import { describe, expect, test } from "vitest";
import { DemandLeases } from "./demand-leases.ts";

const START = 1_000_000;
const demand = (issuedAtMs: number, ...profiles: ("main" | "sub")[]): MediaDemand => ({
  v: 1,
  issuedAtMs,
  streams: profiles.map((profile) => ({ profile, leaseMs: 30_000 })),
});

describe("DemandLeases", () => {
  test("a demand holds for its lease and the linger, then ends by itself", () => {
    const clock = new ManualClock(START);
    const leases = new DemandLeases(5_000);
    leases.apply("gate", demand(START, "sub"), clock.nowMs(), false);
    expect(leases.wanted(clock.nowMs())).toEqual({
      streams: [{ cameraId: "gate", profile: "sub", sampling: { kind: "all" } }],
      nextEndMs: START + 35_000,
    });
    clock.advance(34_999);
    expect(leases.wanted(clock.nowMs()).streams).toHaveLength(1);
    clock.advance(1);
    expect(leases.wanted(clock.nowMs())).toEqual({ streams: [], nextEndMs: null });
  });

  test("renewal goes on without a gap", () => {
    const clock = new ManualClock(START);
    const leases = new DemandLeases(5_000);
    for (let i = 0; i < 20; i++) {
      leases.apply("gate", demand(clock.nowMs(), "main"), clock.nowMs(), false);
      clock.advance(10_000);
      expect(leases.wanted(clock.nowMs()).streams).toHaveLength(1);
    }
  });

  test("an empty demand, or none, ends a stream after the linger; a flick back costs nothing", () => {
    const clock = new ManualClock(START);
    const leases = new DemandLeases(5_000);
    leases.apply("gate", demand(START, "main", "sub"), clock.nowMs(), false);
    leases.apply("gate", demand(START, "sub"), clock.nowMs(), false);
    clock.advance(4_999);
    expect(leases.wanted(clock.nowMs()).streams).toHaveLength(2);
    clock.advance(1);
    expect(leases.wanted(clock.nowMs()).streams).toMatchObject([{ cameraId: "gate", profile: "sub" }]);
    leases.apply("gate", null, clock.nowMs(), false);
    clock.advance(5_000);
    expect(leases.wanted(clock.nowMs()).streams).toEqual([]);
  });

  test("a demand that was retained long ago starts nothing", () => {
    const leases = new DemandLeases();
    leases.apply("gate", demand(START - 30_000, "main"), START, true);
    leases.apply("yard", demand(START - 29_000, "main"), START, true);
    expect(leases.wanted(START).streams).toMatchObject([{ cameraId: "yard", profile: "main" }]);
  });

  test("a centre whose clock is behind ours can still demand", () => {
    const leases = new DemandLeases();
    leases.apply("gate", demand(START - 3_600_000, "main"), START, false);
    expect(leases.wanted(START).streams).toHaveLength(1);
  });
});
