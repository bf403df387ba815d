import type { HuishiError } from "@huishi/kernel";
import { createAgent, type TestDatabase, testDatabase, until } from "@huishi/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { PostgresSensorReadings } from "./sensor-readings.ts";

let database: TestDatabase;
let readings: PostgresSensorReadings;
let no: string;
const faults: HuishiError[] = [];

beforeEach(async () => {
  database = await testDatabase();
  const agent = await createAgent(database.pool);
  await database.pool.query("INSERT INTO sensor (id, agent_id, name) VALUES ('water-1', $1, 'water')", [
    agent.id,
  ]);
  const { rows } = await database.pool.query<{ no: number }>(
    "INSERT INTO datastream (sensor_id, observed_property, unit) VALUES ('water-1', 'level', 'm') RETURNING no",
  );
  no = String(rows[0]?.no);
  readings = new PostgresSensorReadings({ pool: database.pool, onFault: (error) => faults.push(error) });
});
afterEach(() => database.drop());

const measure = (value: number, atMs: number) =>
  database.pool.query(
    "UPDATE datastream SET last_value = $1, last_at = to_timestamp($2 / 1000.0) WHERE no = $3",
    [value, atMs, no],
  );

describe("PostgresSensorReadings", () => {
  it("knows the latest value of what rules name, with the time of the measurement", async () => {
    readings.watch("cam-1", [no]);
    await readings.read();
    expect(readings.latest(no)).toBeNull();
    await measure(0.42, 1_700_000_000_123);
    await readings.read();
    expect(readings.latest(no)).toEqual({ datastreamId: no, value: 0.42, atMs: 1_700_000_000_123 });
  });

  it("reads nothing that no rule names, or no longer", async () => {
    await measure(0.42, 1_700_000_000_000);
    await readings.read();
    expect(readings.latest(no)).toBeNull();
    readings.watch("cam-1", [no]);
    readings.watch("cam-2", [no, "what", "0", "-1", "99999999999999"]);
    await readings.read();
    expect(readings.latest(no)?.value).toBe(0.42);
    readings.watch("cam-1", []);
    readings.watch("cam-2", []);
    await readings.read();
    expect(readings.latest(no)).toBeNull();
  });

  it("follows by itself until it is stopped", async () => {
    const stop = new AbortController();
    readings.watch("cam-1", [no]);
    const running = readings.run(stop.signal);
    await measure(0.9, 1_700_000_000_000);
    await until("the reading", () => readings.latest(no)?.value === 0.9);
    stop.abort();
    await running;
  });

  it("says when rules name more than it reads", async () => {
    readings.watch(
      "cam-1",
      Array.from({ length: 20_001 }, (_, k) => String(k + 1)),
    );
    await readings.read();
    expect(faults.map(({ code }) => code)).toContain("SENSOR_READINGS_LIMIT");
  });
});
