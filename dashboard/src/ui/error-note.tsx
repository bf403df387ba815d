/** What happened, what to do, and the code that support can search. */
import { HuishiError, messageOf } from "@huishi/kernel";
import { useWords } from "../core/i18n/use-words.ts";

export function ErrorNote({ thrown }: { thrown: unknown }) {
  const { t, error } = useWords();
  const code = thrown instanceof HuishiError ? thrown.code : null;
  return (
    <p className="error-note" role="alert" data-testid="error-note" data-code={code ?? ""}>
      <span>{code === null ? t.errors.unknown : error(code, messageOf(thrown))}</span>
      {code === null ? null : <small className="numeric">{t.common.code(code)}</small>}
    </p>
  );
}
