/** Rows of a day as the services write them: a street with three zones and a counting line, watched since yesterday. */
import type { AnalyticsProcess } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";

export const HOUR_MS = 3_600_000;
export const CROSSINGS = 24 * 6;

/** @param toMs a full hour: everything lies in the 24 hours before it */
export async function seedFigures(pool: Pool, toMs: number): Promise<void> {
  await seedStreet(pool);
  const from = `to_timestamp(${(toMs - 24 * HOUR_MS) / 1000})`;
  const camera = "(SELECT no FROM camera WHERE id = 'cam-1')";
  const zone = (id: string): string => `(SELECT no FROM zone WHERE id = '${id}')`;
  await pool.query(`INSERT INTO line_crossing (crossed_at, track_id, camera_no, class_code, left_to_right, rule_id)
    SELECT ${from} + n * interval '10 minutes', n, ${camera}, CASE WHEN n % 4 = 0 THEN 1 ELSE 3 END, n % 3 > 0, 'rule-line'
    FROM generate_series(0, ${CROSSINGS - 1}) AS n`);
  // Two hours of the night were not watched.
  await pool.query(`INSERT INTO zone_occupancy (minute, object_ms, watched_ms, zone_no, camera_no, class_code, objects_max)
    SELECT ${from} + n * interval '1 minute', 60000 * (1 + sin(n / 90.0)), 60000, ${zone("zone-a")}, ${camera}, 0,
           2 + n / 60 % 3 FROM generate_series(0, 1439) AS n WHERE n / 60 NOT IN (3, 4)`);
  await pool.query(`INSERT INTO zone_visit (entered_at, left_at, track_id, zone_no, camera_no, class_code)
    SELECT at, at + exp(1 + n % 40 / 10.0) * interval '1 second', n, ${zone("zone-a")}, ${camera}, 1
    FROM (SELECT n, ${from} + n * interval '2 minutes' AS at FROM generate_series(0, 700) AS n) AS t`);
  await pool.query(`INSERT INTO zone_flow (arrived_at, track_id, from_zone_no, to_zone_no, camera_no, gap_ms, class_code, direct)
    SELECT ${from} + n * interval '5 minutes', n, f, t, ${camera}, gap, 1, direct
    FROM generate_series(0, 200) AS n, (VALUES (${zone("zone-a")}, ${zone("zone-b")}, 30000, true),
      (${zone("zone-b")}, ${zone("zone-a")}, 400000, true), (${zone("zone-a")}, ${zone("zone-c")}, 90000, false)) AS w (f, t, gap, direct)
    WHERE n % (1 + f % 3) = 0`);
  await pool.query(`INSERT INTO detection (captured_at, track_id, camera_no, class_code, score, x, y, w, h)
    SELECT ${from} + n * interval '20 seconds', n, ${camera}, 1, 8000, (3000 + 4000 * sin(n / 7.0))::int + 500,
           (4000 + 2500 * cos(n / 7.0))::int, 400, 900 FROM generate_series(0, 4000) AS n`);
}

async function seedStreet(pool: Pool): Promise<void> {
  await pool.query(
    "INSERT INTO agent (id, name, secret_hash, online) VALUES ('agent', 'agent', '\\x00', true)",
  );
  await pool.query(`INSERT INTO camera (id, agent_id, name, condition)
    VALUES ('cam-1', 'agent', 'North gate 北门', 'online'), ('cam-2', 'agent', 'Quay', 'online')`);
  const square = (x: number): string =>
    JSON.stringify([
      { x, y: 0.3 },
      { x: x + 0.25, y: 0.3 },
      { x: x + 0.25, y: 0.85 },
      { x, y: 0.85 },
    ]);
  await pool.query(
    `INSERT INTO zone (id, camera_id, name, kind, points) VALUES ('zone-a', 'cam-1', '1 West pavement', 'polygon', $1),
     ('zone-b', 'cam-1', '2 Crossing', 'polygon', $2), ('zone-c', 'cam-1', '3 East pavement', 'polygon', $3),
     ('zone-line', 'cam-1', 'Kerb', 'line', '[{"x":0.1,"y":0.9},{"x":0.9,"y":0.9}]')`,
    [square(0.05), square(0.37), square(0.69)],
  );
  await pool.query(
    `INSERT INTO rule (id, camera_id, zone_id, settings) VALUES ('rule-line', 'cam-1', 'zone-line', $1)`,
    [
      JSON.stringify({
        kind: "line_crossing",
        name: "Kerb, both ways",
        alarmClass: "traffic_flow",
        classes: ["person", "car"],
        minScore: 0.4,
        persistenceMs: 0,
        exitMs: 0,
        dedupeMs: 0,
        threshold: 0,
        direction: "both",
        priority: "P4",
        enabled: true,
        schedule: null,
      }),
    ],
  );
}

