import { useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { type CameraRow, sortRows, type SortKey } from "./camera-rows.ts";

const COLUMNS = [
  ["name", "camera"],
  [null, "sampling"],
  ["lastAgeMs", "last"],
  ["frames", "frames"],
  ["drops", "drops"],
  ["costMs", "cost"],
  ["loadMs", "load"],
] as const satisfies readonly (readonly [SortKey | null, string])[];

export function CameraTable({ rows }: { rows: readonly CameraRow[] }) {
  const { t } = useWords();
  const [sort, setSort] = useState<{ key: SortKey; isRising: boolean }>({ key: "costMs", isRising: false });
  const by = (key: SortKey): void =>
    setSort((now) => ({ key, isRising: now.key === key ? !now.isRising : key === "name" }));
  return (
    <div className="figure-scroll">
      <table className="camera-table" data-testid="camera-table">
        <thead>
          <tr>
            {COLUMNS.map(([key, column]) => {
              const name = t.system.column[column];
              if (key === null) {
                return (
                  <th key={column} scope="col">
                    {name}
                  </th>
                );
              }
              const isSorted = sort.key === key;
              return (
                <th
                  key={column}
                  scope="col"
                  aria-sort={isSorted ? (sort.isRising ? "ascending" : "descending") : "none"}
                >
                  <button
                    type="button"
                    className="button quiet"
                    aria-label={t.system.sortBy(name)}
                    title={column === "load" ? t.system.loadHint : undefined}
                    data-testid={`sort-${column}`}
                    onClick={() => by(key)}
                  >
                    {name} <span aria-hidden>{isSorted ? (sort.isRising ? "↑" : "↓") : ""}</span>
                  </button>
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody>
          {sortRows(rows, sort).map((row) => (
            <Row key={`${row.instanceId} ${row.cameraId}`} row={row} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row }: { row: CameraRow }) {
  const { t, number, age } = useWords();
  const { sampling, state, lastAgeMs, costMs, loadMs } = row;
  const sampled =
    sampling.kind === "fps" ? t.system.sampling.fps(number(sampling.fps)) : t.system.sampling[sampling.kind];
  return (
    <tr data-testid="camera-row" data-camera-id={row.cameraId} data-state={state}>
      <th scope="row">
        {row.name}
        {row.unknownClasses.length > 0 && (
          <>
            {" "}
            <span className="chip" title={t.system.unknownClassesHint} data-testid="rule-fault">
              {t.system.unknownClasses(row.unknownClasses.map((one) => t.objectClass[one] ?? one).join(", "))}
            </span>
          </>
        )}
      </th>
      <td>{sampled}</td>
      <td className="numeric">
        {lastAgeMs === null ? t.common.none : age(lastAgeMs)}{" "}
        <span className="chip">{t.system.state[state]}</span>
      </td>
      <td className="numeric">{number(row.frames)}</td>
      <td className="numeric">{number(row.drops)}</td>
      <td className="numeric">
        {costMs === null ? t.common.none : number(costMs)}
        <small className="camera-stages">
          {row.stageMs
            .map(({ stage, meanMs }) => `${t.system.stage[stage] ?? stage} ${number(meanMs)}`)
            .join(" · ")}
        </small>
      </td>
      <td className="numeric">{loadMs === null ? t.common.none : number(loadMs)}</td>
    </tr>
  );
}
