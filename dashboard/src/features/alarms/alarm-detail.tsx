import type { Alarm, AlarmMove } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";
import { navigate } from "../../core/route.ts";
import { PriorityWord } from "../../ui/priority-mark.tsx";
import { Evidence } from "./evidence.tsx";

/** The selected alarm: its picture large, its facts, and the moves that are legal now. */
export function AlarmDetail({
  alarm,
  onMove,
}: {
  alarm: Alarm | null;
  onMove: (id: string, move: AlarmMove) => void;
}) {
  const words = useWords();
  const { t, number, dateTime } = words;
  if (!alarm) {
    return (
      <section
        className="alarm-detail alarm-detail-empty"
        aria-label={t.alarms.detail}
        data-testid="alarm-detail"
      >
        <p>{t.alarms.noSelection}</p>
      </section>
    );
  }
  const deciding = alarm.boxes.find((box) => box.deciding);
  const facts: [label: string, value: string | null][] = [
    [t.alarms.camera, alarm.cameraName],
    [t.alarms.zone, alarm.zoneName],
    [t.alarms.rule, alarm.ruleName],
    [t.alarms.objectClass, objectWords(alarm.objectClass, deciding?.score, words)],
    [t.alarms.capturedAt, dateTime(alarm.capturedAtMs)],
    [t.alarms.lastOccurred, alarm.occurrences > 1 ? dateTime(alarm.lastOccurredAtMs) : null],
    [t.alarms.counted, alarm.occurrences > 1 ? number(alarm.occurrences) : null],
  ];
  return (
    <section
      className="alarm-detail"
      aria-label={t.alarms.detail}
      data-testid="alarm-detail"
      data-alarm-id={alarm.id}
    >
      <header>
        <PriorityWord priority={alarm.priority} />
        <h3>{words.alarmClass(alarm.alarmClass)}</h3>
        <span className="alarm-state">
          {t.alarms.state[alarm.state]}
          {alarm.acknowledgedBy ? ` ${t.alarms.by(alarm.acknowledgedBy)}` : ""}
        </span>
      </header>
      <Evidence key={alarm.id} alarm={alarm} maxWidth={374} maxHeight={204} isThumbnail={false} />
      <dl>
        {facts.map(([label, value]) =>
          value === null ? null : (
            <div key={label}>
              <dt>{label}</dt>
              <dd className="numeric">{value}</dd>
            </div>
          ),
        )}
      </dl>
      <div className="alarm-moves">
        {alarm.state === "new" ? (
          <button
            type="button"
            className="button primary"
            data-testid="detail-acknowledge"
            onClick={() => onMove(alarm.id, "acknowledge")}
          >
            {t.alarms.acknowledge} <kbd>A</kbd>
          </button>
        ) : null}
        {alarm.state === "falseAlarm" ? null : (
          <button
            type="button"
            className="button"
            data-testid="detail-false-alarm"
            onClick={() => onMove(alarm.id, "falseAlarm")}
          >
            {t.alarms.falseAlarm} <kbd>F</kbd>
          </button>
        )}
        <button
          type="button"
          className="button"
          onClick={() => navigate({ page: "zones", cameraId: alarm.cameraId })}
        >
          {t.wall.zones} <kbd>Z</kbd>
        </button>
      </div>
    </section>
  );
}

function objectWords(
  slug: string | null,
  score: number | undefined,
  words: { objectClass(slug: string): string; percent(share: number): string },
): string | null {
  if (slug === null) return null;
  return score === undefined ? words.objectClass(slug) : `${words.objectClass(slug)} ${words.percent(score)}`;
}
