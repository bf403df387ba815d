/** Raised by both rules, only by the new one, or no more: colour AND shape, with the word beside it. */
import type { Priority, RehearsedAlarm } from "@huishi/contracts";
import { PriorityMark } from "../../ui/priority-mark.tsx";

export type Compared = RehearsedAlarm["compared"];

const SHAPES: Readonly<Record<Compared, React.ReactNode>> = {
  both: <circle cx="8" cy="8" r="5.5" fill="currentColor" />,
  added: <path d="M8 1.5 15 14 1 14Z" fill="currentColor" />,
  removed: <path d="M3 3 13 13M13 3 3 13" fill="none" stroke="currentColor" strokeWidth="2.5" />,
};

/** Without a comparison the alarm has the mark of its priority. */
export function ComparedMark({ compared, priority }: { compared: Compared | null; priority: Priority }) {
  if (compared === null) return <PriorityMark priority={priority} />;
  return (
    <svg className={`priority-mark rehearsed-${compared}`} viewBox="0 0 16 16" aria-hidden>
      {SHAPES[compared]}
    </svg>
  );
}
