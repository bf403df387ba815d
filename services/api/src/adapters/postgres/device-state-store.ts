import type { CameraState, SensorState } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type {
  DeviceStateStore,
  KnownCamera,
  KnownDatastream,
  KnownSensor,
  SensorChange,
  StatesAsked,
} from "../../application/device-states.ts";
import { seenState } from "../../domain/camera-state.ts";
import type { Versioned } from "../../application/versioned.ts";
import { millisOf, type Question } from "./queries/question.ts";

interface DeviceRow {
  readonly id: string;
  readonly agent_id: string;
  readonly name: string;
  readonly area_id: string | null;
  readonly condition_code: string | null;
  readonly condition_since_ms: number | null;
  readonly agent_online: boolean;
}
interface CameraRow extends DeviceRow {
  readonly condition: CameraState["condition"];
  readonly faults: CameraState["faults"];
  readonly picture_faults: CameraState["faults"];
  readonly picture_faults_ms: number | null;
  readonly measured: CameraState["measured"];
}
interface SensorRow extends DeviceRow {
  readonly condition: SensorState["condition"];
  readonly manufacturer: string | null;
  readonly model: string | null;
  readonly serial: string | null;
  readonly camera_id: string | null;
  readonly version: number;
}
interface DatastreamRow {
  readonly no: number;
  readonly sensor_id: string;
  readonly observed_property: string;
  readonly unit: string;
  readonly expected_interval_ms: number | null;
  readonly last_value: number | null;
  readonly last_ms: number | null;
}

const DEVICE_COLUMNS = `d.id, d.agent_id, d.name, d.area_id, d.condition, d.condition_code,
  ${millisOf("d.condition_since")} AS condition_since_ms, a.online AS agent_online`;

const SENSOR_COLUMNS = `${DEVICE_COLUMNS}, d.manufacturer, d.model, d.serial, d.camera_id, d.version`;

export function cameraStateQuestion({ after, limit }: StatesAsked): Question {
  const text = `SELECT ${DEVICE_COLUMNS}, d.faults, d.measured, d.picture_faults,
      ${millisOf("d.picture_faults_at")} AS picture_faults_ms FROM camera AS d JOIN agent AS a ON a.id = d.agent_id
    WHERE d.id > $1 ORDER BY d.id LIMIT $2`;
  return { text, values: [after ?? "", limit] };
}

export function sensorStateQuestion({ after, limit }: StatesAsked): Question {
  const text = `SELECT ${SENSOR_COLUMNS}
    FROM sensor AS d JOIN agent AS a ON a.id = d.agent_id
    WHERE d.id > $1 ORDER BY d.id LIMIT $2`;
  return { text, values: [after ?? "", limit] };
}

/** What is last known of devices: rows that ingest keeps up to date, never a look into a series. */
export class PostgresDeviceStateStore implements DeviceStateStore {
  readonly #pool: Pool;
  readonly #changes: Pool;

  /** @param changes the pool for what people change; no question holds it up */
  constructor(questions: Pool, changes: Pool) {
    this.#pool = questions;
    this.#changes = changes;
  }

  async listCameras(asked: StatesAsked): Promise<KnownCamera[]> {
    const { text, values } = cameraStateQuestion(asked);
    const found = await this.#pool.query<CameraRow>(text, [...values]);
    return found.rows.map((row) => {
      const seen = seenState(
        { condition: row.condition, sinceMs: row.condition_since_ms, faults: row.faults },
        { faults: row.picture_faults, atMs: row.picture_faults_ms },
        Date.now(),
      );
      const { condition, faults, sinceMs: conditionSinceMs } = seen;
      return { ...toDevice(row), condition, conditionSinceMs, faults, measured: row.measured };
    });
  }

  async listSensors(asked: StatesAsked): Promise<KnownSensor[]> {
    const { text, values } = sensorStateQuestion(asked);
    const { rows } = await this.#pool.query<SensorRow>(text, [...values]);
    return this.#toSensors(rows);
  }

  async changeSensor({ id, name, areaId, version }: SensorChange): Promise<Versioned<KnownSensor>> {
    // A name is a person's when a person changed it; moving the sensor alone leaves it the device's.
    const updated = await this.#changes.query(
      `UPDATE sensor SET name = $2, name_by_person = name_by_person OR name <> $2,
         area_id = CASE WHEN $4 THEN $5 ELSE area_id END, version = version + 1
       WHERE id = $1 AND version = $3`,
      [id, name, version, areaId !== undefined, areaId ?? null],
    );
    const { rows } = await this.#pool.query<SensorRow>(
      `SELECT ${SENSOR_COLUMNS} FROM sensor AS d JOIN agent AS a ON a.id = d.agent_id WHERE d.id = $1`,
      [id],
    );
    const [current] = await this.#toSensors(rows);
    if (current === undefined) return { outcome: "missing" };
    return updated.rowCount === 1 ? { outcome: "done", row: current } : { outcome: "conflict", current };
  }

  async #toSensors(rows: readonly SensorRow[]): Promise<KnownSensor[]> {
    const streams = await this.#datastreams(rows.map(({ id }) => id));
    return rows.map((row) => ({
      ...toDevice(row),
      condition: row.condition,
      manufacturer: row.manufacturer,
      model: row.model,
      serial: row.serial,
      cameraId: row.camera_id,
      version: row.version,
      datastreams: streams.get(row.id) ?? [],
    }));
  }

  async #datastreams(sensorIds: readonly string[]): Promise<Map<string, KnownDatastream[]>> {
    const found = await this.#pool.query<DatastreamRow>(
      `SELECT no, sensor_id, observed_property, unit, expected_interval_ms, last_value, ${millisOf("last_at")} AS last_ms
       FROM datastream WHERE sensor_id = ANY($1::text[]) ORDER BY no`,
      [sensorIds],
    );
    const bySensor = new Map<string, KnownDatastream[]>();
    for (const row of found.rows) {
      const streams = bySensor.get(row.sensor_id) ?? [];
      streams.push(toDatastream(row));
      bySensor.set(row.sensor_id, streams);
    }
    return bySensor;
  }
}

const toDevice = (row: DeviceRow): Omit<KnownCamera, "condition" | "faults" | "measured"> => ({
  id: row.id,
  agentId: row.agent_id,
  name: row.name,
  areaId: row.area_id,
  conditionCode: row.condition_code,
  conditionSinceMs: row.condition_since_ms,
  agentOnline: row.agent_online,
});

const toDatastream = (row: DatastreamRow): KnownDatastream => ({
  no: row.no,
  observedProperty: row.observed_property,
  unit: row.unit,
  expectedIntervalMs: row.expected_interval_ms,
  lastValue: row.last_value,
  lastAtMs: row.last_ms,
});
