import type { Zone } from "@huishi/contracts";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { formOf } from "./rule-form-model.ts";

export interface ZoneListProps {
  readonly zones: readonly Zone[];
  readonly selectedId: string | null;
  readonly onSelect: (zoneId: string | null) => void;
  readonly onEdit: (zone: Zone) => void;
}

export function ZoneList({ zones, selectedId, onSelect, onEdit }: ZoneListProps) {
  const { t, number } = useWords();
  const remove = useZoneDeletion(onSelect);
  return (
    <ul className="zone-list" aria-label={t.editor.zones}>
      {zones.map((zone) => (
        <li
          key={zone.id}
          className={zone.id === selectedId ? "zone-row zone-row-selected" : "zone-row"}
          data-testid="zone-row"
          data-zone-id={zone.id}
        >
          <button
            type="button"
            className="zone-name"
            aria-pressed={zone.id === selectedId}
            data-testid="zone-select"
            onClick={() => onSelect(zone.id)}
          >
            <ZoneSign kind={zone.kind} />
            <span>
              <strong>{zone.name}</strong>
              <small>
                {t.editor.kind[zone.kind]} ·{" "}
                {zone.kind === "line" ? t.editor.lineEnds : t.editor.cornersCount(number(zone.points.length))}
              </small>
            </span>
          </button>
          <button type="button" className="button quiet" data-testid="zone-edit" onClick={() => onEdit(zone)}>
            {t.common.edit}
          </button>
          <button
            type="button"
            className="button quiet"
            data-testid="zone-delete"
            onClick={() => void remove(zone)}
          >
            {t.common.delete}
          </button>
        </li>
      ))}
    </ul>
  );
}

/** Deletes a zone with its rules at once; undo makes them anew. */
function useZoneDeletion(onSelect: (zoneId: string | null) => void): (zone: Zone) => Promise<void> {
  const { api, operations, toasts, report } = useApp();
  const { t } = useWords();
  return async (zone) => {
    const rules = operations.rules.get().filter((rule) => rule.zoneId === zone.id);
    const restore = async (): Promise<void> => {
      const restored = await api.createZone(zone.cameraId, {
        name: zone.name,
        kind: zone.kind,
        points: zone.points,
      });
      operations.putZone(restored);
      for (const rule of rules) {
        operations.putRule(await api.createRule(zone.cameraId, { ...formOf(rule), zoneId: restored.id }));
      }
      toasts.show({ text: t.editor.restored(zone.name) });
      onSelect(restored.id);
    };
    try {
      await api.deleteZone(zone.id);
      operations.removeZone(zone.id);
      onSelect(null);
      toasts.show({ text: t.editor.deleted(zone.name), undo: () => void restore().catch(report) });
    } catch (thrown) {
      report(thrown);
    }
  };
}

function ZoneSign({ kind }: { kind: Zone["kind"] }) {
  return (
    <svg viewBox="0 0 16 16" className="zone-sign" aria-hidden>
      <path
        d={kind === "polygon" ? "M2 5 9 2l5 6-4 6-7-3Z" : "M2 13 14 3M6 5l4 5M10 10V7M10 10H7"}
        fill={kind === "polygon" ? "color-mix(in srgb, currentColor 20%, transparent)" : "none"}
        stroke="currentColor"
        strokeWidth="1.5"
      />
    </svg>
  );
}
