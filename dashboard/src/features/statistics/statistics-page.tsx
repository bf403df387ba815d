/** Figures of one camera over time: crossings, objects at once, stays, where, from where to where. */
import type { Rule, Zone } from "@huishi/contracts";
import { useMemo, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { navigate, routeHash } from "../../core/route.ts";
import { useStore } from "../../core/store.ts";
import { ConsolePage } from "../../ui/console-page.tsx";
import { ErrorNote } from "../../ui/error-note.tsx";
import type { Asked } from "./asked.ts";
import { type Choice, granularityOf, parseChoice, rangeOf, writeChoice } from "./choice.ts";
import { Chooser } from "./chooser.tsx";
import { CountsPanel } from "./counts-panel.tsx";
import { DwellPanel } from "./dwell-panel.tsx";
import { FlowsPanel } from "./flows-panel.tsx";
import { HeatPanel } from "./heat-panel.tsx";
import { OccupancyPanel } from "./occupancy-panel.tsx";

export function StatisticsPage({ text }: { text: string }) {
  const { operations } = useApp();
  const { t } = useWords();
  const isLoaded = useStore(operations.loaded);
  const loadError = useStore(operations.loadError);
  const cameras = useStore(operations.cameras);
  return (
    <ConsolePage page="statistics">
      {loadError === null || isLoaded ? null : <ErrorNote thrown={loadError} />}
      {!isLoaded ? (
        <p className="hint">{t.statistics.loading}</p>
      ) : cameras.length === 0 ? (
        <div className="teach" data-testid="statistics-empty">
          <h2>{t.statistics.noCameraTitle}</h2>
          <p>{t.statistics.noCamera}</p>
        </div>
      ) : (
        <Figures text={text} />
      )}
    </ConsolePage>
  );
}

function Figures({ text }: { text: string }) {
  const { hub, operations } = useApp();
  const { t, dateTime } = useWords();
  const cameras = useStore(operations.cameras);
  const allZones = useStore(operations.zones);
  const allRules = useStore(operations.rules);
  const [asOf, setAsOf] = useState(() => ({ nowMs: hub.serverNowMs(), turn: 0 }));
  const [timeZone] = useState(wholeHourTimeZone);
  const choice = useMemo(
    () => complete(parseChoice(text), allZones, allRules, cameras),
    [text, allZones, allRules, cameras],
  );
  const { zones, lines } = choice;
  const range = rangeOf(choice, asOf.nowMs);
  const asked: Asked = {
    cameraId: choice.cameraId,
    zoneId: choice.zoneId,
    ruleId: choice.ruleId,
    classes: choice.objectClass === null ? {} : { class: [choice.objectClass] },
    range,
    by: granularityOf(choice.span),
    timeZone,
    turn: asOf.turn,
  };
  const change = (part: Partial<Choice>): void =>
    navigate({
      page: "statistics",
      choice: writeChoice({ ...parseChoice(text), cameraId: choice.cameraId, ...part }),
    });
  const drawAction = (
    <a className="button" href={routeHash({ page: "zones", cameraId: choice.cameraId })}>
      {t.statistics.drawZones}
    </a>
  );
  return (
    <>
      <Chooser
        choice={choice}
        cameras={cameras}
        zones={zones}
        lines={lines}
        onChange={change}
        onRefresh={() => setAsOf(({ turn }) => ({ nowMs: hub.serverNowMs(), turn: turn + 1 }))}
      />
      <p className="hint numeric" data-testid="statistics-range">
        {t.statistics.rangeIs(dateTime(range.fromMs), dateTime(range.toMs))}
      </p>
      <div className="figures">
        <CountsPanel asked={asked} hasLine={lines.length > 0} drawAction={drawAction} />
        <OccupancyPanel asked={asked} drawAction={drawAction} />
        <DwellPanel asked={asked} drawAction={drawAction} />
        <HeatPanel asked={asked} zones={zones} />
        <FlowsPanel asked={asked} zones={zones} drawAction={drawAction} />
      </div>
    </>
  );
}

/** What was not chosen, or is gone: the first camera that has zones, its first zone, all its lines. */
function complete(
  choice: Choice,
  allZones: readonly Zone[],
  allRules: readonly Rule[],
  cameras: readonly { readonly id: string }[],
): Choice & { readonly cameraId: string; readonly zones: readonly Zone[]; readonly lines: readonly Rule[] } {
  const chosen =
    cameras.find(({ id }) => id === choice.cameraId) ??
    cameras.find(({ id }) => allZones.some((zone) => zone.cameraId === id)) ??
    cameras[0];
  const cameraId = chosen?.id ?? "";
  const zones = allZones
    .filter((zone) => zone.cameraId === cameraId && zone.kind === "polygon")
    .toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }) || (a.id < b.id ? -1 : 1));
  const lines = allRules.filter((rule) => rule.cameraId === cameraId && rule.kind === "line_crossing");
  const zone = zones.find(({ id }) => id === choice.zoneId) ?? zones[0];
  const line = lines.find(({ id }) => id === choice.ruleId);
  return { ...choice, cameraId, zones, lines, zoneId: zone?.id ?? null, ruleId: line?.id ?? null };
}

/** Sums are kept by the hour: where days begin between two full hours they are counted from midnight UTC. */
function wholeHourTimeZone(): string {
  return new Date().getTimezoneOffset() % 60 === 0
    ? new Intl.DateTimeFormat().resolvedOptions().timeZone
    : "UTC";
}
