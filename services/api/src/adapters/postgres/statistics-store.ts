import type { CountPoint } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type {
  CountsAsked,
  CountScope,
  HeatAsked,
  HeatCell,
  KeyedPoint,
  ScopeAsked,
  StatisticsStore,
} from "../../application/statistics.ts";
import { classOf } from "./class-codes.ts";
import { countQuestion } from "./queries/count-question.ts";
import { heatQuestion } from "./queries/heat-question.ts";
import { scopeQuestion } from "./queries/scope-question.ts";

type CountRow = [
  atMs: number,
  sortKey: string,
  total: number,
  leftToRight: number | null,
  dwellMs: number | null,
];

interface HeatFound {
  cell: number;
  class_code: number;
  detections: number;
}

export class PostgresStatisticsStore implements StatisticsStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async resolveScope(asked: ScopeAsked): Promise<CountScope> {
    const { text, values } = scopeQuestion(asked);
    const found = await this.#pool.query<{ member: number | string; key: string }>(text, [...values]);
    // Without groups a member counts once, whatever areas it is in.
    const rows = ["none", "class"].includes(asked.groupBy)
      ? [...new Map(found.rows.map((row) => [row.member, row])).values()]
      : found.rows;
    return { members: rows.map(({ member }) => member), keys: rows.map(({ key }) => key) };
  }

  async count(asked: CountsAsked): Promise<KeyedPoint[]> {
    const { text, values } = countQuestion(asked);
    const found = await this.#pool.query<CountRow>({ text, values: [...values], rowMode: "array" });
    return found.rows.map((row) => ({ point: toPoint(asked, row), sortKey: row[1] }));
  }

  async heat(asked: HeatAsked): Promise<HeatCell[]> {
    const { text, values } = heatQuestion(asked);
    const found = await this.#pool.query<HeatFound>(text, [...values]);
    return found.rows.map(({ cell, class_code: code, detections }) => ({
      cell,
      objectClass: code === 0 ? null : classOf(code),
      detections,
    }));
  }
}

function toPoint({ what, groupBy }: CountsAsked, row: CountRow): CountPoint {
  const [atMs, sortKey, count, leftToRight, dwellMs] = row;
  const [own = "", code = "0"] =
    groupBy === "zone_class" || groupBy === "line_class" ? sortKey.split(" ") : [sortKey];
  const key = groupBy === "none" || own === "" ? null : groupBy === "class" ? classOf(Number(own)) : own;
  return {
    atMs,
    key,
    ...(code === "0" ? {} : { objectClass: classOf(Number(code)) }),
    count,
    ...(what === "crossings" ? { leftToRight: leftToRight ?? 0 } : {}),
    ...(what === "visits" ? { dwellMs: count === 0 ? 0 : Math.round((dwellMs ?? 0) / count) } : {}),
  };
}
