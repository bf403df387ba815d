/** Questions over sums. Each has a path, so that the same question can also be had as a sheet. */
import type {
  Counts,
  CountsQuery,
  Dwell,
  DwellQuery,
  Flows,
  FlowsQuery,
  HeatMap,
  HeatMapQuery,
  Occupancy,
  OccupancyQuery,
} from "@huishi/contracts";
import { request } from "./http.ts";

type Asked = Readonly<Record<string, string | number | boolean | readonly (string | number)[] | undefined>>;

/** A list is given as the same name several times. */
function queryOf(asked: Asked): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(asked)) {
    if (value === undefined) continue;
    for (const each of Array.isArray(value) ? value : [value]) query.append(name, String(each));
  }
  return query.toString();
}

const BASE = "/api/v1";
export const statisticsPaths = {
  counts: (query: CountsQuery) => `${BASE}/statistics/counts?${queryOf(query)}`,
  dwell: (query: DwellQuery) => `${BASE}/statistics/dwell?${queryOf(query)}`,
  occupancy: (query: OccupancyQuery) => `${BASE}/statistics/occupancy?${queryOf(query)}`,
  flows: (query: FlowsQuery) => `${BASE}/statistics/flows?${queryOf(query)}`,
  heat: (cameraId: string, query: HeatMapQuery) =>
    `${BASE}/cameras/${encodeURIComponent(cameraId)}/heat-map?${queryOf(query)}`,
};

export const statisticsApi = {
  counts: (path: string, signal: AbortSignal) => request<Counts>(path, { signal }),
  dwell: (path: string, signal: AbortSignal) => request<Dwell>(path, { signal }),
  occupancy: (path: string, signal: AbortSignal) => request<Occupancy>(path, { signal }),
  flows: (path: string, signal: AbortSignal) => request<Flows>(path, { signal }),
  heat: (path: string, signal: AbortSignal) => request<HeatMap>(path, { signal }),
};
