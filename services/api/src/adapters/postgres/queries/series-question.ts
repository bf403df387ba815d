import { EVENT_TYPES, type TimeRange } from "@huishi/contracts";
import type { SeriesAsked } from "../../../application/sensor-series.ts";
import { rollupFor } from "../../../domain/series-plan.ts";
import { DAY_MS } from "../../../domain/time-range.ts";
import { millisOf, type Question } from "./question.ts";

/** An outbox keeps events for a week and more: the word on what it lost may come that much later. */
const WORD_OF_LOSS_MS = 8 * DAY_MS;
const MOST_LOSSES = 1_000;

export function valuesQuestion({ datastreamNo, range, limit }: SeriesAsked): Question {
  const text = `SELECT ${millisOf("captured_at")} AS at_ms, value AS mean, value AS min, value AS max, 1 AS n
    FROM observation WHERE datastream_no = $1 AND captured_at >= $2 AND captured_at < $3
    ORDER BY captured_at LIMIT $4`;
  return { text, values: [datastreamNo, new Date(range.fromMs), new Date(range.toMs), limit] };
}

export function bucketsQuestion(asked: SeriesAsked & { readonly bucketMs: number }): Question {
  const { datastreamNo, range, limit, bucketMs } = asked;
  const text = `SELECT ${millisOf("bucket")} AS at_ms, value_sum / n AS mean, min, max, n::float8 AS n
    FROM (SELECT huishi_store.time_bucket($5 * interval '1 millisecond', bucket) AS bucket, sum(value_sum) AS value_sum,
                 min(value_min) AS min, max(value_max) AS max, sum(n) AS n
          FROM huishi_store.${rollupFor(bucketMs)}($2::timestamptz, $3::timestamptz) AS rolled
          WHERE datastream_no = $1 GROUP BY 1) AS part
    ORDER BY bucket LIMIT $4`;
  return { text, values: [datastreamNo, new Date(range.fromMs), new Date(range.toMs), limit, bucketMs] };
}

/** What an agent's outbox lost of observations in the range (contracts: OutboxGapEvent). */
export function lossesQuestion(agentId: string, range: TimeRange): Question {
  const text = `SELECT (body ->> 'fromMs')::float8 AS from_ms, (body ->> 'toMs')::float8 AS to_ms
    FROM edge_event
    WHERE subject_id = $1 AND type_code = $2 AND captured_at >= $3 AND captured_at < $4
      AND body -> 'lost' ? 'observation'
      AND (body ->> 'toMs')::float8 >= $5 AND (body ->> 'fromMs')::float8 < $6
    ORDER BY captured_at LIMIT ${MOST_LOSSES}`;
  const { fromMs, toMs } = range;
  return {
    text,
    values: [
      agentId,
      EVENT_TYPES.outbox_gap,
      new Date(fromMs),
      new Date(toMs + WORD_OF_LOSS_MS),
      fromMs,
      toMs,
    ],
  };
}
