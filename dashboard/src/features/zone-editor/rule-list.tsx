import type { Rule, Zone } from "@huishi/contracts";
import { useMemo, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import type { Words } from "../../core/i18n/catalogue.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { isSameList, useSelector } from "../../core/store.ts";
import { PriorityMark } from "../../ui/priority-mark.tsx";
import { formOf } from "./rule-form-model.ts";
import { RuleFormFields } from "./rule-form.tsx";

/** Stands for the rule that is not there yet; ids of rules hold no space. */
const NEW = "new rule";

/** The rules of one zone: read, add, change, delete with undo. */
export function RuleList({ zone }: { zone: Zone }) {
  const { operations, api, toasts, report } = useApp();
  const words = useWords();
  const { t } = words;
  const [open, setOpen] = useState<string | null>(null);
  const rules = useSelector(
    operations.rules,
    useMemo(() => (list: readonly Rule[]) => list.filter((rule) => rule.zoneId === zone.id), [zone.id]),
    isSameList,
  );

  const remove = async (rule: Rule): Promise<void> => {
    try {
      await api.deleteRule(rule.id);
      operations.removeRule(rule.id);
      const undo = (): void => {
        api
          .createRule(rule.cameraId, { ...formOf(rule), zoneId: rule.zoneId })
          .then((restored) => operations.putRule(restored))
          .catch(report);
      };
      toasts.show({ text: t.editor.deleted(rule.name), undo });
    } catch (thrown) {
      report(thrown);
    }
  };

  return (
    <section className="rules" aria-label={t.editor.rules} data-testid="rule-list">
      <h3>{t.editor.rules}</h3>
      {rules.length === 0 && open === null ? <p className="hint">{t.editor.noRules}</p> : null}
      <ul>
        {rules.map((rule) =>
          open === rule.id ? (
            <li key={rule.id}>
              <RuleFormFields zone={zone} rule={rule} onDone={() => setOpen(null)} />
            </li>
          ) : (
            <li
              key={rule.id}
              className={rule.enabled ? "rule" : "rule rule-off"}
              data-testid="rule-row"
              data-rule-id={rule.id}
            >
              <span className={`priority-${rule.priority}`}>
                <PriorityMark priority={rule.priority} labelled />
              </span>
              <span className="rule-text">
                <strong>{rule.name}</strong>
                <small>
                  {ruleSummary(rule, words)}
                  {rule.enabled ? "" : ` · ${t.editor.disabled}`}
                </small>
              </span>
              <button
                type="button"
                className="button quiet"
                data-testid="rule-edit"
                onClick={() => setOpen(rule.id)}
              >
                {t.common.edit}
              </button>
              <button
                type="button"
                className="button quiet"
                data-testid="rule-delete"
                onClick={() => void remove(rule)}
              >
                {t.common.delete}
              </button>
            </li>
          ),
        )}
      </ul>
      {open === NEW ? (
        <RuleFormFields zone={zone} rule={null} onDone={() => setOpen(null)} />
      ) : (
        <button type="button" className="button" data-testid="rule-add" onClick={() => setOpen(NEW)}>
          {t.editor.addRule}
        </button>
      )}
    </section>
  );
}

/** A rule in one line: what, whom, from when on. */
function ruleSummary(rule: Rule, words: Words): string {
  const { t } = words;
  const objects = rule.classes.map((slug) => words.objectClass(slug)).join(", ");
  const what = `${words.alarmClass(rule.alarmClass)} · ${objects}`;
  if (rule.kind === "line_crossing") return t.editor.summary(what, t.editor.directions[rule.direction]);
  const time = rule.persistenceMs === 0 ? t.editor.atOnce : words.age(rule.persistenceMs);
  const count = rule.kind === "count_over" ? ` > ${words.number(rule.threshold)}` : "";
  return t.editor.summary(`${what}${count}`, time);
}
