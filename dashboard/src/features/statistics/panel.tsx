/** One question with its answer, or why there is none; and its sheet. */
import { useId, useState } from "react";
import { requestSheet } from "../../core/api/http.ts";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import type { Answer } from "../../core/use-question.ts";
import { ErrorNote } from "../../ui/error-note.tsx";

interface Lesson {
  readonly title: string;
  readonly text: string;
  readonly action?: React.ReactNode;
}

interface PanelProps<T> {
  readonly title: string;
  readonly testId: string;
  readonly note?: string;
  /** What must be there before anything can be asked; null: all is there. */
  readonly missing?: Lesson | null;
  readonly answer: Answer<T>;
  readonly isEmpty: (value: T) => boolean;
  readonly empty: Lesson;
  /** Of the sheet; null while nothing is asked. */
  readonly sheetPath: string | null;
  readonly controls?: React.ReactNode;
  readonly children: (value: T) => React.ReactNode;
}

export function Panel<T>(props: PanelProps<T>) {
  const { title, testId, note, missing = null, answer, isEmpty, sheetPath, controls } = props;
  const headingId = useId();
  const isAsked = missing === null;
  const state = !isAsked
    ? "missing"
    : answer.value === null
      ? answer.thrown === null
        ? "loading"
        : "error"
      : isEmpty(answer.value)
        ? "empty"
        : "ready";
  return (
    <section className="figure-panel" aria-labelledby={headingId} data-testid={testId} data-state={state}>
      <header>
        <h2 id={headingId}>{title}</h2>
        {note ? <small>{note}</small> : null}
        <span className="figure-panel-end">
          {isAsked ? controls : null}
          {isAsked && sheetPath !== null ? (
            <SheetButton path={sheetPath} title={title} name={testId} />
          ) : null}
        </span>
      </header>
      <PanelBody {...props} state={state} />
    </section>
  );
}

function PanelBody<T>({ state, missing, answer, empty, children }: PanelProps<T> & { state: string }) {
  const { t } = useWords();
  if (state === "missing" && missing) return <Teach lesson={missing} />;
  if (answer.value === null) {
    if (answer.thrown === null) return <p className="hint figure-wait">{t.statistics.loading}</p>;
    return (
      <div className="figure-error">
        <ErrorNote thrown={answer.thrown} />
        <button type="button" className="button" onClick={answer.retry}>
          {t.common.retry}
        </button>
      </div>
    );
  }
  return (
    <div className={answer.isLoading ? "figure-older" : ""} aria-busy={answer.isLoading}>
      {answer.thrown === null ? null : (
        <div className="figure-error">
          <ErrorNote thrown={answer.thrown} />
          <span className="hint">{t.statistics.older}</span>
        </div>
      )}
      {state === "empty" ? <Teach lesson={empty} /> : children(answer.value)}
    </div>
  );
}

function Teach({ lesson }: { lesson: Lesson }) {
  return (
    <div className="teach">
      <h3>{lesson.title}</h3>
      <p>{lesson.text}</p>
      {lesson.action}
    </div>
  );
}

/** The whole answer as a file; large ones come page by page. */
function SheetButton({ path, title, name }: { path: string; title: string; name: string }) {
  const { report } = useApp();
  const { t } = useWords();
  const [isBusy, setIsBusy] = useState(false);
  const save = async (): Promise<void> => {
    setIsBusy(true);
    try {
      const url = URL.createObjectURL(await requestSheet(path));
      const link = document.createElement("a");
      link.href = url;
      link.download = `huishi-${name.replace("panel-", "")}.csv`;
      link.click();
      URL.revokeObjectURL(url);
    } catch (thrown) {
      report(thrown);
    } finally {
      setIsBusy(false);
    }
  };
  return (
    <button
      type="button"
      className="button quiet"
      disabled={isBusy}
      aria-label={t.statistics.csvOf(title)}
      data-testid={`${name}-csv`}
      onClick={() => void save()}
    >
      {t.statistics.csv}
    </button>
  );
}
