/** Crossings over time, both ways stacked; and the same by class and direction. */
import type { CountPoint, Counts, Granularity } from "@huishi/contracts";
import { useApp } from "../../core/app-context.ts";
import { statisticsPaths } from "../../core/api/statistics-api.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useQuestion } from "../../core/use-question.ts";
import { Chart } from "./chart.tsx";
import { Panel } from "./panel.tsx";
import { bandOf, bucketsOf, type Plot, yOf } from "./scale.ts";
import type { Asked } from "./asked.ts";
import { useTick } from "./use-tick.ts";

interface Bar {
  readonly atMs: number;
  readonly right: number;
  readonly left: number;
}

export function CountsPanel({
  asked,
  hasLine,
  drawAction,
}: {
  asked: Asked;
  hasLine: boolean;
  drawAction: React.ReactNode;
}) {
  const { api } = useApp();
  const { t } = useWords();
  const { range, by, timeZone, cameraId, ruleId, classes, turn } = asked;
  const scope = ruleId === null ? { cameraId: [cameraId] } : { ruleId: [ruleId] };
  const shared = { what: "crossings", ...range, ...scope, ...classes, timeZone, limit: 20_000 } as const;
  const path = statisticsPaths.counts({ ...shared, by });
  // Days are the coarsest sums: their number of rows is small whatever the range.
  const classPath = statisticsPaths.counts({ ...shared, by: "day", groupBy: "line_class" });
  const answer = useQuestion(hasLine ? `${path}#${turn}` : null, api.counts);
  const byClass = useQuestion(hasLine ? `${classPath}#${turn}` : null, api.counts);
  const words = t.statistics.counts;
  return (
    <Panel
      title={words.title}
      note={t.statistics.by[by] ?? ""}
      testId="panel-counts"
      missing={hasLine ? null : { title: words.noLineTitle, text: words.noLine, action: drawAction }}
      answer={answer}
      isEmpty={({ points }) => points.length === 0}
      empty={{ title: words.emptyTitle, text: words.empty }}
      sheetPath={statisticsPaths.counts({ ...shared, by, groupBy: "line_class" })}
    >
      {(counts) => (
        <>
          <CountChart counts={counts} by={by} />
          <ClassTable points={byClass.value?.points ?? []} />
        </>
      )}
    </Panel>
  );
}

function CountChart({ counts, by }: { counts: Counts; by: Granularity }) {
  const words = useWords();
  const { t, number } = words;
  const tick = useTick(by);
  const bars = barsOf(counts, by);
  const draw = (plot: Plot, max: number): React.ReactNode =>
    bars.map((bar, index) => {
      const band = bandOf(plot, index, bars.length);
      const gap = band.width > 4 ? 1 : 0;
      const [ground, middle, top] = [0, bar.right, bar.right + bar.left].map((value) =>
        yOf(plot, value, max),
      );
      const box = { x: band.x + gap / 2, width: Math.max(0.5, band.width - gap) };
      return (
        <g key={bar.atMs}>
          <rect className="chart-strong" {...box} y={middle} height={(ground ?? 0) - (middle ?? 0)} />
          <rect className="chart-weak" {...box} y={top} height={(middle ?? 0) - (top ?? 0)} />
        </g>
      );
    });
  const [right, left] = [sum(bars, "right"), sum(bars, "left")];
  return (
    <>
      <p className="chart-key">
        <span className="key-strong">
          {t.statistics.counts.rightwards} <b className="numeric">{number(right)}</b>
        </span>
        <span className="key-weak">
          {t.statistics.counts.leftwards} <b className="numeric">{number(left)}</b>
        </span>
      </p>
      <Chart
        label={t.statistics.counts.title}
        testId="chart-counts"
        count={bars.length}
        largest={Math.max(...bars.map((bar) => bar.right + bar.left))}
        describe={(index) => {
          const bar = bars[index];
          return bar
            ? t.statistics.counts.reading(tick.long(bar.atMs), number(bar.right), number(bar.left))
            : t.common.none;
        }}
        tick={(index) => tick.short(bars[index]?.atMs ?? 0)}
        draw={draw}
      />
    </>
  );
}

/** Every bucket of the range: one without a crossing is a bar of nothing. */
function barsOf(counts: Counts, by: Granularity): Bar[] {
  const points = new Map(counts.points.map((point) => [point.atMs, point]));
  return bucketsOf(counts, by).map((atMs) => {
    const { count = 0, leftToRight = 0 } = points.get(atMs) ?? {};
    return { atMs, right: leftToRight, left: count - leftToRight };
  });
}

const sum = (bars: readonly Bar[], side: "left" | "right"): number =>
  bars.reduce((total, bar) => total + bar[side], 0);

function ClassTable({ points }: { points: readonly CountPoint[] }) {
  const { t, number, objectClass } = useWords();
  const rows = new Map<string, { right: number; left: number }>();
  for (const { objectClass: name = "", count, leftToRight = 0 } of points) {
    const row = rows.get(name) ?? { right: 0, left: 0 };
    rows.set(name, { right: row.right + leftToRight, left: row.left + count - leftToRight });
  }
  if (rows.size === 0) return null;
  const words = t.statistics.counts;
  return (
    <table className="figure-table" data-testid="class-table">
      <caption className="visually-hidden">{words.byClass}</caption>
      <thead>
        <tr>
          <th scope="col">{t.statistics.objectClass}</th>
          <th scope="col">{words.rightwards} →</th>
          <th scope="col">{words.leftwards} ←</th>
          <th scope="col">{words.total}</th>
        </tr>
      </thead>
      <tbody>
        {[...rows]
          .toSorted(([, a], [, b]) => b.right + b.left - a.right - a.left)
          .map(([name, { right, left }]) => (
            <tr key={name}>
              <th scope="row">{objectClass(name)}</th>
              {[right, left, right + left].map((value, index) => (
                <td key={index} className="numeric">
                  {number(value)}
                </td>
              ))}
            </tr>
          ))}
      </tbody>
    </table>
  );
}
