import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UplinkBudget } from "./uplink-budget.ts";

interface Source {
  readonly id: string;
  readonly bytesPerS: number;
  readonly gop: number;
  readonly fps: number;
}

interface Sent {
  readonly id: string;
  readonly atMs: number;
  readonly bytes: number;
  readonly group: number;
}

/** Plays sources against a budget; keyframes are ten times as large as the other pictures. */
function play(budget: UplinkBudget, sources: readonly Source[], seconds: number) {
  const sent: Sent[] = [];
  const offered = new Map<string, number>();
  for (let ms = 0; ms < seconds * 1000; ms += 40) {
    for (const { id, bytesPerS, gop, fps } of sources) {
      const step = 1000 / fps;
      if (Math.floor(ms / step) === Math.floor((ms - 40) / step)) continue;
      const n = Math.floor(ms / step);
      const unit = ((bytesPerS / fps) * gop) / (gop + 9);
      const keyframe = n % gop === 0;
      const bytes = Math.round(keyframe ? unit * 10 : unit);
      offered.set(id, (offered.get(id) ?? 0) + bytes);
      if (budget.admit(id, { keyframe, bytes }, ms))
        sent.push({ id, atMs: ms, bytes, group: Math.floor(n / gop) });
    }
  }
  const bytesOf = (id: string, fromMs = 0) =>
    sent.filter((one) => one.id === id && one.atMs >= fromMs).reduce((sum, { bytes }) => sum + bytes, 0);
  return { sent, offered, bytesOf };
}

const source = (id: string, bytesPerS: number): Source => ({ id, bytesPerS, gop: 25, fps: 25 });

describe("UplinkBudget", () => {
  test("without a ceiling admits everything", () => {
    const { sent, offered, bytesOf } = play(new UplinkBudget(), [source("a", 1e6)], 5);
    expect(sent.length).toBeGreaterThan(100);
    expect(bytesOf("a")).toBe(offered.get("a"));
  });

  test("over any time never sends more than the ceiling and one burst", () => {
    const rates = fc.array(fc.integer({ min: 10_000, max: 2_000_000 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(
        rates,
        fc.integer({ min: 500_000, max: 8_000_000 }),
        fc.integer({ min: 1, max: 50 }),
        (list, bits, gop) => {
          const sources = list.map((bytesPerS, i) => ({ id: `s${i}`, bytesPerS, gop, fps: 25 }));
          const { sent } = play(new UplinkBudget(bits), sources, 12);
          const largest = Math.max(0, ...sent.map(({ bytes }) => bytes));
          for (const windowMs of [200, 1_000, 5_000]) {
            let first = 0;
            let inWindow = 0;
            for (const one of sent) {
              inWindow += one.bytes;
              while ((sent[first] as Sent).atMs < one.atMs - windowMs)
                inWindow -= (sent[first++] as Sent).bytes;
              expect(inWindow).toBeLessThanOrEqual((bits / 8) * (2 + windowMs / 1000) + largest + 1);
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  test("gives equal streams equal parts, and uses the link", () => {
    const names = ["a", "b", "c", "d"];
    const { bytesOf } = play(
      new UplinkBudget(4_000_000),
      names.map((id) => source(id, 400_000)),
      60,
    );
    const parts = names.map((id) => bytesOf(id, 10_000));
    expect(Math.max(...parts) / Math.min(...parts)).toBeLessThan(1.35);
    expect(parts.reduce((a, b) => a + b)).toBeGreaterThan(500_000 * 50 * 0.75);
  });

  test("lets a small stream through whole beside greedy ones", () => {
    const { offered, bytesOf } = play(
      new UplinkBudget(4_000_000),
      [source("small", 40_000), source("a", 800_000), source("b", 800_000)],
      60,
    );
    expect(bytesOf("small") / (offered.get("small") as number)).toBeGreaterThan(0.9);
  });

  test("sends whole groups of pictures, and leaves out whole ones", () => {
    const { sent } = play(new UplinkBudget(1_600_000), [source("a", 400_000)], 60);
    const perGroup = new Map<number, number>();
    for (const { group, atMs } of sent)
      if (atMs > 10_000) perGroup.set(group, (perGroup.get(group) ?? 0) + 1);
    const whole = [...perGroup.values()].filter((count) => count === 25).length;
    expect(perGroup.size).toBeLessThan(40);
    expect(whole / perGroup.size).toBeGreaterThan(0.9);
  });

  test("uploads take what live pictures leave, and are never starved", () => {
    const upload = (live: readonly Source[]): number => {
      const budget = new UplinkBudget(4_000_000);
      let bytes = 0;
      for (let ms = 0; ms < 20_000; ms += 40) {
        for (const { id, bytesPerS } of live) budget.admit(id, { keyframe: true, bytes: bytesPerS / 25 }, ms);
        while (budget.takeUpload(4_000, ms) === 0) bytes += 4_000;
      }
      return bytes / 20 / 500_000;
    };
    expect(upload([])).toBeGreaterThan(0.9);
    expect(upload([source("a", 5_000_000)])).toBeLessThan(0.25);
    expect(upload([source("a", 5_000_000)])).toBeGreaterThan(0.05);
  });

  test("lets what is larger than a burst through, once a burst is saved up", () => {
    const budget = new UplinkBudget(64_000);
    let uploads = 0;
    let keyframes = 0;
    for (let ms = 0; ms < 120_000; ms += 100) {
      if (budget.takeUpload(65_536, ms) === 0) uploads += 1;
      if (ms % 2_000 === 0 && budget.admit("a", { keyframe: true, bytes: 40_000 }, ms)) keyframes += 1;
    }
    expect(uploads).toBeGreaterThan(0);
    expect(keyframes).toBeGreaterThan(0);
    expect(uploads * 65_536 + keyframes * 40_000).toBeLessThan(8_000 * 122 + 65_536);
  });

  test("gives a stream that nobody wants any longer to the others", () => {
    const budget = new UplinkBudget(4_000_000);
    const both = play(budget, [source("a", 500_000), source("b", 500_000)], 20).bytesOf("a", 10_000);
    budget.forget("b");
    const alone = play(new UplinkBudget(4_000_000), [source("a", 500_000)], 20).bytesOf("a", 10_000);
    expect(alone).toBeGreaterThan(both * 1.5);
  });
});
