/** Counted crossings of a camera's lines, in words for those who do not see the overlay. */
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { useStore } from "../../core/store.ts";
import { countsOfZone, useCameraZones } from "../../ui/use-overlay-zones.ts";

export function LineCounts({ cameraId }: { cameraId: string }) {
  const { operations } = useApp();
  const { t, number } = useWords();
  const zones = useCameraZones(cameraId);
  const rules = useStore(operations.rules);
  const counts = useStore(operations.lineCounts);
  const lines = zones.filter((zone) => zone.kind === "line");
  if (lines.length === 0) return null;
  return (
    <span className="line-counts">
      {lines.map((line) => {
        const count = countsOfZone(line.id, rules, counts);
        if (!count) return null;
        const [right, left] = [number(count.leftToRight), number(count.rightToLeft)];
        return (
          <span
            key={line.id}
            className="line-count numeric"
            data-testid="line-count"
            data-zone-id={line.id}
            data-left-to-right={count.leftToRight}
            data-right-to-left={count.rightToLeft}
          >
            <span className="visually-hidden">{t.wall.lineCount(line.name, right, left)}</span>
            <span aria-hidden>
              <span className="line-count-name">{line.name}</span> → {right} ← {left}
            </span>
          </span>
        );
      })}
    </span>
  );
}
