import type { Alarm } from "@huishi/contracts";
import { memo, useEffect, useLayoutEffect, useRef } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { PriorityMark } from "../../ui/priority-mark.tsx";
import { Evidence } from "./evidence.tsx";
import { ReadingMark } from "./sensor-reading.tsx";

export interface AlarmRowProps {
  readonly alarm: Alarm;
  readonly isSelected: boolean;
  readonly onSelect: (alarmId: string) => void;
  readonly onAcknowledge: (alarmId: string) => void;
}

/** One alarm. Notes when it was first painted, for measurement (data-presented-ms, server's clock). */
export const AlarmRow = memo(function AlarmRow({
  alarm,
  isSelected,
  onSelect,
  onAcknowledge,
}: AlarmRowProps) {
  const { t, number, time, alarmClass, dateTime } = useWords();
  const root = useRef<HTMLLIElement>(null);
  usePaintTime(root, alarm);
  useEffect(() => {
    if (isSelected) root.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const place = [alarm.sensorName ?? alarm.cameraName, alarm.zoneName].filter(Boolean).join(" · ");
  return (
    <li
      ref={root}
      className={`alarm-row alarm-${alarm.state}${isSelected ? " alarm-selected" : ""}`}
      data-testid="alarm-row"
      data-alarm-id={alarm.id}
      data-camera-id={alarm.cameraId ?? undefined}
      data-sensor-id={alarm.sensorId ?? undefined}
      data-alarm-state={alarm.state}
      data-priority={alarm.priority}
      data-captured-ms={alarm.capturedAtMs}
    >
      <button
        type="button"
        className="alarm-main"
        aria-pressed={isSelected}
        data-testid="alarm-select"
        onClick={() => onSelect(alarm.id)}
      >
        <PriorityMark priority={alarm.priority} labelled />
        {alarm.measured ? (
          <ReadingMark measured={alarm.measured} hasEnded={alarm.endedAtMs !== null} />
        ) : (
          <Evidence alarm={alarm} maxWidth={96} maxHeight={54} isThumbnail />
        )}
        <span className="alarm-text">
          <span className="alarm-class">
            {alarmClass(alarm.alarmClass)}
            {alarm.occurrences > 1 ? (
              <span className="alarm-count numeric" data-testid="alarm-occurrences">
                <span aria-hidden>{t.alarms.occurrences(number(alarm.occurrences))}</span>
                <span className="visually-hidden">{t.alarms.occurrencesLong(number(alarm.occurrences))}</span>
              </span>
            ) : null}
          </span>
          <span className="alarm-place">{place}</span>
          <span className="alarm-when numeric">
            <span className={`priority-${alarm.priority}`}>
              {alarm.priority} {t.priority[alarm.priority]}
            </span>
            <time title={dateTime(alarm.capturedAtMs)}>{time(alarm.capturedAtMs)}</time>
            {alarm.state === "new" ? null : (
              <span className="alarm-state">{t.alarms.state[alarm.state]}</span>
            )}
          </span>
        </span>
      </button>
      {alarm.state === "new" ? (
        <button
          type="button"
          className="button alarm-acknowledge"
          data-testid="alarm-acknowledge"
          onClick={() => onAcknowledge(alarm.id)}
        >
          {t.alarms.acknowledge}
        </button>
      ) : null}
    </li>
  );
});

/** After the second animation frame the row has been painted (the first one runs before its paint). */
function usePaintTime(root: React.RefObject<HTMLLIElement | null>, alarm: Alarm): void {
  const { metrics, hub } = useApp();
  const { id, capturedAtMs } = alarm;
  useLayoutEffect(() => {
    const write = (presentedAtMs: number): void => {
      root.current?.setAttribute("data-presented-ms", String(Math.round(presentedAtMs)));
    };
    const known = metrics.paintedAtMs(id);
    if (known !== undefined) {
      write(known);
      return undefined;
    }
    let frame = requestAnimationFrame(() => {
      frame = requestAnimationFrame(() => {
        const presentedAtMs = hub.serverNowMs();
        metrics.alarmPainted({ id, capturedAtMs, presentedAtMs });
        write(presentedAtMs);
      });
    });
    return () => cancelAnimationFrame(frame);
  }, [root, metrics, hub, id, capturedAtMs]);
}
