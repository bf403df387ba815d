import type { AgentSensor } from "@huishi/contracts";
import fc from "fast-check";
import { expect, test } from "vitest";
import { limit, manhole, NOON, only } from "../../test-support/sensors.ts";
import { planSensor, planSensors } from "./sensor-plan.ts";
import { SensorState } from "./sensor-state.ts";

const stream = manhole().datastreams[0] as AgentSensor["datastreams"][number];
const stateOf = (change: Partial<AgentSensor> = {}): SensorState =>
  new SensorState(planSensor(manhole(change)), NOON);
const health = (events: ReturnType<SensorState["tick"]>): string[] =>
  only(events, "sensor_health").map(({ condition, code }) => [condition, code].filter(Boolean).join(" "));

test("a value becomes an observation in the stored unit, and the sensor is online", () => {
  const state = stateOf({
    datastreams: [{ ...stream, sourceUnit: "rad", pointer: "/d/0/t", scale: 0.01, offset: 0, unit: "deg" }],
  });
  const events = state.takeDocument({ d: [{ t: "157.07963268" }] }, NOON);
  expect(only(events, "observation")).toEqual([
    expect.objectContaining({
      observedProperty: "tilt",
      unit: "deg",
      value: expect.closeTo(90, 6),
      capturedAtMs: NOON,
    }),
  ]);
  expect(health(events)).toEqual(["online"]);
});

test("a value outside the range is a fault and no observation, until three in a row are within", () => {
  const state = stateOf({ thresholds: [limit()] });
  const bad = state.takeDocument({ tilt: 999 }, NOON);
  expect(only(bad, "observation")).toEqual([]);
  expect(only(bad, "sensor_alarm")).toEqual([]);
  expect(health(bad)).toEqual(["fault SENSOR_OUT_OF_RANGE"]);
  const told = [1, 2, 999, 3, 4, 5].flatMap((tilt, i) => health(state.takeDocument({ tilt }, NOON + i)));
  expect(told).toEqual(["online"]);
  expect(state.counters).toMatchObject({ outOfRange: 2, observations: 5 });
});

test("three expected intervals of silence are offline; the next value is online", () => {
  const state = stateOf({ datastreams: [{ ...stream, expectedIntervalMs: 10_000 }] });
  state.takeDocument({ tilt: 1 }, NOON);
  expect(health(state.tick(NOON + 30_000))).toEqual([]);
  expect(health(state.tick(NOON + 30_001))).toEqual(["offline SENSOR_SILENT"]);
  expect(health(state.tick(NOON + 40_000))).toEqual([]);
  expect(health(state.takeDocument({ tilt: 1 }, NOON + 41_000))).toEqual(["online"]);
});

test("a sensor that never spoke is offline after three intervals, and unknown without one", () => {
  expect(
    health(stateOf({ datastreams: [{ ...stream, expectedIntervalMs: 1_000 }] }).tick(NOON + 3_001)),
  ).toEqual(["offline SENSOR_SILENT"]);
  expect(health(stateOf().tick(NOON + 86_400_000))).toEqual([]);
});

test("small changes are told only when the interval has passed, and alarms take their value with them", () => {
  const state = stateOf({
    datastreams: [{ ...stream, deadband: 5, expectedIntervalMs: 60_000 }],
    thresholds: [limit()],
  });
  const told = (tilt: number, afterMs: number): number[] =>
    only(state.takeDocument({ tilt }, NOON + afterMs), "observation").map(({ value }) => value);
  expect([told(10, 0), told(14, 1_000), told(16, 2_000), told(17, 3_000), told(17, 62_000)]).toEqual([
    [10],
    [],
    [16],
    [],
    [17],
  ]);
  expect(state.counters.withinDeadband).toBe(2);
});

test("the same time and value again is the same observation", () => {
  const state = stateOf({ timePointer: "/at" });
  const message = { tilt: 3, at: NOON - 1_000 };
  expect(only(state.takeDocument(message, NOON), "observation")).toHaveLength(1);
  expect(only(state.takeDocument(message, NOON + 5), "observation")).toHaveLength(0);
  expect(only(state.takeDocument({ ...message, tilt: 4 }, NOON + 6), "observation")).toHaveLength(1);
  expect(state.counters.duplicates).toBe(1);
});

test("what comes late is stored with its time and decides nothing", () => {
  const state = stateOf({ timePointer: "/at", thresholds: [limit()] });
  state.takeDocument({ tilt: 3, at: NOON }, NOON);
  const late = state.takeDocument({ tilt: 60, at: NOON - 60_000 }, NOON + 1_000);
  expect(only(late, "observation")).toEqual([
    expect.objectContaining({ value: 60, capturedAtMs: NOON - 60_000 }),
  ]);
  expect(only(late, "sensor_alarm")).toEqual([]);
});

