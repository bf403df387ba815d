import type { Pool } from "@huishi/platform";

/** How much to make. Rows are spread evenly over the span; detections belong to tracks, five a second. */
export interface CitySize {
  readonly cameras: number;
  readonly datastreams: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly detections: number;
  readonly tracks: number;
  readonly visits: number;
  readonly crossings: number;
  readonly observations: number;
  readonly events: number;
}

export interface City extends CitySize {
  readonly cameraIds: readonly string[];
  readonly cameraNos: readonly number[];
  /** A polygon of each camera. */
  readonly zoneIds: readonly string[];
  readonly zoneNos: readonly number[];
  /** A counting line of each camera. */
  readonly ruleIds: readonly string[];
  readonly datastreamNos: readonly number[];
  readonly agentId: string;
}

const SEED_AGENT = "agent-seed";
const FRAME_MS = 200;
const SLICES = 24;

/**
 * Fills an empty database with a city: `city` > `district-0` … `district-4` > `street-0` …, cameras with a polygon and a
 * counting line each, sensors with two datastreams, and the series. Made in SQL, without chance: the same size gives the
 * same rows.
 */
export async function seedCity(pool: Pool, size: CitySize): Promise<City> {
  await seedConfiguration(pool, size);
  await makePartitions(pool, size);
  const base = await numbersOf(pool);
  const city: City = { ...size, ...base, agentId: SEED_AGENT };
  await seedTracks(pool, city);
  await seedDetections(pool, city);
  await seedPassages(pool, city);
  await seedOccupancy(pool, city);
  await seedObservations(pool, city);
  await seedEvents(pool, city);
  return city;
}

async function seedConfiguration(pool: Pool, { cameras, datastreams }: CitySize): Promise<void> {
  await pool.query(
    `INSERT INTO agent (id, name, secret_hash, online) VALUES ('${SEED_AGENT}', 'seed', '\\x00', true)`,
  );
  await pool.query(`INSERT INTO event_source (agent_id, boot) VALUES ('${SEED_AGENT}', '00000000000000aa')`);
  await pool.query(`INSERT INTO area (id, name) VALUES ('city', 'city')`);
  await pool.query(
    `INSERT INTO area (id, name, parent_id) SELECT 'district-' || n, 'd', 'city' FROM generate_series(0, 4) AS n`,
  );
  await pool.query(
    `INSERT INTO area (id, name, parent_id) SELECT 'street-' || n, 's', 'district-' || n % 5 FROM generate_series(0, 24) AS n`,
  );
  const id = "lpad(n::text, 4, '0')";
  await pool.query(
    `INSERT INTO camera (id, agent_id, name, condition, area_id)
     SELECT 'cam-' || ${id}, '${SEED_AGENT}', 'camera ' || n, 'online', 'street-' || n % 25
     FROM generate_series(0, $1::int - 1) AS n ORDER BY n`,
    [cameras],
  );
  await pool.query(
    `INSERT INTO zone (id, camera_id, name, kind, points)
     SELECT kind || '-' || ${id}, 'cam-' || ${id}, kind, kind, points
     FROM (VALUES ('polygon', '[{"x":0.1,"y":0.1},{"x":0.6,"y":0.1},{"x":0.6,"y":0.8},{"x":0.1,"y":0.8}]'::jsonb),
                  ('line', '[{"x":0.1,"y":0.9},{"x":0.9,"y":0.9}]')) AS shape (kind, points),
          generate_series(0, $1::int - 1) AS n ORDER BY kind, n`,
    [cameras],
  );
  await pool.query(
    `INSERT INTO rule (id, camera_id, zone_id, settings)
     SELECT 'rule-' || ${id}, 'cam-' || ${id}, 'line-' || ${id}, '{"kind":"line_crossing","name":"line"}'
     FROM generate_series(0, $1::int - 1) AS n`,
    [cameras],
  );
  await pool.query(
    `INSERT INTO sensor (id, agent_id, name, area_id)
     SELECT 'sensor-' || ${id}, '${SEED_AGENT}', 'sensor ' || n, 'street-' || n % 25 FROM generate_series(0, $1::int - 1) AS n`,
    [Math.ceil(datastreams / 2)],
  );
  await pool.query(
    `INSERT INTO datastream (sensor_id, observed_property, unit)
     SELECT 'sensor-' || ${id}, property, 'm' FROM generate_series(0, $1::int - 1) AS n,
            unnest(ARRAY['level', 'flow']) AS property ORDER BY n, property LIMIT $2`,
    [Math.ceil(datastreams / 2), datastreams],
  );
}

