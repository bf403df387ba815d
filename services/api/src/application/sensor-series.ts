import type { Series, SeriesPoint, TimeRange } from "@huishi/contracts";
import { type Clock, HuishiError } from "@huishi/kernel";
import { bucketFor, findGaps, type Loss, mayBeRaw } from "../domain/series-plan.ts";
import { checkRange, DAY_MS, widenToBuckets } from "../domain/time-range.ts";

export interface Datastream {
  readonly no: number;
  readonly sensorId: string;
  readonly agentId: string;
  readonly observedProperty: string;
  readonly unit: string;
  readonly expectedIntervalMs: number | null;
}

export interface SeriesAsked {
  readonly datastreamNo: number;
  readonly range: TimeRange;
  readonly limit: number;
}

export interface SensorSeriesStore {
  findDatastream(sensorId: string, no: number): Promise<Datastream | null>;
  /** The values themselves, oldest first. */
  readValues(asked: SeriesAsked): Promise<SeriesPoint[]>;
  /** Sums by bucket, oldest first. */
  readBuckets(asked: SeriesAsked & { readonly bucketMs: number }): Promise<SeriesPoint[]>;
  /** What the agent's outbox had to give up of observations within the range. */
  readLosses(agentId: string, range: TimeRange): Promise<Loss[]>;
}

export interface SensorSeriesParts {
  readonly store: SensorSeriesStore;
  readonly clock: Clock;
}

const LONGEST_SERIES_MS = 400 * DAY_MS;

/**
 * A sensor's values over time: as they are when so few fit, else by minute, hour or whole multiples of them; with the
 * stretches in which there are none.
 *
 * @throws HuishiError DATASTREAM_NOT_FOUND, TIME_RANGE_INVALID, TIME_RANGE_TOO_LONG
 */
export async function readSeries(
  { store, clock }: SensorSeriesParts,
  asked: { sensorId: string; no: number; range: TimeRange; points: number },
): Promise<Series> {
  const { sensorId, no, range, points: limit } = asked;
  checkRange(range, LONGEST_SERIES_MS);
  const stream = await store.findDatastream(sensorId, no);
  if (stream === null) {
    throw new HuishiError(
      "DATASTREAM_NOT_FOUND",
      "The sensor has no such datastream; read the list of sensors again.",
      { details: { sensorId, no } },
    );
  }
  const { expectedIntervalMs } = stream;
  const drawn = await readPoints(store, { ...asked, limit, stream });
  // What has not happened yet is no gap.
  const past = { ...drawn.range, toMs: Math.min(drawn.range.toMs, clock.nowMs()) };
  const facts = { range: past, bucketMs: drawn.bucketMs, expectedIntervalMs };
  const silent = past.toMs > past.fromMs ? findGaps(drawn.points, { ...facts, losses: [] }) : [];
  const losses = silent.length === 0 ? [] : await store.readLosses(stream.agentId, past);
  const gaps = losses.length === 0 ? silent : findGaps(drawn.points, { ...facts, losses });
  const { observedProperty, unit } = stream;
  return {
    ...drawn.range,
    sensorId,
    no,
    observedProperty,
    unit,
    bucketMs: drawn.bucketMs,
    points: drawn.points,
    gaps,
  };
}

async function readPoints(
  store: SensorSeriesStore,
  asked: { range: TimeRange; limit: number; stream: Datastream },
): Promise<{ range: TimeRange; bucketMs: number; points: SeriesPoint[] }> {
  const { range, limit, stream } = asked;
  const datastreamNo = stream.no;
  if (mayBeRaw(range, limit, stream.expectedIntervalMs)) {
    const points = await store.readValues({ datastreamNo, range, limit: limit + 1 });
    // It sends more often than it said.
    if (points.length <= limit) return { range, bucketMs: 0, points };
  }
  const bucketMs = bucketFor(range, limit);
  const widened = widenToBuckets(range, bucketMs);
  const points = await store.readBuckets({ datastreamNo, range: widened, limit: limit + 1, bucketMs });
  return { range: widened, bucketMs, points };
}