test("a clock that was set back does not silence the limits: three values in a row decide again", () => {
  const state = stateOf({ timePointer: "/at", thresholds: [limit()] });
  state.takeDocument({ tilt: 3, at: NOON }, NOON);
  const behind = [1, 2, 3].flatMap((second) =>
    only(
      state.takeDocument({ tilt: 60, at: NOON - 7_200_000 + second * 1_000 }, NOON + second * 1_000),
      "sensor_alarm",
    ),
  );
  expect(behind).toEqual([expect.objectContaining({ active: true, capturedAtMs: NOON - 7_197_000 })]);
});

test("a message without a time says nothing of a clock that is behind", () => {
  const state = stateOf({ timePointer: "/at", thresholds: [limit()] });
  state.takeDocument({ tilt: 3, at: NOON - 600_000 }, NOON);
  state.takeDocument({ tilt: 3 }, NOON + 1_000);
  const next = state.takeDocument({ tilt: 60, at: NOON - 598_000 }, NOON + 2_000);
  expect(only(next, "sensor_alarm")).toHaveLength(1);
});

test("a wrong clock is counted, and the value stands at the time when it came", () => {
  const state = stateOf({ timePointer: "/at" });
  const events = state.takeDocument({ tilt: 3, at: "2099-01-01T00:00:00Z" }, NOON);
  expect(only(events, "observation")[0]?.capturedAtMs).toBe(NOON);
  expect(state.counters.timesReplaced).toBe(1);
});

test("a message without any mapped number is a fault until three are good", () => {
  const state = stateOf();
  expect(health(state.takeDocument({ other: 1 }, NOON))).toEqual(["fault SENSOR_PAYLOAD_INVALID"]);
  const told = [1, 2, 3].flatMap((tilt) => health(state.takeDocument({ tilt }, NOON)));
  expect(told).toEqual(["online"]);
});

test("a removed sensor ends its alarms; a threshold that stays does not", () => {
  const state = stateOf({ thresholds: [limit(), limit({ id: "far", limit: 40 })] });
  state.takeDocument({ tilt: 60 }, NOON);
  const ended = only(
    state.retire(NOON + 5, (id) => id === "far"),
    "sensor_alarm",
  );
  expect(ended).toEqual([
    expect.objectContaining({ thresholdId: "tilted", active: false, capturedAtMs: NOON + 5 }),
  ]);
});

test("whatever JSON comes, nothing is thrown and nothing unsound is told", () => {
  const state = stateOf({ timePointer: "/at", thresholds: [limit({ clearAt: 5, holdMs: 100 })] });
  let nowMs = NOON;
  fc.assert(
    fc.property(
      fc.oneof(fc.jsonValue(), fc.record({ tilt: fc.jsonValue(), at: fc.jsonValue() })),
      fc.nat(1_000),
      (document, gapMs) => {
        nowMs += gapMs;
        for (const event of [...state.takeDocument(document, nowMs), ...state.tick(nowMs)]) {
          expect(Number.isInteger(event.capturedAtMs)).toBe(true);
          if (event.type === "observation") expect(Math.abs(event.value)).toBeLessThanOrEqual(180);
        }
      },
    ),
    { numRuns: 500 },
  );
});

const refusals: [what: string, change: Partial<AgentSensor>, code: string][] = [
  ["an unknown unit", { datastreams: [{ ...stream, unit: "cubit" }] }, "UNIT_UNKNOWN"],
  ["units that do not fit", { datastreams: [{ ...stream, sourceUnit: "kPa" }] }, "UNIT_MISMATCH"],
  ["a pointer that is none", { datastreams: [{ ...stream, pointer: "tilt" }] }, "SENSOR_CONFIG_INVALID"],
  ["a property twice", { datastreams: [stream, stream] }, "SENSOR_CONFIG_INVALID"],
  ["a limit of nothing", { thresholds: [limit({ observedProperty: "heat" })] }, "SENSOR_CONFIG_INVALID"],
  ["a limit cleared while it holds", { thresholds: [limit({ clearAt: 20 })] }, "SENSOR_CONFIG_INVALID"],
  ["a topic with #", { source: { kind: "mqtt", topic: "a/#" } }, "SENSOR_CONFIG_INVALID"],
  [
    "a Modbus sensor without registers",
    { source: { kind: "modbus_tcp", host: "plc" } },
    "SENSOR_CONFIG_INVALID",
  ],
  [
    "bits in a register",
    {
      source: { kind: "modbus_tcp", host: "plc" },
      datastreams: [
        {
          observedProperty: "open",
          unit: "1",
          register: { table: "holding_register", address: 0, type: "bit" },
        },
      ],
    },
    "SENSOR_CONFIG_INVALID",
  ],
];
test.each(refusals)("%s refuses the configuration", (_what, change, code) => {
  expect(() => planSensor(manhole(change))).toThrow(expect.objectContaining({ code }));
});

test("an id twice refuses the configuration", () => {
  expect(() => planSensors([manhole(), manhole()])).toThrow(
    expect.objectContaining({ code: "SENSOR_CONFIG_INVALID" }),
  );
});
