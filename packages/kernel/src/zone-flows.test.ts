import fc from "fast-check";
import { expect, test } from "vitest";
import { flowsOf } from "./zone-flows.ts";

const visit = (zoneNo: number, enteredAtMs: number, leftAtMs: number) => ({ zoneNo, enteredAtMs, leftAtMs });
const ways = (...visits: ReturnType<typeof visit>[]): string[] =>
  flowsOf(visits).map(
    ({ fromZoneNo, toZoneNo, gapMs, isDirect }) =>
      `${fromZoneNo}>${toZoneNo} ${gapMs}${isDirect ? "" : " via others"}`,
  );

test("a way through three zones leads from each to every later one, and says which were passed between", () => {
  expect(ways(visit(3, 900, 1_000), visit(1, 0, 100), visit(2, 400, 500))).toEqual([
    "1>2 300",
    "1>3 800 via others",
    "2>3 400",
  ]);
});

test("to and fro is counted each time, and a return begins anew", () => {
  expect(ways(visit(1, 0, 10), visit(2, 20, 30), visit(1, 40, 50), visit(2, 60, 70))).toEqual([
    "1>2 10",
    "2>1 10",
    "1>2 10",
  ]);
});

test("zones that overlap have no gap; what was entered in one moment is no way", () => {
  expect(ways(visit(1, 0, 500), visit(2, 100, 300))).toEqual(["1>2 0"]);
  expect(ways(visit(1, 0, 500), visit(2, 0, 300), visit(3, 600, 700))).toEqual(["1>3 100", "2>3 300"]);
  expect(ways(visit(1, 0, 10), visit(1, 20, 30))).toEqual([]);
});

test("every visit but those of the last moment leads somewhere or is returned to; no way leads to itself or back in time", () => {
  const anyVisit = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.nat(1_000), fc.nat(200))
    .map(([zoneNo, at, stay]) => visit(zoneNo, at, at + stay));
  fc.assert(
    fc.property(fc.array(anyVisit, { maxLength: 40 }), (visits) => {
      const entered = new Map<number, Set<number>>();
      for (const { zoneNo, enteredAtMs } of visits) {
        entered.set(zoneNo, (entered.get(zoneNo) ?? new Set()).add(enteredAtMs));
      }
      for (const flow of flowsOf(visits)) {
        expect(flow.fromZoneNo).not.toBe(flow.toZoneNo);
        expect(flow.gapMs).toBeGreaterThanOrEqual(0);
        expect(entered.get(flow.toZoneNo)?.has(flow.arrivedAtMs)).toBe(true);
        expect([...(entered.get(flow.fromZoneNo) ?? [])].some((at) => at < flow.arrivedAtMs)).toBe(true);
      }
    }),
  );
});
