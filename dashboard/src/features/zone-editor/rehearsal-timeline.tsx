/** When the rule would have raised: a lane for each outcome, a bar for how long, a mark where it was decided. */
import type { Priority, Rehearsal, RehearsalResult } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";
import { clipTime, lanesOf, shareOf, spanOf, ticksOf } from "./rehearsal-model.ts";
import type { Compared } from "./compared-mark.tsx";

const WIDTH = 388;
const LANE = 26;
const AXIS = 20;
const EDGE = 8;
const HALF = 5;

type Draw = (x: number, y: number) => string;

const circle: Draw = (x, y) =>
  `M${x - HALF} ${y}a${HALF} ${HALF} 0 1 0 ${2 * HALF} 0a${HALF} ${HALF} 0 1 0 ${-2 * HALF} 0Z`;
const triangle: Draw = (x, y) => `M${x} ${y - HALF}L${x + HALF} ${y + HALF}L${x - HALF} ${y + HALF}Z`;

/** As compared-mark.tsx draws them. */
const COMPARED: Readonly<Record<Compared, Draw>> = {
  both: circle,
  added: triangle,
  removed: (x, y) =>
    `M${x - HALF} ${y - HALF}L${x + HALF} ${y + HALF}M${x + HALF} ${y - HALF}L${x - HALF} ${y + HALF}`,
};

/** As priority-mark.tsx draws them. */
const PRIORITIES: Readonly<Record<Priority, Draw>> = {
  P1: (x, y) => `M${x} ${y - HALF}L${x + HALF} ${y}L${x} ${y + HALF}L${x - HALF} ${y}Z`,
  P2: triangle,
  P3: (x, y) => `M${x - HALF} ${y - HALF}h${2 * HALF}v${2 * HALF}h${-2 * HALF}Z`,
  P4: circle,
};

export interface ShownResult {
  readonly rehearsal: Rehearsal;
  readonly result: RehearsalResult;
  readonly priority: Priority;
  /** Index of the alarm that is looked at. */
  readonly chosen: number | null;
  readonly onChoose: (index: number | null) => void;
}

export function RehearsalTimeline({ rehearsal, result, priority, chosen }: ShownResult) {
  const { t } = useWords();
  const lanes = lanesOf(rehearsal);
  const isCompared = rehearsal.baseline !== null;
  const height = lanes.length * LANE + AXIS;
  const xOf = (share: number): number => EDGE + share * (WIDTH - 2 * EDGE);
  const yOf = (compared: Compared): number => Math.max(0, lanes.indexOf(compared)) * LANE + LANE / 2;
  return (
    <figure className="rehearsal-timeline">
      <figcaption className="visually-hidden">{t.rehearsal.timeline}</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${height}`} aria-hidden data-testid="rehearsal-timeline">
        <Axis rehearsal={rehearsal} result={result} lanes={lanes.length} />
        {result.alarms.map((alarm, index) => {
          const { at, length, decided } = spanOf(alarm, result);
          const y = yOf(alarm.compared);
          const colour = isCompared ? `rehearsed-${alarm.compared}` : `priority-${priority}`;
          const x = Math.round(xOf(decided) * 10) / 10;
          return (
            <g
              key={index}
              className={index === chosen ? `${colour} rehearsed-chosen` : colour}
              data-testid="timeline-mark"
              data-compared={alarm.compared}
            >
              <rect
                x={xOf(at)}
                y={y - 2}
                width={Math.max(1, length * (WIDTH - 2 * EDGE))}
                height={4}
                className="rehearsed-bar"
              />
              <path
                d={(isCompared ? COMPARED[alarm.compared] : PRIORITIES[priority])(x, y)}
                className="rehearsed-shape"
              />
            </g>
          );
        })}
      </svg>
    </figure>
  );
}

function Axis(props: { rehearsal: Rehearsal; result: RehearsalResult; lanes: number }) {
  const { rehearsal, result, lanes } = props;
  const words = useWords();
  const isClip = rehearsal.source.kind === "clip";
  const bottom = lanes * LANE;
  const offsetMs = isClip ? 0 : -new Date(result.fromMs).getTimezoneOffset() * 60_000;
  const isDays = result.toMs - result.fromMs > 2 * 86_400_000;
  const label = (ms: number): string => {
    if (isClip) return clipTime(ms);
    return isDays ? words.weekday(new Date(ms).getDay() || 7) : words.time(ms).slice(0, 5);
  };
  return (
    <>
      <rect x={EDGE} y={0} width={WIDTH - 2 * EDGE} height={bottom} className="rehearsal-unseen" />
      {result.looked.map((stretch) => {
        const { at, length } = shareOf(stretch, result);
        const width = Math.max(1, length * (WIDTH - 2 * EDGE));
        return (
          <rect
            key={stretch.fromMs}
            x={EDGE + at * (WIDTH - 2 * EDGE)}
            y={0}
            width={width}
            height={bottom}
            className="rehearsal-seen"
          />
        );
      })}
      {Array.from({ length: lanes }, (_, lane) => (
        <line
          key={lane}
          x1={EDGE}
          x2={WIDTH - EDGE}
          y1={lane * LANE + LANE / 2}
          y2={lane * LANE + LANE / 2}
          className="rehearsal-lane"
        />
      ))}
      {ticksOf(result, offsetMs).map(({ at, ms }) => {
        const x = EDGE + at * (WIDTH - 2 * EDGE);
        return (
          <g key={ms} className="rehearsal-tick">
            <line x1={x} x2={x} y1={0} y2={bottom} />
            <text x={Math.min(Math.max(x, 16), WIDTH - 16)} y={bottom + 14} textAnchor="middle">
              {label(ms)}
            </text>
          </g>
        );
      })}
    </>
  );
}
