import { ALARM_MOVES, type AlarmMove, type AlarmState } from "@huishi/contracts";
import { useCallback, useRef } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { nextNew, reduceAlarmList } from "../../core/model/alarm-list.ts";

function isLegal(state: AlarmState, move: AlarmMove): boolean {
  return (ALARM_MOVES[move].from as readonly AlarmState[]).includes(state);
}

/** Moves an alarm, says so, and goes on to the next new one when it was the selected one. */
export function useAlarmMoves(): (alarmId: string, move: AlarmMove) => void {
  const { api, operations, toasts, report } = useApp();
  const { t, alarmClass } = useWords();
  const underWay = useRef(new Set<string>());
  return useCallback(
    (alarmId: string, move: AlarmMove) => {
      // One key held down must not ask twice, nor ask what cannot be.
      const known = operations.alarms.get().byId.get(alarmId);
      if (underWay.current.has(alarmId) || (known && !isLegal(known.state, move))) return;
      underWay.current.add(alarmId);
      const state = operations.alarms.get();
      const next = state.selectedId === alarmId ? nextNew(state, alarmId) : state.selectedId;
      api
        .moveAlarm(alarmId, move)
        .then((alarm) => {
          operations.putAlarms([alarm]);
          if (next)
            operations.alarms.update((current) => reduceAlarmList(current, { type: "select", id: next }));
          const what = `${alarmClass(alarm.alarmClass)} · ${alarm.sensorName ?? alarm.cameraName ?? ""}`;
          toasts.show({
            text: move === "acknowledge" ? t.alarms.acknowledgedToast(what) : t.alarms.falseAlarmToast(what),
          });
        })
        .catch(report)
        .finally(() => underWay.current.delete(alarmId));
    },
    [api, operations, toasts, report, t, alarmClass],
  );
}
