import { flowsOf, headingDeg, type PathPoint, type Point, type Visit, visitsOf } from "@huishi/kernel";
import type { ClientBase } from "pg";
import { markLate } from "./late-marks.ts";

/** One object over time as the store keeps it: narrow numbers, fractions scaled by 10000. */
export interface StoredTrack {
  /** Unique for ever; negative ids belong to tracks of the edge (`edgeTrackId`). */
  readonly id: number | bigint;
  readonly cameraNo: number;
  readonly classCode: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly observations: number;
  readonly score: number;
  /** Milliseconds since the track was first seen, then the foot point, scaled. */
  readonly path: readonly (readonly [ms: number, x: number, y: number])[];
  /** It will not go on: its visits to zones are written too. */
  readonly ended: boolean;
}

const SCALE = 10_000;

/** A track is written again while it lives: the row that has seen it longest stays. */
const UPSERT_TRACKS = `
  INSERT INTO track (id, camera_no, class_code, first_seen_at, last_seen_at, observations, score, heading_deg, path)
  SELECT id, camera_no, class_code, first_seen_at, last_seen_at, observations, score, heading_deg, path
  FROM jsonb_to_recordset($1::jsonb) AS row (id bigint, camera_no integer, class_code smallint,
    first_seen_at timestamptz, last_seen_at timestamptz, observations integer, score smallint,
    heading_deg smallint, path jsonb)
  ON CONFLICT (id, first_seen_at) DO UPDATE SET class_code = EXCLUDED.class_code,
    last_seen_at = EXCLUDED.last_seen_at, observations = EXCLUDED.observations, score = EXCLUDED.score,
    heading_deg = EXCLUDED.heading_deg, path = EXCLUDED.path
  WHERE track.observations <= EXCLUDED.observations`;

const INSERT_VISITS = `
  INSERT INTO zone_visit (zone_no, track_id, camera_no, class_code, entered_at, left_at)
  SELECT zone_no, track_id, camera_no, class_code, entered_at, left_at
  FROM jsonb_to_recordset($1::jsonb) AS row (zone_no integer, track_id bigint, camera_no integer,
    class_code smallint, entered_at timestamptz, left_at timestamptz)
  ON CONFLICT DO NOTHING`;

/** A flow that was written before is the same one: a track's visits are written once more with it. */
const INSERT_FLOWS = `
  INSERT INTO zone_flow (camera_no, from_zone_no, to_zone_no, track_id, class_code, arrived_at, gap_ms, direct)
  SELECT camera_no, from_zone_no, to_zone_no, track_id, class_code, arrived_at, gap_ms, direct
  FROM jsonb_to_recordset($1::jsonb) AS row (camera_no integer, from_zone_no integer, to_zone_no integer,
    track_id bigint, class_code smallint, arrived_at timestamptz, gap_ms integer, direct boolean)
  ON CONFLICT DO NOTHING`;

/** The id of an edge's track in the store: below zero, apart for every start of every agent's outbox. */
export function edgeTrackId(sourceNo: number, track: number): bigint {
  return -((BigInt(sourceNo) << 32n) | BigInt(track)) - 1n;
}

/**
 * Writes tracks, the last word on each, and the zones that ended tracks passed through, one after the other. Call it within a
 * transaction; the same rows may be written again.
 */
export async function writeTracks(client: ClientBase, rows: readonly StoredTrack[]): Promise<void> {
  // One statement must not touch a row twice.
  const latest = [...new Map(rows.map((row) => [row.id, row])).values()];
  if (latest.length === 0) return;
  await client.query(UPSERT_TRACKS, [toJson(latest.map(trackRecord))]);
  await writeVisits(
    client,
    latest.filter(({ ended }) => ended),
  );
  await markLate(
    client,
    "track",
    latest.map(({ firstSeenMs }) => firstSeenMs),
  );
}

async function writeVisits(client: ClientBase, ended: readonly StoredTrack[]): Promise<void> {
  const cameras = [...new Set(ended.map(({ cameraNo }) => cameraNo))];
  if (cameras.length === 0) return;
  const zones = await client.query<{ no: number; camera_no: number; points: Point[] }>(
    `SELECT zone.no, camera.no AS camera_no, zone.points FROM zone JOIN camera ON camera.id = zone.camera_id
     WHERE zone.kind = 'polygon' AND camera.no = ANY($1::integer[])`,
    [cameras],
  );
  const visits = ended.flatMap((track) => {
    const path = pathOf(track);
    return zones.rows
      .filter((zone) => zone.camera_no === track.cameraNo)
      .flatMap((zone) => visitsOf(path, zone.points).map((visit) => ({ track, zoneNo: zone.no, ...visit })));
  });
  if (visits.length === 0) return;
  await client.query(INSERT_VISITS, [toJson(visits.map(visitRecord))]);
  const enteredMs = ({ track, enteredAtMs }: ZoneVisit): number => track.firstSeenMs + enteredAtMs;
  await markLate(client, "zone_visit", visits.map(enteredMs));
  await writeFlows(client, visits);
}

interface ZoneVisit extends Visit {
  readonly track: StoredTrack;
  readonly zoneNo: number;
}

/** From zone to zone, within each track. */
async function writeFlows(client: ClientBase, visits: readonly ZoneVisit[]): Promise<void> {
  const byTrack = new Map<StoredTrack, ZoneVisit[]>();
  for (const visit of visits) {
    const own = byTrack.get(visit.track);
    if (own) own.push(visit);
    else byTrack.set(visit.track, [visit]);
  }
  const flows = [...byTrack].flatMap(([track, own]) =>
    flowsOf(own).map((flow) => ({ ...flow, track, arrivedMs: track.firstSeenMs + flow.arrivedAtMs })),
  );
  if (flows.length === 0) return;
  const records = flows.map(({ track, fromZoneNo, toZoneNo, arrivedMs, gapMs, isDirect }) => ({
    camera_no: track.cameraNo,
    from_zone_no: fromZoneNo,
    to_zone_no: toZoneNo,
    track_id: track.id,
    class_code: track.classCode,
    arrived_at: new Date(arrivedMs),
    gap_ms: gapMs,
    direct: isDirect,
  }));
  await client.query(INSERT_FLOWS, [toJson(records)]);
  await markLate(
    client,
    "zone_flow",
    flows.map(({ arrivedMs }) => arrivedMs),
  );
}

const visitRecord = ({ track, zoneNo, enteredAtMs, leftAtMs }: ZoneVisit): object => ({
  zone_no: zoneNo,
  track_id: track.id,
  camera_no: track.cameraNo,
  class_code: track.classCode,
  entered_at: new Date(track.firstSeenMs + enteredAtMs),
  left_at: new Date(track.firstSeenMs + leftAtMs),
});

function pathOf(track: StoredTrack): PathPoint[] {
  return track.path.map(([atMs, x, y]) => ({ atMs, x: x / SCALE, y: y / SCALE }));
}

function trackRecord(track: StoredTrack): object {
  return {
    id: track.id,
    camera_no: track.cameraNo,
    class_code: track.classCode,
    first_seen_at: new Date(track.firstSeenMs),
    last_seen_at: new Date(track.lastSeenMs),
    observations: track.observations,
    score: track.score,
    heading_deg: headingDeg(pathOf(track)),
    path: track.path,
  };
}

/** Ids of 64 bits as text: JSON numbers would lose digits on their way. */
function toJson(records: readonly object[]): string {
  return JSON.stringify(records, (_key, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value,
  );
}