/** Partitions for the span where the database has them (plain mode); chunks make themselves. */
async function makePartitions(pool: Pool, { fromMs, toMs }: CitySize): Promise<void> {
  await pool.query(
    `SELECT huishi_store.ensure_partition(name, least(at, $2::timestamptz))
     FROM series, generate_series($1::timestamptz, $2::timestamptz + chunk_interval, chunk_interval / 2) AS at
     WHERE huishi_store.mode() = 'plain'`,
    [new Date(fromMs), new Date(toMs)],
  );
}

async function numbersOf(
  pool: Pool,
): Promise<Pick<City, "cameraIds" | "cameraNos" | "zoneIds" | "zoneNos" | "ruleIds" | "datastreamNos">> {
  const column = async <T>(sql: string): Promise<T[]> =>
    (await pool.query<{ value: T }>(sql)).rows.map(({ value }) => value);
  return {
    cameraIds: await column<string>("SELECT id AS value FROM camera ORDER BY no"),
    cameraNos: await column<number>("SELECT no AS value FROM camera ORDER BY no"),
    zoneIds: await column<string>("SELECT id AS value FROM zone WHERE kind = 'polygon' ORDER BY no"),
    zoneNos: await column<number>("SELECT no AS value FROM zone WHERE kind = 'polygon' ORDER BY no"),
    ruleIds: await column<string>("SELECT id AS value FROM rule ORDER BY id"),
    datastreamNos: await column<number>("SELECT no AS value FROM datastream ORDER BY no"),
  };
}

/** Person, car and truck; each camera has all of them. */
const CLASS_OF = "(ARRAY[1, 1, 3, 3, 6])[1 + (i / 500) % 5]::smallint";
const cameraOf = (city: City): string => `(${city.cameraNos[0]} + (i * 7919) % ${city.cameras})::int`;

/** When the i-th of so many rows begins, in order of time. */
const timeOf = ({ fromMs, toMs }: City, count: number): string =>
  `to_timestamp(${fromMs / 1000}) + floor(i::float8 * ${(toMs - fromMs) / count}) * interval '1 millisecond'`;

/** Runs an INSERT over i in slices, so that no transaction is endless. */
async function inSlices(
  pool: Pool,
  count: number,
  insert: (from: string, to: string) => string,
): Promise<void> {
  for (let slice = 0; slice < SLICES; slice++) {
    const [from, to] = [slice, slice + 1].map((part) => Math.floor((count * part) / SLICES));
    if (from !== to) await pool.query(insert(String(from), String((to ?? 0) - 1)));
  }
}

async function seedTracks(pool: Pool, city: City): Promise<void> {
  const durationMs = Math.max(1, Math.round(city.detections / city.tracks)) * FRAME_MS;
  await inSlices(
    pool,
    city.tracks,
    (from, to) => `
    INSERT INTO track (first_seen_at, last_seen_at, id, camera_no, observations, class_code, score, heading_deg, path)
    SELECT at, at + ${durationMs} * interval '1 millisecond', i, ${cameraOf(city)}, ${durationMs / FRAME_MS}, ${CLASS_OF},
           4000 + i % 6000, CASE WHEN i % 10 = 0 THEN NULL ELSE (i * 37) % 360 END, '[[0,1000,2000],[5000,5000,6000]]'
    FROM (SELECT i, ${timeOf(city, city.tracks)} AS at FROM generate_series(${from}::bigint, ${to}::bigint) AS i) AS made`,
  );
}

/** Detections of neighbouring tracks interleave in time but not on the disk: sorted slice by slice, as they arrive. */
async function seedDetections(pool: Pool, city: City): Promise<void> {
  const frames = Math.max(1, Math.round(city.detections / city.tracks));
  await inSlices(
    pool,
    city.tracks,
    (from, to) => `
    INSERT INTO detection (captured_at, track_id, camera_no, class_code, score, x, y, w, h)
    SELECT at + frame * interval '${FRAME_MS} milliseconds' AS captured_at, i, ${cameraOf(city)}, ${CLASS_OF},
           4000 + (i + frame) % 6000, (i * 31 + frame * 40) % 9000, (i * 17 + frame * 10) % 8000, 400, 900
    FROM (SELECT i, ${timeOf(city, city.tracks)} AS at FROM generate_series(${from}::bigint, ${to}::bigint) AS i) AS made,
         generate_series(0, ${frames - 1}) AS frame
    ORDER BY captured_at`,
  );
}

