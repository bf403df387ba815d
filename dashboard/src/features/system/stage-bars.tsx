/** Mean time of a frame in each stage, one after the other; figures beside it. */
import type { StageTimes } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";

export function StageBars({ stages, scaleMs }: { stages: readonly StageTimes[]; scaleMs: number }) {
  const { t, number } = useWords();
  const perFrame = stages.filter(({ stage }) => stage !== "write");
  return (
    <>
      <h4>{t.system.stages}</h4>
      {stages.length === 0 ? <p className="hint">{t.system.noStages}</p> : null}
      <div className="stage-bar" data-testid="stage-bar" aria-hidden>
        {perFrame.map(({ stage, meanMs }) => (
          <span
            key={stage}
            className={`stage-part stage-${stage}`}
            style={{ width: `${((meanMs / scaleMs) * 100).toFixed(2)}%` }}
          />
        ))}
      </div>
      <ul className="stage-list">
        {stages.map(({ stage, meanMs, p95Ms, count }) => (
          <li
            key={stage}
            data-testid={`stage-${stage}`}
            title={t.system.stageReading(
              t.system.stage[stage] ?? stage,
              number(meanMs),
              number(p95Ms),
              number(count),
            )}
          >
            <span className={`stage-sign stage-${stage}`} aria-hidden />
            <span>{t.system.stage[stage] ?? stage}</span>
            <b className="numeric">
              {number(meanMs)} {t.system.ms}
            </b>
            <small className="numeric">({number(p95Ms)})</small>
          </li>
        ))}
      </ul>
    </>
  );
}
