/** What is shown of what: camera, zone, line, class, range. */
import { type Camera, OBJECT_CLASSES, type ObjectClass, type Rule, type Zone } from "@huishi/contracts";
import { useId } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import { SelectField } from "../../ui/field.tsx";
import { type Choice, localInputValue, SPANS } from "./choice.ts";

interface ChooserProps {
  readonly choice: Choice;
  readonly cameras: readonly Camera[];
  /** The chosen camera's polygons and counting rules. */
  readonly zones: readonly Zone[];
  readonly lines: readonly Rule[];
  readonly onChange: (change: Partial<Choice>) => void;
  readonly onRefresh: () => void;
}

const NONE = "";

export function Chooser({ choice, cameras, zones, lines, onChange, onRefresh }: ChooserProps) {
  const { t, objectClass } = useWords();
  const words = t.statistics;
  const classes = Object.keys(OBJECT_CLASSES) as ObjectClass[];
  return (
    <form className="chooser" aria-label={words.choose} onSubmit={(event) => event.preventDefault()}>
      <SelectField
        label={words.camera}
        value={choice.cameraId ?? NONE}
        testId="choose-camera"
        onChange={(cameraId) => onChange({ cameraId, zoneId: null, ruleId: null })}
        options={cameras.map(({ id, name }) => ({ value: id, label: name }))}
      />
      <SelectField
        label={words.zone}
        value={choice.zoneId ?? NONE}
        testId="choose-zone"
        onChange={(zoneId) => onChange({ zoneId })}
        options={
          zones.length === 0
            ? [{ value: NONE, label: words.noZone }]
            : zones.map(({ id, name }) => ({ value: id, label: name }))
        }
      />
      <SelectField
        label={words.line}
        value={choice.ruleId ?? NONE}
        testId="choose-line"
        onChange={(ruleId) => onChange({ ruleId: ruleId === NONE ? null : ruleId })}
        options={[
          { value: NONE, label: lines.length === 0 ? words.noLine : words.allLines },
          ...lines.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <SelectField
        label={words.objectClass}
        value={choice.objectClass ?? NONE}
        testId="choose-class"
        onChange={(value) => onChange({ objectClass: value === NONE ? null : (value as ObjectClass) })}
        options={[
          { value: NONE, label: words.all },
          ...classes.map((value) => ({ value, label: objectClass(value) })),
        ]}
      />
      <fieldset className="field">
        <legend>{words.span}</legend>
        <span className="segmented">
          {SPANS.map((span) => (
            <button
              key={span}
              type="button"
              aria-pressed={span === choice.span}
              data-testid={`span-${span}`}
              onClick={() => onChange({ span })}
            >
              {words.spans[span]}
            </button>
          ))}
        </span>
      </fieldset>
      <Until untilMs={choice.untilMs} onChange={(untilMs) => onChange({ untilMs })} />
      <button type="button" className="button" data-testid="refresh" onClick={onRefresh}>
        {words.refresh}
      </button>
    </form>
  );
}

function Until({
  untilMs,
  onChange,
}: {
  untilMs: number | null;
  onChange: (untilMs: number | null) => void;
}) {
  const { t } = useWords();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t.statistics.until}</label>
      <span className="with-unit">
        <input
          id={id}
          type="datetime-local"
          step={3_600}
          value={untilMs === null ? "" : localInputValue(untilMs)}
          data-testid="choose-until"
          onChange={(event) => {
            const at = new Date(event.target.value).getTime();
            onChange(Number.isFinite(at) && at > 0 ? at : null);
          }}
        />
        <button
          type="button"
          className="button"
          aria-pressed={untilMs === null}
          onClick={() => onChange(null)}
        >
          {t.statistics.now}
        </button>
      </span>
    </div>
  );
}
