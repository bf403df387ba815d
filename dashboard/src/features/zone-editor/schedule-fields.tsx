import type { Schedule } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";
import { TextField } from "../../ui/field.tsx";
import { firstSchedule, minuteOf, timeText, toggleDay } from "./rule-form-model.ts";

const DAYS = [1, 2, 3, 4, 5, 6, 7] as const;

/** When the rule is armed: always, or on some days between two times. */
export function ScheduleFields(props: {
  schedule: Schedule | null;
  onChange: (schedule: Schedule | null) => void;
}) {
  const { schedule, onChange } = props;
  const { t, weekday } = useWords();
  return (
    <div className="schedule">
      <label className="choice">
        <input
          type="checkbox"
          checked={schedule !== null}
          data-testid="rule-schedule"
          onChange={(event) =>
            onChange(
              event.target.checked ? firstSchedule(Intl.DateTimeFormat().resolvedOptions().timeZone) : null,
            )
          }
        />
        {t.editor.schedule}
      </label>
      {schedule === null ? null : (
        <>
          <fieldset className="field">
            <legend>{t.editor.days}</legend>
            <div className="choices">
              {DAYS.map((day) => (
                <label key={day} className="choice">
                  <input
                    type="checkbox"
                    checked={schedule.days.includes(day)}
                    onChange={() => onChange(toggleDay(schedule, day))}
                  />
                  {weekday(day)}
                </label>
              ))}
            </div>
          </fieldset>
          <div className="field-row">
            <TextField
              label={t.editor.from}
              type="time"
              value={timeText(schedule.fromMinute)}
              onChange={(text) =>
                onChange({ ...schedule, fromMinute: minuteOf(text) ?? schedule.fromMinute })
              }
            />
            <TextField
              label={t.editor.to}
              type="time"
              value={timeText(schedule.toMinute)}
              onChange={(text) => onChange({ ...schedule, toMinute: minuteOf(text) ?? schedule.toMinute })}
              hint={`${schedule.timeZone}${schedule.toMinute < schedule.fromMinute ? ` · ${t.editor.overnight}` : ""}`}
            />
          </div>
        </>
      )}
    </div>
  );
}
