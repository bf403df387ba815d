import type { Alarm, AlarmMoveRecord, AlarmSensorReading, AlarmState } from "@huishi/contracts";
import { type Pool, type PoolClient, withTransaction } from "@huishi/platform";
import type { AlarmFilter, AlarmStore, MoveRequest } from "../../application/alarms.ts";
import type { MoveDecision } from "../../domain/alarm-moves.ts";

interface AlarmRow {
  readonly id: string;
  readonly shown_camera_id: string | null;
  readonly camera_name: string | null;
  readonly sensor_id: string | null;
  readonly sensor_name: string | null;
  readonly observed_property: string | null;
  readonly unit: string | null;
  readonly value: number | null;
  readonly limit_value: number | null;
  readonly datastream_no: number | null;
  readonly ended_at: Date | null;
  readonly rule_id: string | null;
  readonly rule_name: string | null;
  readonly zone_id: string | null;
  readonly zone_name: string | null;
  readonly zone_kind: Alarm["zoneKind"];
  readonly zone_points: Alarm["zonePoints"];
  readonly alarm_class: string;
  readonly object_class: string | null;
  readonly priority: Alarm["priority"];
  readonly state: AlarmState;
  readonly captured_at: Date;
  readonly started_at: Date;
  readonly created_at: Date;
  readonly last_occurred_at: Date;
  readonly occurrences: number;
  readonly boxes: Alarm["boxes"];
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly sensor_reading: AlarmSensorReading | null;
  readonly neighbour_camera_ids: string[] | null;
  readonly has_snapshot: boolean;
  readonly acknowledged_by: string | null;
  readonly acknowledged_at: Date | null;
  readonly version: number;
}

const SELECT_ALARM = `
  SELECT a.*, c.id AS shown_camera_id, c.name AS camera_name, s.name AS sensor_name, d.no AS datastream_no,
    (SELECT array_agg(n.camera_id ORDER BY n.first_at, n.camera_id) FROM alarm_neighbour n WHERE n.alarm_id = a.id)
      AS neighbour_camera_ids
  FROM alarm a
  LEFT JOIN camera c ON c.id = coalesce(a.camera_id, a.view_camera_id)
  LEFT JOIN sensor s ON s.id = a.sensor_id
  LEFT JOIN datastream d
    ON d.sensor_id = a.sensor_id AND d.observed_property = a.observed_property AND d.unit = a.unit`;

function measuredOf(row: AlarmRow): Alarm["measured"] {
  const { observed_property: observedProperty, value, limit_value: limit, unit } = row;
  if (observedProperty === null || value === null || limit === null || unit === null) return null;
  return { observedProperty, value, limit, unit, datastreamNo: row.datastream_no };
}

function toAlarm(row: AlarmRow): Alarm {
  return {
    id: row.id,
    cameraId: row.shown_camera_id,
    cameraName: row.camera_name,
    sensorId: row.sensor_id,
    sensorName: row.sensor_name,
    measured: measuredOf(row),
    endedAtMs: row.ended_at?.getTime() ?? null,
    ruleId: row.rule_id,
    ruleName: row.rule_name,
    zoneId: row.zone_id,
    zoneName: row.zone_name,
    zonePoints: row.zone_points,
    zoneKind: row.zone_kind,
    alarmClass: row.alarm_class,
    objectClass: row.object_class,
    priority: row.priority,
    state: row.state,
    capturedAtMs: row.captured_at.getTime(),
    startedAtMs: row.started_at.getTime(),
    createdAtMs: row.created_at.getTime(),
    lastOccurredAtMs: row.last_occurred_at.getTime(),
    occurrences: row.occurrences,
    boxes: row.boxes,
    ...(row.latitude !== null &&
      row.longitude !== null && { position: { latitude: row.latitude, longitude: row.longitude } }),
    ...(row.sensor_reading && { sensorReading: row.sensor_reading }),
    ...(row.neighbour_camera_ids && { neighbourCameraIds: row.neighbour_camera_ids }),
    hasSnapshot: row.has_snapshot,
    acknowledgedBy: row.acknowledged_by,
    acknowledgedAtMs: row.acknowledged_at?.getTime() ?? null,
    version: row.version,
  };
}

