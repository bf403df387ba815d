import type { Priority, Rule, RuleKind, Zone } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { NumberField, SelectField, TextField } from "../../ui/field.tsx";
import {
  ALL_OBJECT_CLASSES,
  CLASSES_OF_KIND,
  formOf,
  KINDS_OF_ZONE,
  newRuleForm,
  type RuleForm,
  toggleClass,
  withKind,
} from "./rule-form-model.ts";
import { ScheduleFields } from "./schedule-fields.tsx";

const PRIORITIES: readonly Priority[] = ["P1", "P2", "P3", "P4"];

export function RuleFormFields(props: { zone: Zone; rule: Rule | null; onDone: () => void }) {
  const { zone, rule, onDone } = props;
  const { api, operations, toasts } = useApp();
  const { t, alarmClass, objectClass } = useWords();
  const kinds = KINDS_OF_ZONE[zone.kind];
  const [form, setForm] = useState<RuleForm>(() =>
    rule ? formOf(rule) : newRuleForm(kinds[0] as RuleKind, t.editor.ruleKinds[kinds[0] as RuleKind]),
  );
  const [version, setVersion] = useState(rule?.version ?? 0);
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });
  const change = (part: Partial<RuleForm>): void => setForm((now) => ({ ...now, ...part }));
  const newer = conflictingRule(state.error);

  const save = async (): Promise<void> => {
    setState({ isBusy: true });
    try {
      const body = { ...form, zoneId: zone.id };
      const saved = rule
        ? await api.updateRule(rule.id, { ...body, version })
        : await api.createRule(zone.cameraId, body);
      operations.putRule(saved);
      toasts.show({ text: t.editor.saved(saved.name) });
      onDone();
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };

  return (
    <form
      className="rule-form"
      data-testid="rule-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <TextField
        label={t.editor.ruleName}
        value={form.name}
        onChange={(name) => change({ name })}
        required
        maxLength={120}
        testId="rule-name"
      />
      <div className="field-row">
        <SelectField
          label={t.editor.ruleKind}
          value={form.kind}
          options={kinds.map((kind) => ({ value: kind, label: t.editor.ruleKinds[kind] }))}
          onChange={(kind) =>
            setForm((now) => {
              const next = withKind(now, kind);
              return now.name === t.editor.ruleKinds[now.kind]
                ? { ...next, name: t.editor.ruleKinds[kind] }
                : next;
            })
          }
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
      <div className="field-row">
        {form.kind === "line_crossing" ? (
          <SelectField
            label={t.editor.direction}
            value={form.direction}
            options={(["both", "left_to_right", "right_to_left"] as const).map((value) => ({
              value,
              label: t.editor.directions[value],
            }))}
            onChange={(direction) => change({ direction })}
            testId="rule-direction"
          />
        ) : (
          <NumberField
            label={t.editor.persistence}
            value={form.persistenceMs / 1_000}
            onChange={(seconds) => change({ persistenceMs: Math.round(seconds * 1_000) })}
            min={0}
            max={86_400}
            step={0.5}
            unit={t.common.seconds}
            testId="rule-persistence"
          />
        )}
        {form.kind === "count_over" ? (
          <NumberField
            label={t.editor.threshold}
            value={form.threshold}
            onChange={(threshold) => change({ threshold })}
            min={0}
            max={10_000}
            testId="rule-threshold"
          />
        ) : null}
        <NumberField
          label={t.editor.minScore}
          value={Math.round(form.minScore * 100)}
          onChange={(percent) => change({ minScore: percent / 100 })}
          min={0}
          max={100}
          step={5}
          unit="%"
          testId="rule-score"
        />
        <NumberField
          label={t.editor.dedupe}
          value={form.dedupeMs / 1_000}
          onChange={(seconds) => change({ dedupeMs: Math.round(seconds * 1_000) })}
          min={0}
          max={86_400}
          unit={t.common.seconds}
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
      <ScheduleFields schedule={form.schedule} onChange={(schedule) => change({ schedule })} />
      {state.error === undefined ? null : <ErrorNote thrown={state.error} />}
      <div className="form-end">
        {newer ? (
          <button
            type="button"
            className="button"
            onClick={() => {
              operations.putRule(newer);
              setForm(formOf(newer));
              setVersion(newer.version);
              setState({ isBusy: false });
            }}
          >
            {t.editor.conflictReload}
          </button>
        ) : null}
        <button type="button" className="button" onClick={onDone}>
          {t.common.cancel}
        </button>
        <button
          type="submit"
          className="button primary"
          disabled={state.isBusy || form.classes.length === 0}
          data-testid="rule-save"
        >
          {state.isBusy ? t.common.saving : t.editor.saveRule}
        </button>
      </div>
    </form>
  );
}

/** The newer rule that a VERSION_CONFLICT carries. */
function conflictingRule(error: unknown): Rule | null {
  if (!(error instanceof HuishiError) || error.code !== "VERSION_CONFLICT") return null;
  return (error.details["current"] as Rule | undefined) ?? null;
}
