import type { Rule, RuleKind, Zone } from "@huishi/contracts";
import { HuishiError } from "@huishi/kernel";
import { useCallback, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { ConditionFields } from "./condition-fields.tsx";
import { fieldFaults } from "./field-faults.ts";
import { GeneralFields, RaisingFields } from "./general-fields.tsx";
import { KindFields } from "./kind-fields.tsx";
import { RehearsalPanel } from "./rehearsal-panel.tsx";
import { formOf, KINDS_OF_ZONE, newRuleForm, type RuleForm } from "./rule-form-model.ts";
import { ScheduleFields } from "./schedule-fields.tsx";

/** The settings of one rule, its rehearsal, and the way to save it. */
export function RuleFormFields(props: { zone: Zone; rule: Rule | null; onDone: () => void }) {
  const { zone, rule, onDone } = props;
  const words = useWords();
  const { t } = words;
  const [first] = KINDS_OF_ZONE[zone.kind] as readonly [RuleKind, ...RuleKind[]];
  const [form, setForm] = useState<RuleForm>(() =>
    rule ? formOf(rule) : newRuleForm(first, t.editor.ruleKinds[first]),
  );
  const change = useCallback((part: Partial<RuleForm>) => setForm((now) => ({ ...now, ...part })), []);
  const { save, state, takeNewer } = useSaveRule({ zone, rule, form, setForm, onDone });
  const faultOf = fieldFaults(state.error, words);
  const fields = { form, change, faultOf };

  return (
    <form
      className="rule-form"
      data-testid="rule-form"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <GeneralFields {...fields} zone={zone} setForm={setForm} />
      <KindFields {...fields} zone={zone} />
      <RaisingFields {...fields} />
      <ConditionFields {...fields} />
      <ScheduleFields schedule={form.schedule} onChange={(schedule) => change({ schedule })} />
      {state.error === undefined ? null : <ErrorNote thrown={state.error} />}
      <RehearsalPanel zone={zone} form={form} saved={rule ? formOf(rule) : null} />
      <div className="form-end">
        {takeNewer ? (
          <button type="button" className="button" onClick={takeNewer}>
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

function useSaveRule(props: {
  zone: Zone;
  rule: Rule | null;
  form: RuleForm;
  setForm: (form: RuleForm) => void;
  onDone: () => void;
}) {
  const { zone, rule, form, setForm, onDone } = props;
  const { api, operations, toasts } = useApp();
  const { t } = useWords();
  const [version, setVersion] = useState(rule?.version ?? 0);
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });
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
  const newer = conflictingRule(state.error);
  const takeNewer = newer
    ? (): void => {
        operations.putRule(newer);
        setForm(formOf(newer));
        setVersion(newer.version);
        setState({ isBusy: false });
      }
    : null;
  return { save, state, takeNewer };
}

/** The newer rule that a VERSION_CONFLICT carries. */
function conflictingRule(error: unknown): Rule | null {
  if (!(error instanceof HuishiError) || error.code !== "VERSION_CONFLICT") return null;
  return (error.details["current"] as Rule | undefined) ?? null;
}
