/** The shape under the hand: edges, the way to the cursor, and corners that can be dragged or moved by keys. */
import type { Point } from "@huishi/kernel";
import { useWords } from "../../core/i18n/use-words.ts";
import { type Rect, toElement } from "../../core/overlay/letterbox.ts";
import { lineArrow } from "../../core/overlay/line-geometry.ts";
import { arrowStep } from "./arrow-step.ts";
import { type Draft, type DraftAction, draftFault } from "./draft.ts";

interface DraftShapeProps {
  readonly draft: Draft;
  readonly dispatch: (action: DraftAction) => void;
  readonly rect: Rect;
  readonly cursor: Point | null;
  readonly pointOf: (event: { clientX: number; clientY: number }) => Point;
}

export function DraftShape({ draft, dispatch, rect, cursor, pointOf }: DraftShapeProps) {
  const corners = draft.points.map((point) => toElement(point, rect));
  const ahead = cursor ? toElement(cursor, rect) : null;
  const path = [...corners, ...(ahead && !draft.isClosed ? [ahead] : [])];
  const isFaulty = draft.points.length > 3 && draftFault(draft) === "selfCrossing";
  const text = path.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" ");
  return (
    <>
      <svg className={isFaulty ? "draft draft-faulty" : "draft"} aria-hidden>
        {draft.kind === "polygon" && path.length > 2 ? (
          <polygon points={text} className="draft-area" />
        ) : null}
        <polyline
          points={draft.isClosed && draft.kind === "polygon" ? closed(text) : text}
          className="draft-edge-under"
        />
        <polyline
          points={draft.isClosed && draft.kind === "polygon" ? closed(text) : text}
          className="draft-edge"
        />
        {ahead && !draft.isClosed ? <Cross at={ahead} /> : null}
      </svg>
      {draft.kind === "line" && path[0] && path[1] ? <LineSides a={path[0]} b={path[1]} /> : null}
      {draft.isClosed && draft.kind === "polygon" ? (
        <EdgeMiddles corners={corners} dispatch={dispatch} draft={draft} />
      ) : null}
      {corners.map((corner, index) => (
        <Corner key={index} index={index} at={corner} draft={draft} dispatch={dispatch} pointOf={pointOf} />
      ))}
    </>
  );
}

const closed = (text: string): string => `${text} ${text.split(" ", 1)[0] ?? ""}`;

function Cross({ at }: { at: Point }) {
  return (
    <path
      className="draft-cross"
      d={`M${(at.x - 12).toFixed(1)} ${at.y.toFixed(1)}h24M${at.x.toFixed(1)} ${(at.y - 12).toFixed(1)}v24`}
    />
  );
}

function Corner(props: {
  index: number;
  at: Point;
  draft: Draft;
  dispatch: (action: DraftAction) => void;
  pointOf: (event: { clientX: number; clientY: number }) => Point;
}) {
  const { index, at, draft, dispatch, pointOf } = props;
  const { t, number } = useWords();
  const name = draft.kind === "line" ? (index === 0 ? "A" : "B") : number(index + 1);
  const isClosing = !draft.isClosed && index === 0 && draft.points.length >= 3;
  return (
    <button
      type="button"
      className={isClosing ? "corner corner-closing" : "corner"}
      style={{ left: at.x, top: at.y }}
      aria-label={t.editor.corner(name)}
      data-testid="editor-corner"
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={(event) => {
        if (event.currentTarget.hasPointerCapture(event.pointerId) && event.buttons === 1) {
          dispatch({ type: "move", index, point: pointOf(event) });
        }
      }}
      onClick={() => {
        if (isClosing) dispatch({ type: "close" });
      }}
      onKeyDown={(event) => {
        const point = draft.points[index];
        const step = arrowStep(event.key, event.shiftKey);
        if (step && point)
          dispatch({ type: "move", index, point: { x: point.x + step.x, y: point.y + step.y } });
        else if (event.key === "Delete") dispatch({ type: "removeCorner", index });
        else return;
        event.preventDefault();
      }}
    >
      {draft.kind === "line" ? name : null}
    </button>
  );
}

/** In the middle of each edge: a click makes a corner there. */
function EdgeMiddles(props: {
  corners: readonly Point[];
  draft: Draft;
  dispatch: (action: DraftAction) => void;
}) {
  const { corners, draft, dispatch } = props;
  const { t, number } = useWords();
  const between = (a: Point, b: Point): Point => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  return corners.map((corner, index) => {
    const next = (index + 1) % corners.length;
    const at = between(corner, corners[next] as Point);
    return (
      <button
        key={index}
        type="button"
        className="corner corner-middle"
        style={{ left: at.x, top: at.y }}
        aria-label={t.editor.addCorner(number(index + 1))}
        data-testid="editor-add-corner"
        onClick={() =>
          dispatch({
            type: "insertAfter",
            index,
            point: between(draft.points[index] as Point, draft.points[next] as Point),
          })
        }
      />
    );
  });
}

/** The arrow across the line, and which side is which for somebody who walks from A to B. */
function LineSides({ a, b }: { a: Point; b: Point }) {
  const { t } = useWords();
  const arrow = lineArrow(a, b);
  if (!arrow) return null;
  const { middle, right, along } = arrow;
  const at = (side: number, forward = 0): Point => ({
    x: middle.x + right.x * side + along.x * forward,
    y: middle.y + right.y * side + along.y * forward,
  });
  const [tail, tip, wingA, wingB] = [at(-18), at(18), at(10, -7), at(10, 7)];
  const [rightAt, leftAt] = [at(40), at(-38)];
  const d = `M${pair(tail)}L${pair(tip)}M${pair(wingA)}L${pair(tip)}L${pair(wingB)}`;
  return (
    <>
      <svg className="draft" aria-hidden>
        <path d={d} className="draft-edge-under" />
        <path d={d} className="draft-edge" />
      </svg>
      <span className="side-label" style={{ left: rightAt.x, top: rightAt.y }}>
        {t.editor.right}
      </span>
      <span className="side-label" style={{ left: leftAt.x, top: leftAt.y }}>
        {t.editor.left}
      </span>
    </>
  );
}

const pair = ({ x, y }: Point): string => `${x.toFixed(1)} ${y.toFixed(1)}`;
