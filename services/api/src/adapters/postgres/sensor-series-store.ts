import type { SeriesPoint, TimeRange } from "@huishi/contracts";
import type { Pool } from "@huishi/platform";
import type { Datastream, SensorSeriesStore, SeriesAsked } from "../../application/sensor-series.ts";
import type { Loss } from "../../domain/series-plan.ts";
import type { Question } from "./queries/question.ts";
import { bucketsQuestion, lossesQuestion, valuesQuestion } from "./queries/series-question.ts";

interface PointRow {
  readonly at_ms: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly n: number;
}

export class PostgresSensorSeriesStore implements SensorSeriesStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async findDatastream(sensorId: string, no: number): Promise<Datastream | null> {
    const found = await this.#pool.query<{
      agent_id: string;
      observed_property: string;
      unit: string;
      expected_interval_ms: number | null;
    }>(
      `SELECT s.agent_id, d.observed_property, d.unit, d.expected_interval_ms
       FROM datastream AS d JOIN sensor AS s ON s.id = d.sensor_id WHERE d.no = $1 AND s.id = $2`,
      [no, sensorId],
    );
    const row = found.rows[0];
    if (row === undefined) return null;
    return {
      no,
      sensorId,
      agentId: row.agent_id,
      observedProperty: row.observed_property,
      unit: row.unit,
      expectedIntervalMs: row.expected_interval_ms,
    };
  }

  readValues(asked: SeriesAsked): Promise<SeriesPoint[]> {
    return this.#readPoints(valuesQuestion(asked));
  }

  readBuckets(asked: SeriesAsked & { readonly bucketMs: number }): Promise<SeriesPoint[]> {
    return this.#readPoints(bucketsQuestion(asked));
  }

  async readLosses(agentId: string, range: TimeRange): Promise<Loss[]> {
    const { text, values } = lossesQuestion(agentId, range);
    const found = await this.#pool.query<{ from_ms: number; to_ms: number }>(text, [...values]);
    return found.rows.map((row) => ({ fromMs: row.from_ms, toMs: row.to_ms }));
  }

  async #readPoints({ text, values }: Question): Promise<SeriesPoint[]> {
    const found = await this.#pool.query<PointRow>(text, [...values]);
    return found.rows.map(({ at_ms: atMs, mean, min, max, n }) => ({ atMs, mean, min, max, n }));
  }
}
