import { HuishiError } from "@huishi/kernel";
import type { Zone } from "@huishi/contracts";
import { useEffect, useRef, useState } from "react";
import { useApp } from "../../core/app-context.ts";
import { useWords } from "../../core/i18n/use-words.ts";
import { ErrorNote } from "../../ui/error-note.tsx";
import { TextField } from "../../ui/field.tsx";
import { type Draft, type DraftAction, draftFault, draftOf } from "./draft.ts";

/** What to do next with the shape: how to draw it, its name, save or cancel. */
export function DraftForm(props: {
  draft: Draft;
  dispatch: (action: DraftAction) => void;
  onReplace: (draft: Draft) => void;
  onSaved: (zone: Zone) => void;
  onCancel: () => void;
  cameraId: string;
}) {
  const { draft, dispatch, onCancel } = props;
  const { t } = useWords();
  const { save, state, newer } = useSaveZone(props);
  const fault = draftFault(draft);
  const nameRef = useRef<HTMLInputElement>(null);
  const isNewAndClosed = draft.isClosed && draft.zone === null;
  // Drawn: the next thing is its name, and Enter saves.
  useEffect(() => {
    if (isNewAndClosed) nameRef.current?.select();
  }, [isNewAndClosed]);
  const hint = draft.isClosed
    ? t.editor.editingCorners
    : draft.kind === "line"
      ? t.editor.drawingLine
      : t.editor.drawingPolygon;
  return (
    <form
      className="draft-form"
      data-testid="draft-form"
      data-corners={draft.points.length}
      data-closed={draft.isClosed}
      onSubmit={(event) => {
        event.preventDefault();
        if (draft.isClosed) void save();
      }}
    >
      <p className="hint" aria-live="polite">
        {hint} {draft.isClosed ? "" : t.editor.drawingKeyboard}
      </p>
      {draft.isClosed ? (
        <TextField
          label={t.editor.name}
          value={draft.name}
          onChange={(name) => dispatch({ type: "rename", name })}
          required
          maxLength={120}
          testId="editor-name"
          inputRef={nameRef}
        />
      ) : null}
      {draft.isClosed && fault ? <p className="field-error">{t.editor[fault]}</p> : null}
      {state.error === undefined ? null : <ErrorNote thrown={state.error} />}
      <div className="form-end">
        {newer ? (
          <button type="button" className="button" onClick={() => props.onReplace(draftOf(newer))}>
            {t.editor.conflictReload}
          </button>
        ) : null}
        {draft.kind === "line" && draft.isClosed ? (
          <button
            type="button"
            className="button"
            data-testid="editor-flip"
            onClick={() => dispatch({ type: "flip" })}
          >
            {t.editor.flip}
          </button>
        ) : null}
        <button type="button" className="button" data-testid="editor-cancel" onClick={onCancel}>
          {t.common.cancel}
        </button>
        {draft.isClosed ? (
          <button type="submit" className="button primary" disabled={state.isBusy} data-testid="editor-save">
            {state.isBusy ? t.common.saving : draft.zone ? t.editor.saveShape : t.editor.saveZone}
          </button>
        ) : (
          <button
            type="button"
            className="button primary"
            disabled={fault === "needThree"}
            data-testid="editor-finish"
            onClick={() => dispatch({ type: "close" })}
          >
            {t.editor.finish} <kbd>Enter</kbd>
          </button>
        )}
      </div>
    </form>
  );
}

function useSaveZone(props: { draft: Draft; cameraId: string; onSaved: (zone: Zone) => void }) {
  const { draft, cameraId, onSaved } = props;
  const { api, operations, toasts } = useApp();
  const { t } = useWords();
  const [state, setState] = useState<{ isBusy: boolean; error?: unknown }>({ isBusy: false });
  const save = async (): Promise<void> => {
    setState({ isBusy: true });
    try {
      const { zone, kind, name, points } = draft;
      const saved = zone
        ? await api.updateZone({ id: zone.id, version: zone.version, name, points })
        : await api.createZone(cameraId, { name, kind, points });
      operations.putZone(saved);
      toasts.show({ text: t.editor.saved(saved.name) });
      setState({ isBusy: false });
      onSaved(saved);
    } catch (error) {
      setState({ isBusy: false, error });
    }
  };
  const isConflict = state.error instanceof HuishiError && state.error.code === "VERSION_CONFLICT";
  const newer = isConflict
    ? ((state.error as HuishiError).details["current"] as Zone | undefined)
    : undefined;
  return { save, state, newer: newer ?? null };
}
