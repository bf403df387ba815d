/** Each alarm that would have been raised: where it was in the zone, when, how long; a chosen one shows on the picture. */
import type { RehearsedAlarm, Zone } from "@huishi/contracts";
import { useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { ComparedMark } from "./compared-mark.tsx";
import { useMarks } from "./editor-marks.ts";
import { clipTime, unlisted } from "./rehearsal-model.ts";
import type { ShownResult } from "./rehearsal-timeline.tsx";

const FIRST_SHOWN = 12;
const SHOWN_MORE = 50;

export function RehearsalList({ zone, ...shown }: ShownResult & { readonly zone: Zone }) {
  const { result } = shown;
  const { t, number } = useWords();
  const [length, setLength] = useState(FIRST_SHOWN);
  const left = result.alarms.length - length;
  const missing = unlisted(result);
  return (
    <section className="rehearsal-list" aria-label={t.rehearsal.alarms}>
      <ul>
        {result.alarms.slice(0, length).map((alarm, index) => (
          <li key={index}>
            <AlarmButton alarm={alarm} index={index} zone={zone} {...shown} />
          </li>
        ))}
      </ul>
      {left > 0 ? (
        <button
          type="button"
          className="button quiet"
          data-testid="rehearsal-more"
          onClick={() => setLength(length + SHOWN_MORE)}
        >
          {t.rehearsal.more(number(Math.min(left, SHOWN_MORE)))}
        </button>
      ) : null}
      {left <= 0 && missing > 0 ? <p className="hint">{t.rehearsal.unlisted(number(missing))}</p> : null}
    </section>
  );
}

function AlarmButton(props: ShownResult & { alarm: RehearsedAlarm; index: number; zone: Zone }) {
  const { alarm, index, zone, rehearsal, priority, chosen, onChoose } = props;
  const words = useWords();
  const { t } = words;
  const marks = useMarks();
  const isChosen = chosen === index;
  const compared = rehearsal.baseline === null ? null : alarm.compared;
  const choose = (): void => {
    onChoose(isChosen ? null : index);
    marks.update((now) => ({ ...now, box: isChosen ? null : { box: alarm.box, priority } }));
  };
  return (
    <button
      type="button"
      className={isChosen ? "rehearsed rehearsed-selected" : "rehearsed"}
      aria-pressed={isChosen}
      data-testid="rehearsed-alarm"
      data-compared={alarm.compared}
      onClick={choose}
    >
      <Thumbnail
        alarm={alarm}
        zone={zone}
        colour={compared ? `rehearsed-${compared}` : `priority-${priority}`}
      />
      <span className="rehearsed-text">
        <span>
          <ComparedMark compared={compared} priority={priority} />{" "}
          <time className="numeric">
            {rehearsal.source.kind === "clip"
              ? clipTime(alarm.capturedAtMs)
              : words.dateTime(alarm.capturedAtMs)}
          </time>
        </span>
        <small>
          {[
            compared && t.rehearsal.compared[compared],
            `${words.objectClass(alarm.objectClass)} ${words.percent(alarm.score)}`,
            lasting(alarm, rehearsal.subject.rule.kind === "line_crossing", words),
            alarm.occurrences > 1 && t.rehearsal.occurrences(words.number(alarm.occurrences)),
          ]
            .filter(Boolean)
            .join(" · ")}
        </small>
      </span>
    </button>
  );
}

function lasting(
  alarm: RehearsedAlarm,
  isMoment: boolean,
  { t, age }: ReturnType<typeof useWords>,
): string | null {
  if (isMoment) return null;
  return alarm.clearedAtMs === null
    ? t.rehearsal.lastedOn
    : t.rehearsal.lasted(age(alarm.clearedAtMs - alarm.startedAtMs));
}

/** The place of the deciding box, drawn over the zone: pictures are not stored. */
function Thumbnail({ alarm, zone, colour }: { alarm: RehearsedAlarm; zone: Zone; colour: string }) {
  const points = zone.points.map(({ x, y }) => `${(x * 16).toFixed(3)},${(y * 9).toFixed(3)}`).join(" ");
  const { x, y, w, h } = alarm.box;
  const Shape = zone.kind === "line" ? "polyline" : "polygon";
  return (
    <svg className="rehearsed-thumb" viewBox="0 0 16 9" aria-hidden>
      <Shape points={points} className="rehearsed-zone" />
      <rect x={x * 16} y={y * 9} width={w * 16} height={h * 9} className={`rehearsed-box ${colour}`} />
    </svg>
  );
}
