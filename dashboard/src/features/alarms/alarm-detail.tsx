import type { Alarm, AlarmMove } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";
import { navigate } from "../../core/route.ts";
import { PriorityWord } from "../../ui/priority-mark.tsx";
import { Evidence } from "./evidence.tsx";
import { SensorReading } from "./sensor-reading.tsx";

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
    [t.alarms.sensor, alarm.sensorName],
    [t.alarms.camera, alarm.cameraName],
    [t.alarms.zone, alarm.zoneName],
    [t.alarms.rule, alarm.ruleName],
    [t.alarms.objectClass, objectWords(alarm.objectClass, deciding?.score, words)],
    [t.alarms.capturedAt, dateTime(alarm.capturedAtMs)],
    [
      t.alarms.ended,
      alarm.measured && (alarm.endedAtMs === null ? t.alarms.stillHolds : dateTime(alarm.endedAtMs)),
    ],
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
      {alarm.measured ? (
        <SensorReading key={alarm.id} alarm={alarm} measured={alarm.measured} />
      ) : (
        <Evidence key={alarm.id} alarm={alarm} maxWidth={374} maxHeight={204} isThumbnail={false} />
      )}
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
        {alarm.cameraId === null ? null : <ZonesButton cameraId={alarm.cameraId} label={t.wall.zones} />}
      </div>
    </section>
  );
}

function ZonesButton({ cameraId, label }: { cameraId: string; label: string }) {
  return (
    <button type="button" className="button" onClick={() => navigate({ page: "zones", cameraId })}>
      {label} <kbd>Z</kbd>
    </button>
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