export class PostgresAlarmStore implements AlarmStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async listAlarms(filter: AlarmFilter): Promise<Alarm[]> {
    const values: (string | number)[] = [filter.limit];
    const conditions: string[] = [];
    const restrict = (condition: string, value: string | null): void => {
      if (value === null) return;
      values.push(value);
      conditions.push(`${condition} $${values.length}`);
    };
    restrict("a.state =", filter.state);
    if (filter.cameraId !== null) {
      values.push(filter.cameraId);
      conditions.push(`(a.camera_id = $${values.length} OR a.view_camera_id = $${values.length})`);
    }
    restrict("a.sensor_id =", filter.sensorId);
    restrict("a.priority =", filter.priority);
    restrict("a.id <", filter.before);
    const where = conditions.length === 0 ? "" : `WHERE ${conditions.join(" AND ")}`;
    const found = await this.#pool.query<AlarmRow>(
      `${SELECT_ALARM} ${where} ORDER BY a.id DESC LIMIT $1`,
      values,
    );
    return found.rows.map(toAlarm);
  }

  async findAlarms(ids: readonly string[]): Promise<Alarm[]> {
    const found = await this.#pool.query<AlarmRow>(`${SELECT_ALARM} WHERE a.id = ANY($1::bigint[])`, [ids]);
    return found.rows.map(toAlarm);
  }

  moveAlarm(
    request: MoveRequest,
    decide: (state: AlarmState) => MoveDecision,
  ): Promise<{ decision: MoveDecision; alarm: Alarm } | null> {
    return withTransaction(this.#pool, async (client) => {
      const locked = await client.query<{ state: AlarmState }>(
        "SELECT state FROM alarm WHERE id = $1 FOR UPDATE",
        [request.id],
      );
      const row = locked.rows[0];
      if (row === undefined) return null;
      const decision = decide(row.state);
      if (decision.legal) await writeMove(client, request, { from: row.state, to: decision.to });
      const found = await client.query<AlarmRow>(`${SELECT_ALARM} WHERE a.id = $1`, [request.id]);
      return { decision, alarm: toAlarm(found.rows[0] as AlarmRow) };
    });
  }

  async listMoves(alarmId: string): Promise<AlarmMoveRecord[]> {
    const found = await this.#pool.query<{
      id: string;
      moved_at: Date;
      from_state: AlarmState;
      to_state: AlarmState;
      actor: string;
      opinion: string | null;
    }>(
      "SELECT id, moved_at, from_state, to_state, actor, opinion FROM alarm_move WHERE alarm_id = $1 ORDER BY id",
      [alarmId],
    );
    return found.rows.map((row) => ({
      id: row.id,
      movedAtMs: row.moved_at.getTime(),
      from: row.from_state,
      to: row.to_state,
      actor: row.actor,
      opinion: row.opinion,
    }));
  }

  async readSnapshot(alarmId: string): Promise<Buffer | null> {
    const found = await this.#pool.query<{ jpeg: Buffer }>(
      "SELECT jpeg FROM alarm_snapshot WHERE alarm_id = $1",
      [alarmId],
    );
    return found.rows[0]?.jpeg ?? null;
  }
}

async function writeMove(
  client: PoolClient,
  request: MoveRequest,
  states: { from: AlarmState; to: AlarmState },
): Promise<void> {
  await client.query(
    "INSERT INTO alarm_move (alarm_id, from_state, to_state, actor, opinion) VALUES ($1, $2, $3, $4, $5)",
    [request.id, states.from, states.to, request.actor, request.opinion],
  );
  // Who took the alarm first stays its acknowledger, also when it later turns out to be false.
  await client.query(
    `UPDATE alarm SET state = $2, version = version + 1,
       acknowledged_by = COALESCE(acknowledged_by, $3), acknowledged_at = COALESCE(acknowledged_at, now())
     WHERE id = $1`,
    [request.id, states.to, request.actor],
  );
}
