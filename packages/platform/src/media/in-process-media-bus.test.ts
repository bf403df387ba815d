import type { AccessUnit } from "@huishi/contracts";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { MAX_GROUP_BYTES } from "./group-of-pictures.ts";
import { InProcessMediaBus } from "./in-process-media-bus.ts";

const KEY = { cameraId: "north", profile: "sub" } as const;
const unit = (unitNumber: number, more: Partial<AccessUnit> = {}): AccessUnit => ({
  codec: "h264",
  keyframe: false,
  discontinuity: false,
  unitNumber,
  capturedAtMs: unitNumber * 40,
  ptsMs: unitNumber * 40,
  data: new Uint8Array(10),
  ...more,
});

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const collect = (bus: InProcessMediaBus): { numbers: number[]; leave: () => void } => {
  const numbers: number[] = [];
  return { numbers, leave: bus.subscribe(KEY, (got) => numbers.push(got.unitNumber)) };
};

test("a newcomer is given the current group of pictures, then what follows", () => {
  const bus = new InProcessMediaBus();
  const first = collect(bus);
  [unit(0), unit(1, { keyframe: true }), unit(2), unit(3, { keyframe: true }), unit(4)].forEach((u) =>
    bus.publish(KEY, u),
  );
  const second = collect(bus);
  bus.publish(KEY, unit(5));
  expect(first.numbers).toEqual([0, 1, 2, 3, 4, 5]);
  expect(second.numbers).toEqual([3, 4, 5]);
});

test.each([
  ["a gap", unit(2, { discontinuity: true })],
  ["too many bytes", unit(2, { data: new Uint8Array(MAX_GROUP_BYTES) })],
  ["too long a time", unit(2, { capturedAtMs: 60_000 })],
])("%s drops the group: a newcomer waits for the next keyframe", (_, breaker) => {
  const bus = new InProcessMediaBus();
  collect(bus);
  [unit(1, { keyframe: true }), breaker, unit(3)].forEach((u) => bus.publish(KEY, u));
  expect(collect(bus).numbers).toEqual([]);
  expect(bus.stats().cachedBytes).toBe(0);
});

test("the first subscriber is the demand, the last one that leaves ends it after a linger", () => {
  const bus = new InProcessMediaBus({ lingerMs: 5_000 });
  const said: string[] = [];
  bus.onDemand((key, wanted) => said.push(`${key.cameraId}/${key.profile} ${wanted}`));
  const one = collect(bus);
  const two = collect(bus);
  one.leave();
  two.leave();
  two.leave();
  vi.advanceTimersByTime(4_999);
  expect(bus.demands()).toEqual([KEY]);
  const three = collect(bus);
  vi.advanceTimersByTime(60_000);
  expect(said).toEqual(["north/sub true"]);
  three.leave();
  vi.advanceTimersByTime(5_000);
  expect(said).toEqual(["north/sub true", "north/sub false"]);
  expect(bus.demands()).toEqual([]);
});

test("a listener that throws disturbs no other and is counted", () => {
  const bus = new InProcessMediaBus();
  bus.onDemand(() => {
    throw new Error("demand");
  });
  bus.subscribe(KEY, () => {
    throw new Error("unit");
  });
  const other = collect(bus);
  bus.publish(KEY, unit(1, { keyframe: true }));
  expect(other.numbers).toEqual([1]);
  expect(bus.stats().listenerFaults).toBe(2);
});

test("units that nobody wants are counted and not kept", () => {
  const bus = new InProcessMediaBus();
  bus.publish(KEY, unit(1, { keyframe: true }));
  expect(collect(bus).numbers).toEqual([]);
  expect(bus.stats().unwantedUnits).toBe(1);
});

test("scenes go to the listeners of their camera", () => {
  const bus = new InProcessMediaBus();
  const seen: number[] = [];
  const leave = bus.subscribeScenes("north", (scene) => seen.push(scene.capturedAtMs));
  bus.publishScene({ cameraId: "north", capturedAtMs: 1, tracks: [] });
  bus.publishScene({ cameraId: "south", capturedAtMs: 2, tracks: [] });
  leave();
  bus.publishScene({ cameraId: "north", capturedAtMs: 3, tracks: [] });
  expect(seen).toEqual([1]);
});

test("wants as much of a stream as its most demanding subscriber, and tells when that changes", () => {
  const bus = new InProcessMediaBus();
  const said: string[] = [];
  bus.onDemand((key) => said.push(bus.samplingOf(key).kind));
  const leaveFirst = bus.subscribe(KEY, () => undefined, { kind: "keyframes" });
  bus.subscribe(KEY, () => undefined, { kind: "keyframes" });
  const leaveWall = bus.subscribe(KEY, () => undefined);
  leaveFirst();
  leaveWall();
  expect(said).toEqual(["keyframes", "all", "keyframes"]);
});
