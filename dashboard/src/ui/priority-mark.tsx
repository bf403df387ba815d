/** The four priorities: colour AND shape AND word (shared with every other place that shows one). */
import type { Priority } from "@huishi/contracts";
import { useWords } from "../core/i18n/use-words.ts";

const SHAPES: Readonly<Record<Priority, React.ReactNode>> = {
  P1: <path d="M8 0.5 15.5 8 8 15.5 0.5 8Z" fill="currentColor" />,
  P2: <path d="M8 1 15.5 14.5 0.5 14.5Z" fill="currentColor" />,
  P3: <rect x="2" y="2" width="12" height="12" fill="none" stroke="currentColor" strokeWidth="2.5" />,
  P4: <circle cx="8" cy="8" r="6" fill="currentColor" />,
};

/** The shape alone; say the word next to it, or give `labelled`. */
export function PriorityMark({ priority, labelled = false }: { priority: Priority; labelled?: boolean }) {
  const { t } = useWords();
  const label = `${priority} ${t.priority[priority]}`;
  return (
    <svg
      className={`priority-mark priority-${priority}`}
      viewBox="0 0 16 16"
      {...(labelled ? { role: "img", "aria-label": label } : { "aria-hidden": true })}
    >
      {SHAPES[priority]}
    </svg>
  );
}

export function PriorityWord({ priority }: { priority: Priority }) {
  const { t } = useWords();
  return (
    <span className={`priority-word priority-${priority}`}>
      <PriorityMark priority={priority} />
      <span className="numeric">{priority}</span> {t.priority[priority]}
    </span>
  );
}
