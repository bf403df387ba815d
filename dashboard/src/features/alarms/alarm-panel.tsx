/** The alarm list with its detail. The list holds still while the pointer or the focus is in it. */
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import {
  type AlarmFilter,
  type AlarmListAction,
  olderThan,
  reduceAlarmList,
  shownAlarms,
  waitingCount,
} from "../../core/model/alarm-list.ts";
import { useStore } from "../../core/store.ts";
import { AlarmDetail } from "./alarm-detail.tsx";
import { AlarmRow } from "./alarm-row.tsx";
import { EmptyList } from "./empty-list.tsx";
import { useAlarmMoves } from "./use-alarm-moves.ts";

/** Rows in the page at once; more are shown when asked for. */
const FIRST_ROWS = 60;
const FILTERS: readonly AlarmFilter[] = ["new", "all"];

export function AlarmPanel() {
  const { operations, preferences, report } = useApp();
  const { t, number } = useWords();
  const state = useStore(operations.alarms);
  const isLoaded = useStore(operations.loaded);
  const { sound } = useStore(preferences);
  const [rows, setRows] = useState(FIRST_ROWS);
  const [isLoading, setIsLoading] = useState(false);
  const dispatch = useCallback(
    (action: AlarmListAction) => operations.alarms.update((current) => reduceAlarmList(current, action)),
    [operations],
  );
  const hold = useHold(dispatch);
  const move = useAlarmMoves();
  const select = useCallback((id: string) => dispatch({ type: "select", id }), [dispatch]);
  const acknowledge = useCallback((id: string) => move(id, "acknowledge"), [move]);
  const shown = useMemo(() => shownAlarms(state), [state]);
  const waiting = useMemo(() => waitingCount(state), [state]);
  const hasOlder = Boolean(olderThan(state));

  const showMore = async (): Promise<void> => {
    setRows((count) => count + FIRST_ROWS);
    if (shown.length > rows || !hasOlder) return;
    setIsLoading(true);
    await operations.loadOlder().catch(report);
    setIsLoading(false);
  };

  return (
    <aside className="alarms" aria-label={t.alarms.title} data-testid="alarm-panel">
      <header className="alarms-head">
        <h2>{t.alarms.title}</h2>
        <fieldset className="segmented" aria-label={t.alarms.filter}>
          {FILTERS.map((filter) => (
            <button
              key={filter}
              type="button"
              aria-pressed={state.filter === filter}
              data-testid={`alarm-filter-${filter}`}
              onClick={() => {
                setRows(FIRST_ROWS);
                dispatch({ type: "filter", filter });
              }}
            >
              {filter === "new" ? t.alarms.filterNew : t.alarms.filterAll}
            </button>
          ))}
        </fieldset>
        <button
          type="button"
          className="button quiet"
          aria-pressed={sound}
          title={t.alarms.soundHint}
          data-testid="alarm-sound"
          onClick={() => preferences.update((kept) => ({ ...kept, sound: !kept.sound }))}
        >
          {sound ? t.alarms.soundOn : t.alarms.soundOff}
        </button>
      </header>
      <div className="alarm-scroll" {...hold} data-testid="alarm-list" data-held={state.heldIds !== null}>
        {waiting > 0 ? (
          <button
            type="button"
            className="alarm-waiting numeric"
            data-testid="alarm-waiting"
            data-count={waiting}
            aria-label={t.alarms.showWaiting(number(waiting))}
            onClick={() => dispatch({ type: "showWaiting" })}
          >
            {t.alarms.waiting(number(waiting))} <kbd>N</kbd>
          </button>
        ) : null}
        {shown.length === 0 && isLoaded ? <EmptyList filter={state.filter} /> : null}
        <ul aria-label={t.alarms.title}>
          {shown.slice(0, rows).map((alarm) => (
            <AlarmRow
              key={alarm.id}
              alarm={alarm}
              isSelected={state.selectedId === alarm.id}
              onSelect={select}
              onAcknowledge={acknowledge}
            />
          ))}
        </ul>
        {shown.length > rows || (hasOlder && shown.length > 0) ? (
          <button
            type="button"
            className="button alarm-more"
            disabled={isLoading}
            data-testid="alarm-more"
            onClick={() => void showMore()}
          >
            {isLoading ? t.alarms.loading : t.alarms.loadMore}
          </button>
        ) : null}
      </div>
      <AlarmDetail alarm={state.byId.get(state.selectedId ?? "") ?? null} onMove={move} />
    </aside>
  );
}

/** Holds the list while the pointer or the focus is in it. */
function useHold(dispatch: (action: AlarmListAction) => void): React.HTMLAttributes<HTMLDivElement> {
  const inside = useRef({ pointer: false, focus: false });
  useEffect(() => () => dispatch({ type: "release" }), [dispatch]);
  return useMemo(() => {
    const set = (part: "pointer" | "focus", isInside: boolean): void => {
      inside.current[part] = isInside;
      dispatch({ type: inside.current.pointer || inside.current.focus ? "hold" : "release" });
    };
    return {
      onPointerEnter: () => set("pointer", true),
      onPointerLeave: () => set("pointer", false),
      onFocus: () => set("focus", true),
      onBlur: (event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) set("focus", false);
      },
    };
  }, [dispatch]);
}
