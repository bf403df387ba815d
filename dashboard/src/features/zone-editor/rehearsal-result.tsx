/** What the rule would have raised: how many, when, and each of them. */
import type { Priority, Rehearsal, RehearsalResult, Zone } from "@huishi/contracts";
import { useState } from "react";
import type { Words } from "../../core/i18n/catalogue.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { ComparedMark } from "./compared-mark.tsx";
import { isWatchedThroughout, lanesOf, raisedPerDay, whyNone } from "./rehearsal-model.ts";
import { RehearsalList } from "./rehearsal-list.tsx";
import { RehearsalTimeline } from "./rehearsal-timeline.tsx";

export function RehearsalResultView(props: {
  readonly rehearsal: Rehearsal;
  readonly zone: Zone;
  readonly priority: Priority;
  /** The form has been changed since. */
  readonly isChanged: boolean;
}) {
  const { rehearsal, zone, priority, isChanged } = props;
  const words = useWords();
  const { t } = words;
  const [chosen, setChosen] = useState<number | null>(null);
  const { result } = rehearsal;
  if (rehearsal.state === "cancelled" || !result) return <p className="hint">{t.rehearsal.cancelled}</p>;
  const isNothing = result.alarms.length === 0;
  const shown = { rehearsal, result, priority, chosen, onChoose: setChosen };
  return (
    <div
      className="rehearsal-result"
      data-testid="rehearsal-result"
      data-raised={result.raised}
      aria-live="polite"
    >
      {isChanged ? (
        <p className="rehearsal-changed" data-testid="rehearsal-changed">
          {t.rehearsal.changedSince}
        </p>
      ) : null}
      {isNothing ? (
        <Nothing result={result} />
      ) : (
        <>
          <Summary rehearsal={rehearsal} result={result} priority={priority} />
          <RehearsalTimeline {...shown} />
          <RehearsalList key={rehearsal.id} zone={zone} {...shown} />
        </>
      )}
    </div>
  );
}

function Nothing({ result }: { result: RehearsalResult }) {
  const { t, number, age } = useWords();
  const why = whyNone(result);
  const time = age(result.coveredMs);
  return (
    <div className="rehearsal-none" data-testid="rehearsal-none" data-why={why}>
      <h5>{t.rehearsal.noneTitle}</h5>
      <p>
        {why === "noneUnseen"
          ? t.rehearsal.noneUnseen
          : why === "noneEmpty"
            ? t.rehearsal.noneEmpty(time)
            : t.rehearsal.noneFit(number(result.tracks), time)}
      </p>
    </div>
  );
}

function Summary(props: { rehearsal: Rehearsal; result: RehearsalResult; priority: Priority }) {
  const { rehearsal, result, priority } = props;
  const words = useWords();
  const { t, number, age } = words;
  return (
    <div className="rehearsal-summary">
      <p>
        <strong data-testid="rehearsal-raised">
          {result.raised === 1 ? t.rehearsal.oneRaised : t.rehearsal.raised(number(result.raised))}
        </strong>
        <span className="numeric">{beside(result, words)}</span>
      </p>
      {rehearsal.baseline === null ? null : (
        <ul className="rehearsal-legend" data-testid="rehearsal-legend">
          {lanesOf(rehearsal).map((compared) => (
            <li key={compared} data-compared={compared} data-count={countOf(result, compared)}>
              <ComparedMark compared={compared} priority={priority} />
              {t.rehearsal.compared[compared]} <b className="numeric">{number(countOf(result, compared))}</b>
            </li>
          ))}
        </ul>
      )}
      <p className="hint">
        {t.rehearsal.lookedAt(number(result.tracks), age(result.coveredMs))}{" "}
        {isWatchedThroughout(result) ? null : t.rehearsal.unseen}
      </p>
    </div>
  );
}

function beside(result: RehearsalResult, { t, number }: Words): string {
  const perDay = raisedPerDay(result);
  return [
    perDay === null ? null : t.rehearsal.perDay(number(perDay)),
    result.baselineRaised === null ? null : t.rehearsal.saved(number(result.baselineRaised)),
  ]
    .filter((text) => text !== null)
    .join(" · ");
}

function countOf(
  { raised, added, removed }: RehearsalResult,
  compared: "both" | "added" | "removed",
): number {
  if (compared === "both") return raised - (added ?? 0);
  return (compared === "added" ? added : removed) ?? 0;
}
