/** From which zone to which, as a table whose cells are the darker the more went that way. */
import { FLOW_WITHIN_MINUTES, type Flows, FLOW_VIAS, type FlowVia, type Zone } from "@huishi/contracts";
import { useState } from "react";
import { statisticsPaths } from "../../core/api/statistics-api.ts";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useQuestion } from "../../core/use-question.ts";
import { SelectField } from "../../ui/field.tsx";
import { Panel } from "./panel.tsx";
import type { Asked } from "./asked.ts";

export function FlowsPanel(props: { asked: Asked; zones: readonly Zone[]; drawAction: React.ReactNode }) {
  const { asked, zones, drawAction } = props;
  const { api } = useApp();
  const { t, number } = useWords();
  const [within, setWithin] = useState("any");
  const [via, setVia] = useState<FlowVia>("any");
  const { range, cameraId, classes, turn } = asked;
  const shared = {
    ...range,
    cameraId,
    ...classes,
    via,
    limit: 10_000,
    ...(within === "any" ? {} : { withinMinutes: Number(within) }),
  };
  const path = statisticsPaths.flows(shared);
  const isPossible = zones.length >= 2;
  const answer = useQuestion(isPossible ? `${path}#${turn}` : null, api.flows);
  const words = t.statistics.flows;
  const controls = (
    <>
      <SelectField
        label={words.within}
        value={within}
        testId="flows-within"
        onChange={setWithin}
        options={[
          { value: "any", label: words.withinAny },
          ...FLOW_WITHIN_MINUTES.map((minutes) => ({
            value: String(minutes),
            label: words.withinMinutes(number(minutes)),
          })),
        ]}
      />
      <SelectField
        label={words.via}
        value={via}
        testId="flows-via"
        onChange={setVia}
        options={FLOW_VIAS.map((value) => ({ value, label: words.vias[value] ?? value }))}
      />
    </>
  );
  return (
    <Panel
      title={words.title}
      note={words.note}
      testId="panel-flows"
      missing={isPossible ? null : { title: words.tooFewTitle, text: words.tooFew, action: drawAction }}
      answer={answer}
      isEmpty={({ flows }) => flows.length === 0}
      empty={{ title: words.emptyTitle, text: words.empty }}
      sheetPath={statisticsPaths.flows({ ...shared, byClass: true })}
      controls={controls}
    >
      {(flows) => <FlowMatrix flows={flows} zones={zones} />}
    </Panel>
  );
}

function FlowMatrix({ flows: { flows }, zones }: { flows: Flows; zones: readonly Zone[] }) {
  const { t, number, percent } = useWords();
  const [reading, setReading] = useState<string | null>(null);
  const words = t.statistics.flows;
  const counts = new Map(
    flows.map(({ fromZoneId, toZoneId, count }) => [`${fromZoneId} ${toZoneId}`, count]),
  );
  const countOf = (from: Zone, to: Zone): number => counts.get(`${from.id} ${to.id}`) ?? 0;
  const most = Math.max(1, ...counts.values());
  return (
    <>
      <div className="figure-scroll">
        <table className="flow-matrix" data-testid="flow-matrix">
          <caption className="visually-hidden">{words.title}</caption>
          <thead>
            <tr>
              <td>
                {words.from} ↓ {words.to} →
              </td>
              {zones.map((zone) => (
                <th key={zone.id} scope="col" title={zone.name}>
                  {zone.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {zones.map((from) => {
              const leaving = zones.reduce((total, to) => total + countOf(from, to), 0);
              return (
                <tr key={from.id}>
                  <th scope="row" title={from.name}>
                    {from.name}
                  </th>
                  {zones.map((to) => {
                    const count = countOf(from, to);
                    if (from.id === to.id) return <td key={to.id} className="flow-self" aria-hidden />;
                    const said = words.reading(
                      from.name,
                      to.name,
                      number(count),
                      percent(leaving === 0 ? 0 : count / leaving),
                    );
                    const share = Math.round(46 * Math.sqrt(count / most));
                    return (
                      <td key={to.id}>
                        <button
                          type="button"
                          className="flow-cell numeric"
                          aria-label={said}
                          data-testid="flow-cell"
                          style={{ background: `color-mix(in srgb, var(--heat) ${share}%, transparent)` }}
                          onFocus={() => setReading(said)}
                          onBlur={() => setReading(null)}
                          onPointerEnter={() => setReading(said)}
                          onPointerLeave={() => setReading(null)}
                        >
                          {count === 0 ? t.common.none : number(count)}
                        </button>
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="chart-reading numeric" data-testid="flow-reading">
        {reading ?? <span className="hint">{words.note}</span>}
      </p>
    </>
  );
}