/** Visits and crossings of the first tracks' cameras, spread over all of the span. */
async function seedPassages(pool: Pool, city: City): Promise<void> {
  const trackOf = (count: number): string => `(i * ${Math.floor(city.tracks / count)})`;
  const begin = (count: number): string => timeOf(city, city.tracks).replaceAll("i::", `${trackOf(count)}::`);
  const zone = `(${city.zoneNos[0]} + (i * 7919) % ${city.cameras})::int`;
  const passing = (count: number, from: string, to: string): string =>
    `(SELECT ${trackOf(count)} AS i, ${begin(count)} AS at FROM generate_series(${from}::bigint, ${to}::bigint) AS i) AS made`;
  await inSlices(
    pool,
    city.visits,
    (from, to) => `
    INSERT INTO zone_visit (entered_at, left_at, track_id, zone_no, camera_no, class_code)
    SELECT at + interval '1 second', at + interval '8 seconds', i, ${zone}, ${cameraOf(city)}, ${CLASS_OF}
    FROM ${passing(city.visits, from, to)}`,
  );
  // From each zone to the next one: zones of two cameras, which the field never sends; sums do not mind.
  await inSlices(
    pool,
    city.visits,
    (from, to) => `
    INSERT INTO zone_flow (arrived_at, track_id, from_zone_no, to_zone_no, camera_no, gap_ms, class_code, direct)
    SELECT at + interval '20 seconds', i, ${zone}, ${zone} + 1, ${cameraOf(city)}, i % 4000 * 1000, ${CLASS_OF}, i % 3 > 0
    FROM ${passing(city.visits, from, to)}`,
  );
  await inSlices(
    pool,
    city.crossings,
    (from, to) => `
    INSERT INTO line_crossing (crossed_at, track_id, camera_no, class_code, left_to_right, rule_id)
    SELECT at + interval '2 seconds', i, ${cameraOf(city)}, ${CLASS_OF}, (i / 3) % 2 = 0,
           'rule-' || lpad(((i * 7919) % ${city.cameras})::text, 4, '0')
    FROM ${passing(city.crossings, from, to)}`,
  );
}

/** Each zone is looked at every minute, and two classes are seen in it now and then. Rows of a minute stand together. */
async function seedOccupancy(pool: Pool, city: City): Promise<void> {
  const minutes = Math.floor((city.toMs - city.fromMs) / 60_000);
  await inSlices(
    pool,
    minutes,
    (from, to) => `
    INSERT INTO zone_occupancy (minute, object_ms, watched_ms, zone_no, camera_no, class_code, objects_max)
    SELECT to_timestamp(${city.fromMs / 1000}) + i * interval '1 minute', CASE code WHEN 0 THEN 90000 ELSE 60000 / code END,
           CASE code WHEN 0 THEN 60000 ELSE 0 END, zone_no, zone_no, code, 3
    FROM generate_series(${from}::bigint, ${to}::bigint) AS i, unnest(ARRAY[0, 1, 3]) AS code,
         generate_series(${city.zoneNos[0]}, ${city.zoneNos.at(-1)}) AS zone_no
    WHERE code = 0 OR (i + zone_no) % 7 = code`,
  );
}

async function seedObservations(pool: Pool, city: City): Promise<void> {
  const base = city.datastreamNos[0] ?? 1;
  await inSlices(
    pool,
    city.observations,
    (from, to) => `
    INSERT INTO observation (captured_at, value, seq, datastream_no, source_no, agent_lag_ms, ingest_lag_ms)
    SELECT ${timeOf(city, city.observations)}, sin(i / 1000.0), i, ${base} + i % ${city.datastreams}, 1, 20, 60
    FROM generate_series(${from}::bigint, ${to}::bigint) AS i`,
  );
  await pool.query(
    `UPDATE datastream AS d SET last_value = 1, last_at = $1, last_ingested_at = $1,
       expected_interval_ms = CASE WHEN d.no % 2 = 0 THEN $2::int END`,
    [
      new Date(city.toMs - 1_000),
      Math.round(((city.toMs - city.fromMs) * city.datastreams) / city.observations),
    ],
  );
}

async function seedEvents(pool: Pool, city: City): Promise<void> {
  await inSlices(
    pool,
    city.events,
    (from, to) => `
    INSERT INTO edge_event (captured_at, agent_at, ingested_at, seq, source_no, type_code, subject_id, body)
    SELECT at, at, at, i, 1, 2 + (i / ${city.cameras}) % 3, 'cam-' || lpad((i % ${city.cameras})::text, 4, '0'), '{}'
    FROM (SELECT i, ${timeOf(city, city.events)} AS at FROM generate_series(${from}::bigint, ${to}::bigint) AS i) AS made`,
  );
}
