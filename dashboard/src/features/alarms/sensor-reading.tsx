/** What a sensor measured: a value beside its limit, and how it came to it. Stands where a camera's alarm has its picture. */
import type { Alarm, SeriesPoint } from "@huishi/contracts";
import { useEffect, useState } from "react";
import { api } from "../../core/api/api.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { sparkline } from "../../core/model/sparkline.ts";

type Measured = NonNullable<Alarm["measured"]>;

const BEFORE_MS = 45 * 60_000;
const AFTER_MS = 15 * 60_000;
const POINTS = 120;
const WIDTH = 374;
const HEIGHT = 96;

export function ReadingMark({ measured, hasEnded }: { measured: Measured; hasEnded: boolean }) {
  const { measure } = useWords();
  return (
    <span
      className={`reading-mark numeric${hasEnded ? " reading-ended" : ""}`}
      data-testid="reading-mark"
      data-ended={hasEnded}
    >
      {measure(measured.value, measured.unit)}
    </span>
  );
}

export function SensorReading({ alarm, measured }: { alarm: Alarm; measured: Measured }) {
  const { t, measure, observedProperty } = useWords();
  const points = useTrend(alarm, measured);
  const what = observedProperty(measured.observedProperty);
  const line = points && sparkline(points, measured.limit, { width: WIDTH, height: HEIGHT });
  return (
    <figure className="reading" data-testid="sensor-reading">
      <figcaption>
        <span>{what}</span>
        <strong className={`numeric priority-${alarm.priority}`}>
          {measure(measured.value, measured.unit)}
        </strong>
        <span className="numeric">{t.alarms.limit(measure(measured.limit, measured.unit))}</span>
      </figcaption>
      <p className="visually-hidden">{t.alarms.trend(what)}</p>
      {line ? (
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden data-testid="trend">
          <line
            x1={0}
            x2={WIDTH}
            y1={line.limitY}
            y2={line.limitY}
            className={`reading-limit priority-${alarm.priority}`}
          />
          <polyline points={line.points} className="reading-line" />
        </svg>
      ) : (
        <p className="reading-none">{points ? t.alarms.noTrend : t.alarms.loading}</p>
      )}
    </figure>
  );
}

/** The values around the alarm; null while they are fetched. A trend that cannot be had is none. */
function useTrend(
  { sensorId, lastOccurredAtMs }: Alarm,
  { datastreamNo }: Measured,
): readonly SeriesPoint[] | null {
  const [points, setPoints] = useState<readonly SeriesPoint[] | null>(null);
  useEffect(() => {
    let isWanted = true;
    const show = (found: readonly SeriesPoint[]): void => {
      if (isWanted) setPoints(found);
    };
    if (sensorId === null || datastreamNo === null) show([]);
    else {
      const range = {
        fromMs: lastOccurredAtMs - BEFORE_MS,
        toMs: lastOccurredAtMs + AFTER_MS,
        points: POINTS,
      };
      api.series(sensorId, datastreamNo, range).then(
        (series) => show(series.points),
        () => show([]),
      );
    }
    return () => {
      isWanted = false;
    };
  }, [sensorId, datastreamNo, lastOccurredAtMs]);
  return points;
}