/** A process that has said how it is, that many seconds ago. */
export async function seedProcess(pool: Pool, instanceId: string, saidAgoS: number): Promise<void> {
  const saidMs = Date.now() - saidAgoS * 1_000;
  const camera = (
    cameraId: string,
    meanMs: number,
    lastAgoMs: number,
  ): AnalyticsProcess["cameras"][number] => ({
    cameraId,
    profile: "sub",
    sampling: { kind: "fps", fps: 5 },
    isRunning: true,
    lastCapturedAtMs: saidMs - lastAgoMs,
    framesAnalysed: 1_000,
    samplesDropped: 3,
    inferencesPerFrame: 1.4,
    stageMs: [
      { stage: "decode", meanMs: 6 },
      { stage: "detect", meanMs },
    ],
  });
  const means = { decode: 6.1, queue: 2.4, gate: 0.4, detect: 9.8, track: 0.2, rules: 0.1, write: 3.2 };
  const status: Omit<AnalyticsProcess, "updatedAtMs"> = {
    instanceId,
    host: instanceId,
    pid: 4711,
    startedAtMs: saidMs - 3 * HOUR_MS,
    cameraCount: 2,
    framesAnalysed: 2_000,
    framesPerSecond: 9.8,
    drops: [
      { reason: "decoder_behind", count: 2 },
      { reason: "superseded", count: 41 },
    ],
    stages: Object.entries(means).map(([stage, meanMs]) => ({
      stage: stage as keyof typeof means,
      count: 600,
      meanMs,
      p95Ms: meanMs * 2,
    })),
    eventLoopDelayP99Ms: 11.5,
    inferenceProcesses: 2,
    decoders: 2,
    residentBytes: 420_000_000,
    coresUsed: 0.9,
    cameras: [camera("cam-1", 8, 400), camera("cam-2", 21, 90_000)],
  };
  await pool.query(
    `INSERT INTO analytics_status (instance_id, updated_at, status) VALUES ($1, now() - make_interval(secs => $2), $3)
     ON CONFLICT (instance_id) DO UPDATE SET updated_at = EXCLUDED.updated_at, status = EXCLUDED.status`,
    [instanceId, saidAgoS, JSON.stringify(status)],
  );
}

/** A grey picture of 32 x 16 pixels. */
const JPEG =
  "/9j/4AAQSkZJRgABAgAAAQABAAD//gAQTGF2YzU5LjM3LjEwMAD/2wBDAAg+Pkk+SVVVVVVVVWRdZGhoaGRkZGRoaGhwcHCD" +
  "g4NwcHBoaHBwfHyDg4+Tj4eHg4eTk5ubm7q6srLZ2eD/////xABKAAEAAAAAAAAAAAAAAAAAAAAAAQEAAAAAAAAAAAAAAAAA" +
  "AAAAEAEAAAAAAAAAAAAAAAAAAAAAEQEAAAAAAAAAAAAAAAAAAAAA/8AAEQgAEAAgAwEiAAIRAAMRAP/aAAwDAQACEQMRAD8A" +
  "AAAA/9k=";

/** An alarm of the street's camera with its deciding frame. */
export async function seedSnapshot(pool: Pool): Promise<void> {
  const inserted = await pool.query<{ id: string }>(
    `INSERT INTO alarm (camera_id, alarm_class, object_class, priority, captured_at, started_at, last_occurred_at, boxes, has_snapshot)
     VALUES ('cam-1', 'intrusion', 'person', 'P4', now(), now(), now(), '[]', true) RETURNING id`,
  );
  await pool.query("INSERT INTO alarm_snapshot (alarm_id, jpeg, sha256) VALUES ($1, $2, '')", [
    inserted.rows[0]?.id,
    Buffer.from(JPEG, "base64"),
  ]);
}
