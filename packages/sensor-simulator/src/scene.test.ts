import { ManualClock } from "@huishi/kernel";
import { expect, test } from "vitest";
import { play } from "./play.ts";
import { SCENES, valuesAt } from "./scene.ts";

test("between two moments a value goes straight, a switch jumps, and the scene begins anew", () => {
  expect(valuesAt(SCENES.road_flood, 35_000)).toEqual({ depth_cm: 16.5, rain_mm_h: 57.5 });
  expect(valuesAt(SCENES.manhole, 20_999).open).toBe(0);
  expect(valuesAt(SCENES.manhole, 21_000)).toEqual({ tilt_deg: 62, open: 1 });
  expect(valuesAt(SCENES.manhole, 60_000 + 21_000)).toEqual({ tilt_deg: 62, open: 1 });
});

test("a message that cannot be sent is told, and the scene goes on", async () => {
  const stop = new AbortController();
  const failures: unknown[] = [];
  const sent: number[] = [];
  const clock = new ManualClock(1_000);
  await play(
    {
      scene: SCENES.tide,
      intervalMs: 1,
      clock,
      onFailure: (error) => failures.push(error),
      sender: {
        send: (_values, atMs) => {
          clock.advance(1_000);
          sent.push(atMs);
          if (sent.length === 3) stop.abort();
          return sent.length === 1 ? Promise.reject(new Error("away")) : Promise.resolve();
        },
      },
    },
    stop.signal,
  );
  expect([sent, failures.length]).toEqual([[1_000, 2_000, 3_000], 1]);
});
