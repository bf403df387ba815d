import { describe, expect, it } from "vitest";
import { ServerClockEstimator } from "./server-clock.ts";

describe("ServerClockEstimator", () => {
  it("knows nothing before the first answer", () => {
    expect(new ServerClockEstimator().offsetMs).toBeNull();
  });

  it("takes the middle of the round trip as the moment of the answer", () => {
    const clock = new ServerClockEstimator();
    clock.add({ sentAtMs: 1_000, receivedAtMs: 1_040, serverTimeMs: 5_020 });
    expect(clock.offsetMs).toBe(4_000);
  });

  it("believes the shortest of the recent round trips", () => {
    const clock = new ServerClockEstimator();
    clock.add({ sentAtMs: 0, receivedAtMs: 10, serverTimeMs: 3_600_005 });
    clock.add({ sentAtMs: 1_000, receivedAtMs: 1_900, serverTimeMs: 3_601_800 });
    expect(clock.offsetMs).toBe(3_600_000);
  });

  it("follows a server whose clock was set, once the old samples have gone", () => {
    const clock = new ServerClockEstimator();
    clock.add({ sentAtMs: 0, receivedAtMs: 1, serverTimeMs: 0 });
    for (let i = 1; i <= 8; i++)
      clock.add({ sentAtMs: i * 1_000, receivedAtMs: i * 1_000 + 10, serverTimeMs: i * 1_000 + 60_005 });
    expect(clock.offsetMs).toBe(60_000);
  });

  it("ignores an answer that came before its question", () => {
    const clock = new ServerClockEstimator();
    clock.add({ sentAtMs: 10, receivedAtMs: 5, serverTimeMs: 0 });
    expect(clock.offsetMs).toBeNull();
  });
});
