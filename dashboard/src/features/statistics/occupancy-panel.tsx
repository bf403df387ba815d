/** How many objects were in a zone at once: the mean as a line, the most at once above it. Gaps are gaps. */
import type { Granularity, Occupancy, OccupancyPoint } from "@huishi/contracts";
import { useApp } from "../../core/app-context.ts";
import { statisticsPaths } from "../../core/api/statistics-api.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useQuestion } from "../../core/use-question.ts";
import { Chart } from "./chart.tsx";
import { Panel } from "./panel.tsx";
import { bandOf, bucketsOf, type Plot, yOf } from "./scale.ts";
import type { Asked } from "./asked.ts";
import { useTick } from "./use-tick.ts";

export function OccupancyPanel({ asked, drawAction }: { asked: Asked; drawAction: React.ReactNode }) {
  const { api } = useApp();
  const { t } = useWords();
  const { range, by, timeZone, zoneId, classes, turn } = asked;
  const path =
    zoneId === null
      ? null
      : statisticsPaths.occupancy({ ...range, by, timeZone, zoneId: [zoneId], ...classes, limit: 20_000 });
  const answer = useQuestion(path === null ? null : `${path}#${turn}`, api.occupancy);
  const words = t.statistics.occupancy;
  return (
    <Panel
      title={words.title}
      note={t.statistics.by[by] ?? ""}
      testId="panel-occupancy"
      missing={zoneId === null ? { title: words.noZoneTitle, text: words.noZone, action: drawAction } : null}
      answer={answer}
      isEmpty={({ points }) => points.every(({ watchedMs }) => watchedMs === 0)}
      empty={{ title: words.emptyTitle, text: words.empty }}
      sheetPath={path}
    >
      {(occupancy) => <OccupancyChart occupancy={occupancy} by={by} />}
    </Panel>
  );
}

function OccupancyChart({ occupancy, by }: { occupancy: Occupancy; by: Granularity }) {
  const words = useWords();
  const { t, number } = words;
  const tick = useTick(by);
  const known = new Map(occupancy.points.map((point) => [point.atMs, point]));
  const buckets = bucketsOf(occupancy, by);
  const at = (index: number): OccupancyPoint | undefined => known.get(buckets[index] ?? -1);
  const draw = (plot: Plot, max: number): React.ReactNode => (
    <>
      {buckets.map((atMs, index) => {
        const point = at(index);
        const band = bandOf(plot, index, buckets.length);
        if (!point) return null;
        const y = yOf(plot, point.max, max);
        return (
          <rect
            key={atMs}
            className="chart-weak"
            x={band.x}
            width={Math.max(0.5, band.width - (band.width > 4 ? 1 : 0))}
            y={y}
            height={plot.height - plot.bottom - y}
          />
        );
      })}
      {runsOf(buckets.map((_, index) => at(index)?.mean ?? null)).map(({ from, values }) => (
        <polyline
          key={from}
          className="chart-line"
          points={lineOf(plot, { from, values, count: buckets.length, max })}
        />
      ))}
    </>
  );
  return (
    <>
      <p className="chart-key">
        <span className="key-line">{t.statistics.occupancy.mean}</span>
        <span className="key-weak">{t.statistics.occupancy.max}</span>
      </p>
      <Chart
        label={t.statistics.occupancy.title}
        testId="chart-occupancy"
        count={buckets.length}
        largest={Math.max(...occupancy.points.map(({ max }) => max))}
        describe={(index) => {
          const point = at(index);
          const when = tick.long(buckets[index] ?? 0);
          if (!point || point.mean === null) return t.statistics.occupancy.notWatched(when);
          return t.statistics.occupancy.reading(when, number(point.mean), number(point.max));
        }}
        tick={(index) => tick.short(buckets[index] ?? 0)}
        draw={draw}
      />
    </>
  );
}

interface Run {
  readonly from: number;
  readonly values: readonly number[];
}

/** Neighbours that are known; a line is never drawn over what nobody saw. */
function runsOf(values: readonly (number | null)[]): Run[] {
  const runs: { from: number; values: number[] }[] = [];
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const last = runs.at(-1);
    if (last && last.from + last.values.length === index) last.values.push(value);
    else runs.push({ from: index, values: [value] });
  }
  return runs;
}

/** A step as wide as its bucket: a single one is a line too. */
function lineOf(plot: Plot, { from, values, count, max }: Run & { count: number; max: number }): string {
  return values
    .flatMap((value, index) => {
      const { x, width } = bandOf(plot, from + index, count);
      const y = yOf(plot, value, max).toFixed(1);
      return [`${x.toFixed(1)},${y}`, `${(x + width).toFixed(1)},${y}`];
    })
    .join(" ");
}
