/** How long objects stayed in a zone: bins of equal ratio, with the quantiles marked. */
import type { DwellDistribution } from "@huishi/contracts";
import { useApp } from "../../core/app-context.ts";
import { statisticsPaths } from "../../core/api/statistics-api.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useQuestion } from "../../core/use-question.ts";
import { Chart } from "./chart.tsx";
import { quantilePlace, wideBins } from "./dwell-bins.ts";
import { Panel } from "./panel.tsx";
import { bandOf, type Plot, yOf } from "./scale.ts";
import type { Asked } from "./asked.ts";

export function DwellPanel({ asked, drawAction }: { asked: Asked; drawAction: React.ReactNode }) {
  const { api } = useApp();
  const { t } = useWords();
  const { range, zoneId, classes, turn } = asked;
  const shared = zoneId === null ? null : { ...range, zoneId: [zoneId], ...classes };
  const path = shared && statisticsPaths.dwell(shared);
  const answer = useQuestion(path === null ? null : `${path}#${turn}`, api.dwell);
  const { noZoneTitle, noZone } = t.statistics.occupancy;
  return (
    <Panel
      title={t.statistics.dwell.title}
      testId="panel-dwell"
      missing={zoneId === null ? { title: noZoneTitle, text: noZone, action: drawAction } : null}
      answer={answer}
      isEmpty={({ distributions }) => distributions.length === 0}
      empty={{ title: t.statistics.dwell.emptyTitle, text: t.statistics.dwell.empty }}
      sheetPath={shared && statisticsPaths.dwell({ ...shared, groupBy: "zone_class" })}
    >
      {({ distributions: [distribution] }) =>
        distribution ? <DwellChart distribution={distribution} /> : null
      }
    </Panel>
  );
}

function DwellChart({ distribution }: { distribution: DwellDistribution }) {
  const { t, number, percent, length } = useWords();
  const words = t.statistics.dwell;
  const bins = wideBins(distribution.bins);
  const { p50Ms, p90Ms, p95Ms } = distribution;
  const marks = [
    { share: 0.5, atMs: p50Ms, words: words.quantile(words.half) },
    { share: 0.9, atMs: p90Ms, words: words.quantile(percent(0.9)) },
    { share: 0.95, atMs: p95Ms, words: words.quantile(percent(0.95)) },
  ];
  const draw = (plot: Plot, max: number): React.ReactNode => (
    <>
      {bins.map((bin, index) => {
        const band = bandOf(plot, index, bins.length);
        const y = yOf(plot, bin.visits, max);
        return (
          <rect
            key={bin.fromMs}
            className="chart-strong"
            x={band.x + 0.5}
            width={Math.max(0.5, band.width - 1)}
            y={y}
            height={plot.height - plot.bottom - y}
          />
        );
      })}
      {marks.map(({ share, atMs }, row) => {
        const place = quantilePlace(bins, atMs);
        const x = bandOf(plot, place, bins.length).x;
        const isRight = x > plot.width * 0.8;
        return (
          <g key={share} className="chart-mark">
            <line x1={x} x2={x} y1={plot.top} y2={plot.height - plot.bottom} />
            <text
              x={x + (isRight ? -4 : 4)}
              y={plot.top + 10 + row * 14}
              textAnchor={isRight ? "end" : "start"}
            >
              {percent(share)}
            </text>
          </g>
        );
      })}
    </>
  );
  return (
    <>
      <p className="chart-key">
        <b className="numeric">{words.visits(number(distribution.visits))}</b>
        <span className="numeric">{words.mean(length(distribution.meanMs))}</span>
        {marks.map((mark) => (
          <span key={mark.share} className="key-mark numeric">
            {mark.words} <b>{length(mark.atMs)}</b>
          </span>
        ))}
      </p>
      <Chart
        label={words.title}
        testId="chart-dwell"
        count={bins.length}
        largest={Math.max(...bins.map(({ visits }) => visits))}
        describe={(index) => {
          const bin = bins[index];
          if (!bin) return t.common.none;
          return bin.toMs === null
            ? words.readingLast(length(bin.fromMs), number(bin.visits))
            : words.reading(length(bin.fromMs), length(bin.toMs), number(bin.visits));
        }}
        tick={(index) => length(bins[index]?.fromMs ?? 0)}
        draw={draw}
      />
    </>
  );
}
