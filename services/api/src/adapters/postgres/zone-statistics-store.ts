import type { OccupancyPoint, ZoneFlowCount } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type {
  DwellAsked,
  DwellRow,
  FlowsAsked,
  OccupancyAsked,
  ZoneStatisticsStore,
} from "../../application/zone-statistics.ts";
import { classOf } from "./class-codes.ts";
import { dwellQuestion, flowsQuestion, occupancyQuestion } from "./queries/zone-questions.ts";

type Row = Record<string, unknown>;
type DwellFound = Row & {
  zone: string;
  class_code: number;
  bins: number[];
  visits: number[];
  dwell_ms: number;
};
type OccupancyFound = Row & {
  at_ms: number;
  zone: string;
  code: number;
  object_ms: number;
  watched_ms: number;
  objects_max: number;
};
type FlowFound = Row & { from_zone: string; to_zone: string; class_code: number; flows: number };

export class PostgresZoneStatisticsStore implements ZoneStatisticsStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async dwell(asked: DwellAsked): Promise<DwellRow[]> {
    const { text, values } = dwellQuestion(asked);
    const found = await this.#pool.query<DwellFound>(text, [...values]);
    return found.rows.map((row) => ({
      zone: row.zone,
      objectClass: row.class_code === 0 ? "" : classOf(row.class_code),
      bins: row.bins.map((bin, index) => [bin, row.visits[index] ?? 0] as const),
      dwellMs: row.dwell_ms,
    }));
  }

  async occupancy(asked: OccupancyAsked): Promise<OccupancyPoint[]> {
    const { text, values } = occupancyQuestion(asked);
    const found = await this.#pool.query<OccupancyFound>(text, [...values]);
    return found.rows.map((row) => ({
      atMs: row.at_ms,
      zoneId: row.zone,
      objectClass: row.code === 0 ? null : classOf(row.code),
      mean: row.watched_ms === 0 ? null : Math.round((row.object_ms / row.watched_ms) * 1_000) / 1_000,
      max: row.objects_max,
      watchedMs: row.watched_ms,
    }));
  }

  async flows(asked: FlowsAsked): Promise<ZoneFlowCount[]> {
    const { text, values } = flowsQuestion(asked);
    const found = await this.#pool.query<FlowFound>(text, [...values]);
    return found.rows.map((row) => ({
      fromZoneId: row.from_zone,
      toZoneId: row.to_zone,
      objectClass: row.class_code === 0 ? null : classOf(row.class_code),
      count: row.flows,
    }));
  }
}
