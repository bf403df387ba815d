/** What every rule has: its name, kind and objects; how certain, how urgent, armed or not. */
import type { Priority, Zone } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";
import { NumberField, SelectField, TextField } from "../../ui/field.tsx";
import type { FieldsProps } from "./kind-fields.tsx";
import {
  ALL_OBJECT_CLASSES,
  CLASSES_OF_KIND,
  KINDS_OF_ZONE,
  type RuleForm,
  toggleClass,
  withKind,
} from "./rule-form-model.ts";

const PRIORITIES: readonly Priority[] = ["P1", "P2", "P3", "P4"];

export function GeneralFields(
  props: FieldsProps & {
    readonly zone: Zone;
    readonly setForm: (next: (now: RuleForm) => RuleForm) => void;
  },
) {
  const { form, change, faultOf, zone, setForm } = props;
  const { t, alarmClass, objectClass } = useWords();
  return (
    <>
      <TextField
        label={t.editor.ruleName}
        value={form.name}
        onChange={(name) => change({ name })}
        required
        maxLength={120}
        error={faultOf("name")}
        testId="rule-name"
      />
      <div className="field-row">
        <SelectField
          label={t.editor.ruleKind}
          value={form.kind}
          options={KINDS_OF_ZONE[zone.kind].map((kind) => ({ value: kind, label: t.editor.ruleKinds[kind] }))}
          onChange={(kind) =>
            setForm((now) => {
              const next = withKind(now, kind);
              return now.name === t.editor.ruleKinds[now.kind]
                ? { ...next, name: t.editor.ruleKinds[kind] }
                : next;
            })
          }
          error={faultOf("kind") ?? faultOf("zoneId")}
          testId="rule-kind"
        />
        <SelectField
          label={t.editor.alarmClass}
          value={form.alarmClass}
          options={[...new Set([...CLASSES_OF_KIND[form.kind], form.alarmClass])].map((slug) => ({
            value: slug,
            label: alarmClass(slug),
          }))}
          onChange={(slug) => change({ alarmClass: slug })}
          testId="rule-alarm-class"
        />
      </div>
      <p className="hint" data-testid="rule-kind-hint">
        {t.editor.kindHints[form.kind]}
      </p>
      <fieldset className="field">
        <legend>{t.editor.classes}</legend>
        <div className="choices">
          {ALL_OBJECT_CLASSES.map((slug) => (
            <label key={slug} className="choice">
              <input
                type="checkbox"
                checked={form.classes.includes(slug)}
                data-testid={`rule-class-${slug}`}
                onChange={() => setForm((now) => toggleClass(now, slug))}
              />
              {objectClass(slug)}
            </label>
          ))}
        </div>
        {form.classes.length === 0 ? <small className="field-error">{t.editor.chooseClass}</small> : null}
      </fieldset>
    </>
  );
}

export function RaisingFields({ form, change, faultOf }: FieldsProps) {
  const { t } = useWords();
  return (
    <>
      <div className="field-row">
        <NumberField
          label={t.editor.minScore}
          value={Math.round(form.minScore * 100)}
          onChange={(percent) => change({ minScore: percent / 100 })}
          min={0}
          max={100}
          step={5}
          unit="%"
          error={faultOf("minScore")}
          testId="rule-score"
        />
        <NumberField
          label={t.editor.dedupe}
          value={form.dedupeMs / 1_000}
          onChange={(seconds) => change({ dedupeMs: Math.round(seconds * 1_000) })}
          min={0}
          max={86_400}
          unit={t.common.seconds}
          error={faultOf("dedupeMs")}
          testId="rule-dedupe"
        />
      </div>
      <div className="field-row">
        <SelectField
          label={t.editor.priority}
          value={form.priority}
          options={PRIORITIES.map((value) => ({ value, label: `${value} ${t.priority[value]}` }))}
          onChange={(priority) => change({ priority })}
          testId="rule-priority"
        />
        <label className="choice choice-alone">
          <input
            type="checkbox"
            checked={form.enabled}
            data-testid="rule-enabled"
            onChange={(event) => change({ enabled: event.target.checked })}
          />
          {t.editor.enabled}
        </label>
      </div>
    </>
  );
}
