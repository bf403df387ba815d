/** What is wrong with a picture that is live all the same: a sign of its own and the words, never colour alone. */
import type { Camera } from "@huishi/contracts";
import { useWords } from "../../core/i18n/use-words.ts";

export function FaultChip({ camera }: { camera: Camera }) {
  const { t } = useWords();
  const faults = camera.condition === "degraded" && camera.agentOnline ? (camera.faults ?? []) : [];
  if (faults.length === 0) return null;
  const words = faults.map(({ fault }) => t.cameraFault[fault]).join(", ");
  return (
    <span className="chip chip-fault" data-testid="tile-fault" title={words}>
      <svg viewBox="0 0 16 16" aria-hidden>
        <path d="M8 2 15 14H1zM8 6v4M8 12v.5" fill="none" stroke="currentColor" strokeWidth="1.5" />
      </svg>
      {words}
    </span>
  );
}
