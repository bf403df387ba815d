import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import type { AlarmFilter } from "../../core/model/alarm-list.ts";
import { navigate } from "../../core/route.ts";
import { useStore } from "../../core/store.ts";

/** An empty list says why it is empty and what comes next. */
export function EmptyList({ filter }: { filter: AlarmFilter }) {
  const { operations } = useApp();
  const { t, number } = useWords();
  const rules = useStore(operations.rules).filter((rule) => rule.enabled);
  const [camera] = useStore(operations.cameras);
  const { byId } = useStore(operations.alarms);
  if (rules.length === 0) {
    return (
      <div className="teach" data-testid="alarms-empty" data-reason="no-rules">
        <h3>{t.alarms.noRulesTitle}</h3>
        <p>{t.alarms.noRules}</p>
        {camera ? (
          <button
            type="button"
            className="button primary"
            data-testid="empty-draw-zone"
            onClick={() => navigate({ page: "zones", cameraId: camera.id })}
          >
            {t.alarms.drawZone(camera.name)}
          </button>
        ) : null}
      </div>
    );
  }
  const isLookedAt = filter === "new" && byId.size > 0;
  return (
    <div className="teach" data-testid="alarms-empty" data-reason={isLookedAt ? "all-seen" : "none"}>
      <h3>{isLookedAt ? t.alarms.noNewTitle : t.alarms.none}</h3>
      <p>{isLookedAt ? t.alarms.noNew : t.alarms.rulesCount(number(rules.length))}</p>
    </div>
  );
}
