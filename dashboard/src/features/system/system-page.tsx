/** How the analytics processes are: where the time of a frame goes, what was lost, what each camera costs. */
import { ANALYTICS_STATUS_EVERY_MS, type AnalyticsProcess } from "@huishi/contracts";
import { useEffect, useMemo, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useStore } from "../../core/store.ts";
import { useQuestion } from "../../core/use-question.ts";
import { ConsolePage } from "../../ui/console-page.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import { cameraRows, isStale } from "./camera-rows.ts";
import { CameraTable } from "./camera-table.tsx";
import { StageBars } from "./stage-bars.tsx";

export function SystemPage() {
  const { api, hub, operations } = useApp();
  const { t, age, number } = useWords();
  const answer = useQuestion("analytics", (_, signal) => api.analytics(signal), ANALYTICS_STATUS_EVERY_MS);
  const cameras = useStore(operations.cameras);
  const names = useMemo(() => new Map(cameras.map(({ id, name }) => [id, name])), [cameras]);
  const nowMs = useNow(hub.serverNowMs);
  const pageMs = useNow(pageClock);
  const processes = answer.value?.processes ?? [];
  const rows = cameraRows(processes, names, nowMs);
  const total = processes.reduce((sum, { cameraCount }) => sum + cameraCount, 0);
  return (
    <ConsolePage page="system">
      <div className="system-head">
        <h2>{t.system.analytics}</h2>
        {answer.atMs === null ? null : (
          <span className="hint numeric" data-testid="answer-age">
            {t.system.answerAge(age(pageMs - answer.atMs))}
          </span>
        )}
      </div>
      {answer.thrown === null ? null : (
        <div className="figure-error">
          <ErrorNote thrown={answer.thrown} />
          <button type="button" className="button" onClick={answer.retry}>
            {t.common.retry}
          </button>
        </div>
      )}
      {answer.value === null && answer.thrown === null ? (
        <p className="hint">{t.statistics.loading}</p>
      ) : null}
      {answer.value !== null && processes.length === 0 ? (
        <div className="teach" data-testid="system-empty">
          <h3>{t.system.noneTitle}</h3>
          <p>{t.system.none}</p>
        </div>
      ) : null}
      {processes.length === 0 ? null : <p className="hint">{t.system.stageHint}</p>}
      <div className="processes">
        {processes.map((process) => (
          <ProcessCard
            key={process.instanceId}
            process={process}
            nowMs={nowMs}
            scaleMs={longestOf(processes)}
          />
        ))}
      </div>
      {processes.length === 0 ? null : (
        <section className="system-cameras" aria-labelledby="system-cameras">
          <div className="system-head">
            <h2 id="system-cameras">{t.system.cameras}</h2>
            <span className="hint numeric">{t.system.cameraCount(number(rows.length), number(total))}</span>
          </div>
          {rows.length === 0 ? <p className="hint">{t.system.noCameras}</p> : <CameraTable rows={rows} />}
        </section>
      )}
    </ConsolePage>
  );
}

/** The longest bar of all processes: they are compared with each other. */
const longestOf = (processes: readonly AnalyticsProcess[]): number =>
  Math.max(
    1,
    ...processes.map(({ stages }) =>
      stages.reduce((sum, { stage, meanMs }) => sum + (stage === "write" ? 0 : meanMs), 0),
    ),
  );

function ProcessCard({
  process,
  nowMs,
  scaleMs,
}: {
  process: AnalyticsProcess;
  nowMs: number;
  scaleMs: number;
}) {
  const words = useWords();
  const { t, number, age } = words;
  const stale = isStale(process, nowMs);
  const { figures } = t.system;
  const { residentBytes, coresUsed } = process;
  const shown: readonly (readonly [string, string, string?])[] = [
    [figures.cameras, number(process.cameraCount)],
    [figures.frames, number(process.framesAnalysed)],
    [figures.framesPerSecond, number(process.framesPerSecond)],
    coresUsed === null
      ? [figures.coresUsed, t.common.none, t.system.unknown]
      : [figures.coresUsed, number(coresUsed)],
    residentBytes === null
      ? [figures.memory, t.common.none, t.system.unknown]
      : [figures.memory, t.system.mib(number(Math.round(residentBytes / 2 ** 20)))],
    [figures.eventLoop, `${number(process.eventLoopDelayP99Ms)} ${t.system.ms}`],
    [figures.inference, number(process.inferenceProcesses)],
    [figures.decoders, number(process.decoders)],
  ];
  return (
    <section className="process" data-testid="process" data-state={stale ? "stale" : "current"}>
      <header>
        <h3>{t.system.process(process.host, String(process.pid))}</h3>
        <span className={stale ? "process-age process-stale" : "process-age"}>
          {t.system.saidAgo(age(nowMs - process.updatedAtMs))}
          {stale ? ` · ${t.system.isStale}` : ""}
        </span>
        <small className="numeric">{t.system.upFor(age(process.updatedAtMs - process.startedAtMs))}</small>
      </header>
      <dl className="process-figures">
        {shown.map(([name, value, why]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numeric" title={why}>
              {value}
            </dd>
          </div>
        ))}
      </dl>
      <StageBars stages={process.stages} scaleMs={scaleMs} />
      <h4>{t.system.drops}</h4>
      {process.drops.length === 0 ? (
        <p className="hint">{t.system.noDrops}</p>
      ) : (
        <ul className="drops" data-testid="drops">
          {process.drops
            .toSorted((a, b) => b.count - a.count)
            .map(({ reason, count }) => (
              <li key={reason}>
                <span>{t.system.dropReason[reason] ?? reason}</span>
                <b className="numeric">{number(count)}</b>
              </li>
            ))}
        </ul>
      )}
    </section>
  );
}

const pageClock = (): number => performance.now();

/** The time to the second: ages tick, whether or not an answer comes. */
function useNow(readMs: () => number): number {
  const [nowMs, setNowMs] = useState(readMs);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(readMs()), 1_000);
    return () => clearInterval(timer);
  }, [readMs]);
  return nowMs;
}
