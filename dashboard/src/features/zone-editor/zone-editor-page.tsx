/** Zones and rules of one camera: the live picture on the left, words on the right. */
import type { Zone, ZoneKind } from "@huishi/contracts";
import { useEffect, useMemo, useRef, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import type { LiveView } from "../../core/live/live-view.ts";
import { navigate } from "../../core/route.ts";
import { useSelector, useStore } from "../../core/store.ts";
import { LanguageSwitch } from "../../ui/language-switch.tsx";
import { LostBanner } from "../../ui/lost-banner.tsx";
import { useCameraZones } from "../../ui/use-overlay-zones.ts";
import { type Draft, type DraftAction, draftOf, newDraft, reduceDraft } from "./draft.ts";
import { DraftForm } from "./draft-form.tsx";
import { createMarks, MarksContext } from "./editor-marks.ts";
import { RuleList } from "./rule-list.tsx";
import { Stage } from "./stage.tsx";
import { StageState } from "./stage-state.tsx";
import { ZoneList } from "./zone-list.tsx";

export function ZoneEditorPage({ cameraId }: { cameraId: string }) {
  const [marks] = useState(createMarks);
  return (
    <MarksContext value={marks}>
      <ZoneEditor cameraId={cameraId} />
    </MarksContext>
  );
}

function ZoneEditor({ cameraId }: { cameraId: string }) {
  const { operations } = useApp();
  const { t } = useWords();
  const camera = useSelector(
    operations.cameras,
    useMemo(() => (list) => list.find((each) => each.id === cameraId), [cameraId]),
  );
  const isLoaded = useStore(operations.loaded);
  const zones = useCameraZones(cameraId);
  const viewRef = useRef<LiveView | null>(null);
  const { draft, setDraft, dispatch, selectedId, setSelectedId, begin } = useDraft(zones);
  const selected = zones.find((zone) => zone.id === selectedId) ?? null;

  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
      if (event.key !== "Escape" || isTyping || event.defaultPrevented) return;
      if (draft) setDraft(null);
      else navigate({ page: "wall" });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [draft, setDraft]);

  if (!camera) {
    return (
      <main className="console center" data-theme="console" data-testid="page-zones">
        {isLoaded ? (
          <div className="teach">
            <h1>{t.errors["CAMERA_NOT_FOUND"]}</h1>
            <button type="button" className="button primary" onClick={() => navigate({ page: "wall" })}>
              {t.common.back}
            </button>
          </div>
        ) : null}
      </main>
    );
  }
  return (
    <div className="editor console" data-theme="console" data-testid="page-zones" data-camera-id={cameraId}>
      <header className="editor-head">
        <button
          type="button"
          className="button"
          data-testid="editor-back"
          onClick={() => navigate({ page: "wall" })}
        >
          ← {t.common.back}
        </button>
        <h1>{t.editor.title(camera.name)}</h1>
        <LanguageSwitch />
      </header>
      <LostBanner />
      <main className="editor-main">
        <div className="editor-stage" data-theme="wall">
          <Stage
            cameraId={cameraId}
            draft={draft}
            dispatch={dispatch}
            onCancel={() => setDraft(null)}
            viewRef={viewRef}
          >
            <StageState camera={camera} viewRef={viewRef} />
          </Stage>
        </div>
        <aside className="editor-side" aria-label={t.editor.zones}>
          {draft ? (
            <>
              <h2>{draft.zone ? draft.name : t.editor.kind[draft.kind]}</h2>
              <DraftForm
                cameraId={cameraId}
                draft={draft}
                dispatch={dispatch}
                onReplace={setDraft}
                onCancel={() => setDraft(null)}
                onSaved={(zone) => {
                  setDraft(null);
                  setSelectedId(zone.id);
                }}
              />
            </>
          ) : (
            <>
              <h2>{t.editor.zones}</h2>
              {zones.length === 0 ? (
                <div className="teach">
                  <h3>{t.editor.noZonesTitle}</h3>
                  <p>{t.editor.noZones}</p>
                </div>
              ) : (
                <ZoneList
                  zones={zones}
                  selectedId={selectedId}
                  onSelect={setSelectedId}
                  onEdit={(zone) => {
                    setSelectedId(zone.id);
                    setDraft(draftOf(zone));
                  }}
                />
              )}
              <div className="editor-draw">
                <DrawButton kind="polygon" isPrimary={zones.length === 0} onBegin={begin} />
                <DrawButton kind="line" isPrimary={false} onBegin={begin} />
              </div>
              {selected ? <RuleList key={selected.id} zone={selected} /> : null}
            </>
          )}
        </aside>
      </main>
    </div>
  );
}

function DrawButton(props: { kind: ZoneKind; isPrimary: boolean; onBegin: (kind: ZoneKind) => void }) {
  const { t } = useWords();
  return (
    <button
      type="button"
      className={props.isPrimary ? "button primary" : "button"}
      data-testid={`editor-draw-${props.kind}`}
      onClick={() => props.onBegin(props.kind)}
    >
      {props.kind === "polygon" ? t.editor.drawPolygon : t.editor.drawLine}
    </button>
  );
}

/** The shape under the hand and the zone whose rules are shown. */
function useDraft(zones: readonly Zone[]) {
  const { t, number } = useWords();
  const [draft, setDraft] = useState<Draft | null>(null);
  const [selectedId, setSelectedId] = useState<string | null>(null);
  const dispatch = (action: DraftAction): void => setDraft((now) => now && reduceDraft(now, action));
  const begin = (kind: ZoneKind): void => {
    const index = number(zones.filter((zone) => zone.kind === kind).length + 1);
    setDraft(newDraft(kind, kind === "line" ? t.editor.defaultLine(index) : t.editor.defaultPolygon(index)));
  };
  const [only] = zones;
  return {
    draft,
    setDraft,
    dispatch,
    begin,
    setSelectedId,
    selectedId: selectedId ?? (zones.length === 1 ? only?.id : null) ?? null,
  };
}
