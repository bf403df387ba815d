/** A drawing whose figures are read one after the other: by pointer, or by arrow keys as on a slider. */
import { useEffect, useRef, useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { bandAt, bandOf, labelled, niceMax, type Plot, plotOf, yOf } from "./scale.ts";

export interface ChartProps {
  readonly label: string;
  readonly testId: string;
  /** How many figures there are. */
  readonly count: number;
  /** What is read at a place, in words. */
  readonly describe: (index: number) => string;
  /** The largest value that is drawn. */
  readonly largest: number;
  /** What stands under a place. */
  readonly tick: (index: number) => string;
  readonly draw: (plot: Plot, max: number) => React.ReactNode;
}

const TICK_PX = 64;

export function Chart({ label, testId, count, describe, largest, tick, draw }: ChartProps) {
  const { t, number } = useWords();
  const { ref, width } = useWidth();
  const [chosen, setCursor] = useState<number | null>(null);
  const cursor = chosen !== null && chosen < count ? chosen : null;
  const plot = plotOf(width);
  const max = niceMax(largest);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const next = stepped(event.key, cursor ?? count - 1, count);
    if (next === null) return;
    event.preventDefault();
    setCursor(next);
  };
  const shown = cursor ?? count - 1;
  const under = cursor === null ? null : bandOf(plot, cursor, count);
  return (
    <div className="chart" ref={ref}>
      {/* A native slider cannot hold a drawing. */}
      <div
        className="chart-surface"
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
        role="slider"
        tabIndex={0}
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={count - 1}
        aria-valuenow={shown}
        aria-valuetext={describe(shown)}
        data-testid={testId}
        onKeyDown={onKeyDown}
        onPointerMove={(event) => {
          const { left } = event.currentTarget.getBoundingClientRect();
          setCursor(bandAt(plot, event.clientX - left, count));
        }}
        onPointerLeave={() => setCursor(null)}
        onFocus={() => setCursor((at) => at ?? count - 1)}
        onBlur={() => setCursor(null)}
      >
        <svg width={plot.width} height={plot.height} aria-hidden>
          {[0, 0.5, 1].map((part) => (
            <g key={part} className="chart-grid">
              <line
                x1={plot.left}
                x2={plot.width - plot.right}
                y1={yOf(plot, part, 1)}
                y2={yOf(plot, part, 1)}
              />
              <text x={plot.left - 6} y={yOf(plot, part, 1) + 4} textAnchor="end">
                {number(part * max)}
              </text>
            </g>
          ))}
          {under ? (
            <rect
              className="chart-cursor"
              x={under.x}
              width={Math.max(1, under.width)}
              y={plot.top}
              height={plot.height - plot.top - plot.bottom}
            />
          ) : null}
          {draw(plot, max)}
          {labelled(plot, count, TICK_PX).map((index) => {
            const { x } = bandOf(plot, index, count);
            const isAtEnd = x > plot.width - TICK_PX;
            return (
              <text
                key={index}
                x={isAtEnd ? plot.width - 2 : x}
                y={plot.height - 8}
                textAnchor={isAtEnd ? "end" : "start"}
              >
                {tick(index)}
              </text>
            );
          })}
        </svg>
      </div>
      <p className="chart-reading numeric" data-testid={`${testId}-reading`}>
        {cursor === null ? <span className="hint">{t.statistics.hint}</span> : describe(cursor)}
      </p>
    </div>
  );
}

function stepped(key: string, at: number, count: number): number | null {
  const to = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    Home: 0,
    End: count - 1,
    PageUp: at + 10,
    PageDown: at - 10,
  }[key];
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to));
}

/** The width that an element has, as long as it is there. */
function useWidth(): { ref: React.RefObject<HTMLDivElement | null>; width: number } {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(600);
  useEffect(() => {
    const element = ref.current;
    if (!element) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.max(120, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return { ref, width };
}
