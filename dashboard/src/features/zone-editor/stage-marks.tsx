/** Over the live picture: the arrow of the allowed way, and the box of the rehearsed alarm that is looked at. */
import { useWords } from "../../core/i18n/use-words.ts";
import { type Rect, toElement } from "../../core/overlay/letterbox.ts";
import { useStore } from "../../core/store.ts";
import { type EditorMarks, type HeadingMark, useMarks } from "./editor-marks.ts";
import { ahead, headingOf, middleOf, turnOf, wholeDegrees } from "./heading.ts";

const ARROW_PX = 72;
/** Beyond the tip, so that the arrow is seen while it is turned. */
const HANDLE_PX = 92;

export function StageMarks({ rect }: { rect: Rect }) {
  const { heading, box } = useStore(useMarks());
  if (rect.width <= 0) return null;
  return (
    <>
      {box ? <RehearsedBox mark={box} rect={rect} /> : null}
      {heading ? <HeadingArrow mark={heading} rect={rect} /> : null}
    </>
  );
}

function RehearsedBox({ mark, rect }: { mark: NonNullable<EditorMarks["box"]>; rect: Rect }) {
  const { x, y, w, h } = mark.box;
  const at = toElement({ x, y }, rect);
  const size = { width: w * rect.width, height: h * rect.height };
  return (
    <svg className="draft" aria-hidden data-testid="rehearsed-mark">
      <rect {...at} {...size} className="draft-edge-under" />
      <rect {...at} {...size} className={`rehearsed-mark priority-${mark.priority}`} />
    </svg>
  );
}

function HeadingArrow({ mark, rect }: { mark: HeadingMark; rect: Rect }) {
  const { t, number } = useWords();
  const { degrees, onTurn } = mark;
  const middle = toElement(middleOf(mark.zone.points), rect);
  const tip = ahead(middle, degrees, ARROW_PX);
  const handle = ahead(middle, degrees, HANDLE_PX);
  const wings = [degrees - 150, degrees + 150].map((wing) => ahead(tip, wing, 14));
  const d = `M${text(middle)}L${text(tip)}M${text(wings[0] as Pixel)}L${text(tip)}L${text(wings[1] as Pixel)}`;
  return (
    <>
      <svg className="draft" aria-hidden>
        <path d={d} className="draft-edge-under" />
        <path d={d} className="draft-edge" />
      </svg>
      <button
        type="button"
        aria-label={t.editor.headingHandle(number(degrees))}
        className="corner corner-heading"
        style={{ left: handle.x, top: handle.y }}
        data-testid="heading-handle"
        data-degrees={degrees}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          if (!event.currentTarget.hasPointerCapture(event.pointerId) || event.buttons !== 1) return;
          const stage = event.currentTarget.parentElement?.getBoundingClientRect();
          if (!stage) return;
          const turned = headingOf(middle, { x: event.clientX - stage.left, y: event.clientY - stage.top });
          if (turned !== null) onTurn(turned);
        }}
        onKeyDown={(event) => {
          const turn = turnOf(event.key, event.shiftKey);
          if (turn === null) return;
          event.preventDefault();
          onTurn(wholeDegrees(degrees + turn));
        }}
      />
    </>
  );
}

type Pixel = { readonly x: number; readonly y: number };
const text = ({ x, y }: Pixel): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
