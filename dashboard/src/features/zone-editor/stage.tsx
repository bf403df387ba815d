/** The live picture with the shape that is drawn over it. */
import type { Point } from "@huishi/kernel";
import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import type { LiveView } from "../../core/live/live-view.ts";
import { type Rect, toElement, toPicture } from "../../core/overlay/letterbox.ts";
import { LivePicture } from "../../ui/live-picture.tsx";
import { useOverlayZones } from "../../ui/use-overlay-zones.ts";
import { arrowStep } from "./arrow-step.ts";
import type { Draft, DraftAction } from "./draft.ts";
import { StageMarks } from "./stage-marks.tsx";
import { DraftShape } from "./draft-shape.tsx";

const NO_RECT: Rect = { left: 0, top: 0, width: 0, height: 0 };
/** A click this near to the first corner closes the polygon. */
const CLOSE_PX = 12;

export interface StageProps {
  readonly cameraId: string;
  readonly draft: Draft | null;
  readonly dispatch: (action: DraftAction) => void;
  readonly onCancel: () => void;
  readonly viewRef: React.RefObject<LiveView | null>;
  readonly children?: React.ReactNode;
}

export function Stage({ cameraId, draft, dispatch, onCancel, viewRef, children }: StageProps) {
  const { t } = useWords();
  const surface = useRef<HTMLDivElement>(null);
  const [rect, setRect] = useState<Rect>(NO_RECT);
  const [cursor, setCursor] = useState<Point | null>(null);
  const isDrawing = draft !== null && !draft.isClosed;
  const editedId = draft?.zone?.id;
  const all = useOverlayZones(cameraId);
  const zones = useMemo(
    () => all.filter(({ zone }) => !("id" in zone) || zone.id !== editedId),
    [all, editedId],
  );
  const onLayout = useCallback((next: Rect) => setRect(next), []);

  useEffect(() => {
    if (isDrawing) surface.current?.focus();
  }, [isDrawing]);

  const pointOf = (event: { clientX: number; clientY: number }): Point => {
    const box = surface.current?.getBoundingClientRect();
    return toPicture({ x: event.clientX - (box?.left ?? 0), y: event.clientY - (box?.top ?? 0) }, rect);
  };
  const place = (point: Point): void => {
    const first = draft?.points[0];
    if (
      draft?.kind === "polygon" &&
      first &&
      draft.points.length >= 3 &&
      distancePx(point, first, rect) < CLOSE_PX
    ) {
      dispatch({ type: "close" });
    } else dispatch({ type: "add", point });
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    if (!isDrawing || event.target !== event.currentTarget) return;
    const step = arrowStep(event.key, event.shiftKey);
    if (step) setCursor((at) => ({ x: unit((at?.x ?? 0.5) + step.x), y: unit((at?.y ?? 0.5) + step.y) }));
    else if (event.key === " ") place(cursor ?? { x: 0.5, y: 0.5 });
    else if (event.key === "Enter") dispatch({ type: "close" });
    else if (event.key === "Backspace") dispatch({ type: "removeLast" });
    else if (event.key === "Escape") onCancel();
    else return;
    event.preventDefault();
  };

  return (
    <div
      className={isDrawing ? "stage stage-drawing" : "stage"}
      data-testid="editor-stage"
      data-left={rect.left}
      data-top={rect.top}
      data-width={rect.width}
      data-height={rect.height}
    >
      <LivePicture cameraId={cameraId} profile="sub" zones={zones} viewRef={viewRef} onLayout={onLayout} />
      {/* A drawing surface has no native element: it takes focus, clicks and keys while a shape is drawn. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        ref={surface}
        className="stage-surface"
        role="application"
        aria-label={t.editor.stage}
        // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        data-testid="editor-surface"
        onPointerMove={(event) => {
          if (isDrawing) setCursor(pointOf(event));
        }}
        onClick={(event) => {
          if (isDrawing && event.target === event.currentTarget) place(pointOf(event));
        }}
        onKeyDown={onKeyDown}
      >
        {draft ? (
          <DraftShape
            draft={draft}
            dispatch={dispatch}
            rect={rect}
            cursor={isDrawing ? cursor : null}
            pointOf={pointOf}
          />
        ) : (
          <StageMarks rect={rect} />
        )}
      </div>
      {children}
    </div>
  );
}

const unit = (value: number): number => Math.min(1, Math.max(0, value));

function distancePx(a: Point, b: Point, rect: Rect): number {
  const [pa, pb] = [toElement(a, rect), toElement(b, rect)];
  return Math.hypot(pa.x - pb.x, pa.y - pb.y);
}
