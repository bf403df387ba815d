/** Where objects stood in a camera's picture: cells over a snapshot of it where there is one. */
import { HEAT_COLUMNS, HEAT_ROWS, type HeatMap, type Zone } from "@huishi/contracts";
import { useMemo, useState } from "react";
import { snapshotUrl } from "../../core/api/api.ts";
import { statisticsPaths } from "../../core/api/statistics-api.ts";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useSelector } from "../../core/store.ts";
import { useQuestion } from "../../core/use-question.ts";
import { Panel } from "./panel.tsx";
import type { Asked } from "./asked.ts";

const DAY_MS = 86_400_000;
/** Heat maps go over so long at most. */
const LONGEST_MS = 31 * DAY_MS;

export function HeatPanel({ asked, zones }: { asked: Asked; zones: readonly Zone[] }) {
  const { api } = useApp();
  const { t } = useWords();
  const { range, cameraId, classes, turn } = asked;
  const fromMs = Math.max(range.fromMs, range.toMs - LONGEST_MS);
  const path = statisticsPaths.heat(cameraId, { fromMs, toMs: range.toMs, ...classes });
  const answer = useQuestion(`${path}#${turn}`, api.heat);
  return (
    <Panel
      title={t.statistics.heat.title}
      testId="panel-heat"
      answer={answer}
      isEmpty={({ cells }) => cells.length === 0}
      empty={{ title: t.statistics.heat.emptyTitle, text: t.statistics.heat.empty }}
      sheetPath={statisticsPaths.heat(cameraId, { fromMs, toMs: range.toMs, ...classes, byClass: true })}
    >
      {(map) => <HeatPicture key={cameraId} map={map} zones={zones} />}
    </Panel>
  );
}

interface Cell {
  readonly column: number;
  readonly row: number;
}
const within = (value: number, count: number): number => Math.min(count - 1, Math.max(0, value));
const STEPS: Readonly<Record<string, readonly [number, number]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

function HeatPicture({ map, zones }: { map: HeatMap; zones: readonly Zone[] }) {
  const { t, number, dateTime } = useWords();
  const picture = usePicture(map.cameraId);
  const [failed, setFailed] = useState<string | null>(null);
  const [aspect, setAspect] = useState<number | null>(null);
  const [cursor, setCursor] = useState<Cell | null>(null);
  const counts = useMemo(
    () => new Map(map.cells.map(({ column, row, detections }) => [row * HEAT_COLUMNS + column, detections])),
    [map],
  );
  const most = Math.max(1, ...counts.values());
  const shown = picture !== null && picture.id !== failed ? picture : null;
  const words = t.statistics.heat;
  const describe = ({ column, row }: Cell): string =>
    words.reading(number(column + 1), number(row + 1), number(counts.get(row * HEAT_COLUMNS + column) ?? 0));
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (!step) return;
    event.preventDefault();
    const at = cursor ?? { column: HEAT_COLUMNS >> 1, row: HEAT_ROWS >> 1 };
    setCursor({
      column: within(at.column + step[0], HEAT_COLUMNS),
      row: within(at.row + step[1], HEAT_ROWS),
    });
  };
  return (
    <>
      {/* A picture that is read cell by cell has no native element. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        className="heat"
        role="application"
        aria-label={words.title}
        aria-describedby="heat-reading"
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        data-testid="heat-map"
        data-picture={shown?.id ?? ""}
        style={{ aspectRatio: shown && aspect !== null ? aspect : 16 / 9 }}
        onKeyDown={onKeyDown}
        onBlur={() => setCursor(null)}
        onPointerLeave={() => setCursor(null)}
        onPointerMove={(event) => {
          const box = event.currentTarget.getBoundingClientRect();
          const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
          setCursor({
            column: within(Math.floor(x * HEAT_COLUMNS), HEAT_COLUMNS),
            row: within(Math.floor(y * HEAT_ROWS), HEAT_ROWS),
          });
        }}
      >
        {shown ? (
          <img
            src={snapshotUrl(shown.id)}
            alt=""
            onError={() => setFailed(shown.id)}
            onLoad={(event) =>
              setAspect(event.currentTarget.naturalWidth / event.currentTarget.naturalHeight)
            }
          />
        ) : null}
        <svg viewBox={`0 0 ${HEAT_COLUMNS} ${HEAT_ROWS}`} preserveAspectRatio="none" aria-hidden>
          {[...counts].map(([cell, detections]) => (
            <rect
              key={cell}
              className="heat-cell"
              x={cell % HEAT_COLUMNS}
              y={Math.floor(cell / HEAT_COLUMNS)}
              width={1}
              height={1}
              // Areas are compared by eye: the root keeps what is seldom visible beside what is often.
              fillOpacity={0.12 + 0.78 * Math.sqrt(detections / most)}
            />
          ))}
          {zones.map((zone) => (
            <polygon
              key={zone.id}
              className="heat-zone"
              points={zone.points.map(({ x, y }) => `${x * HEAT_COLUMNS},${y * HEAT_ROWS}`).join(" ")}
            />
          ))}
          {cursor ? (
            <rect className="heat-cursor" x={cursor.column} y={cursor.row} width={1} height={1} />
          ) : null}
        </svg>
      </div>
      <p className="chart-reading numeric" id="heat-reading" aria-live="polite" data-testid="heat-reading">
        {cursor ? describe(cursor) : words.most(number(most))}
      </p>
      <p className="hint">{shown ? words.pictureOf(dateTime(shown.capturedAtMs)) : words.noPicture}</p>
    </>
  );
}

interface Picture {
  readonly id: string;
  readonly capturedAtMs: number;
}
const isSamePicture = (a: Picture | null, b: Picture | null): boolean => a?.id === b?.id;

/** The newest known snapshot of the camera: what an alarm was decided on. */
function usePicture(cameraId: string): Picture | null {
  const { operations } = useApp();
  return useSelector(
    operations.alarms,
    useMemo(
      () =>
        ({ byId, order }) => {
          for (const id of order) {
            const alarm = byId.get(id);
            if (alarm?.cameraId === cameraId && alarm.sensorId === null && alarm.hasSnapshot) {
              return { id, capturedAtMs: alarm.capturedAtMs };
            }
          }
          return null;
        },
      [cameraId],
    ),
    isSamePicture,
  );
}
