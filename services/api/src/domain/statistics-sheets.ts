// Statistics as sheets: one line a row of the answer, times in ISO 8601 (UTC), lengths in milliseconds.
import type {
  CountPoint,
  DwellDistribution,
  HeatMap,
  OccupancyPoint,
  ZoneFlowCount,
} from "@huishi/contracts";
import { type CsvCell, csvLine } from "./csv.ts";

/** Spreadsheets take a file without it for the system's own encoding. */
const UTF8_MARK = "\ufeff";

/** What people call what an id names; null for what has no name, or is gone. */
export type NameOf = (id: string | null) => string | null;

export interface Sheet<Row> {
  readonly head: string;
  readonly line: (row: Row, nameOf: NameOf) => string;
}

function sheet<Row>(columns: Readonly<Record<string, (row: Row, nameOf: NameOf) => CsvCell>>): Sheet<Row> {
  const cells = Object.values(columns);
  return {
    head: UTF8_MARK + csvLine(Object.keys(columns)),
    line: (row, nameOf) => csvLine(cells.map((cellOf) => cellOf(row, nameOf))),
  };
}

const at = (ms: number): string => new Date(ms).toISOString();

export const COUNT_SHEET = sheet<CountPoint>({
  at: (row) => at(row.atMs),
  key: (row) => row.key,
  name: (row, nameOf) => nameOf(row.key),
  class: (row) => row.objectClass ?? null,
  count: (row) => row.count,
  left_to_right: (row) => row.leftToRight ?? null,
  right_to_left: (row) => (row.leftToRight === undefined ? null : row.count - row.leftToRight),
  mean_dwell_ms: (row) => row.dwellMs ?? null,
});

/** One line a bin, with its distribution's own figures before it. */
export const DWELL_SHEET = sheet<
  Omit<DwellDistribution, "bins"> & { readonly bin: DwellDistribution["bins"][number] }
>({
  zone_id: (row) => row.zoneId,
  zone: (row, nameOf) => nameOf(row.zoneId),
  class: (row) => row.objectClass,
  visits: (row) => row.visits,
  mean_ms: (row) => row.meanMs,
  p50_ms: (row) => row.p50Ms,
  p90_ms: (row) => row.p90Ms,
  p95_ms: (row) => row.p95Ms,
  bin_from_ms: (row) => Math.round(row.bin.fromMs),
  bin_to_ms: (row) => (row.bin.toMs === null ? null : Math.round(row.bin.toMs)),
  bin_visits: (row) => row.bin.visits,
});

export const OCCUPANCY_SHEET = sheet<OccupancyPoint>({
  at: (row) => at(row.atMs),
  zone_id: (row) => row.zoneId,
  zone: (row, nameOf) => nameOf(row.zoneId),
  class: (row) => row.objectClass,
  mean: (row) => row.mean,
  max: (row) => row.max,
  watched_ms: (row) => row.watchedMs,
});

export const FLOW_SHEET = sheet<ZoneFlowCount>({
  from_zone_id: (row) => row.fromZoneId,
  from_zone: (row, nameOf) => nameOf(row.fromZoneId),
  to_zone_id: (row) => row.toZoneId,
  to_zone: (row, nameOf) => nameOf(row.toZoneId),
  class: (row) => row.objectClass,
  count: (row) => row.count,
});

export const HEAT_SHEET = sheet<HeatMap["cells"][number]>({
  column: (row) => row.column,
  row: (row) => row.row,
  class: (row) => row.objectClass ?? null,
  detections: (row) => row.detections,
});
