/** The deciding frame of an alarm with its zone and boxes drawn from data, never burnt in. */
import type { Alarm } from "@huishi/contracts";
import { useState } from "react";
import { snapshotUrl } from "../../core/api/api.ts";
import { useWords } from "../../core/i18n/use-words.ts";

export interface EvidenceProps {
  readonly alarm: Alarm;
  /** The place it has, in CSS pixels; the picture keeps its own aspect within. */
  readonly maxWidth: number;
  readonly maxHeight: number;
  readonly isThumbnail: boolean;
}

const FIRST_RATIO = 16 / 9;

export function Evidence({ alarm, maxWidth, maxHeight, isThumbnail }: EvidenceProps) {
  const words = useWords();
  const [ratio, setRatio] = useState(FIRST_RATIO);
  const [isMissing, setIsMissing] = useState(false);
  const width = Math.round(Math.min(maxWidth, maxHeight * ratio));
  if (!alarm.hasSnapshot || isMissing) {
    return (
      <div className="evidence evidence-missing" style={{ width: maxWidth, height: maxHeight }}>
        {isThumbnail ? "" : words.t.alarms.noSnapshot}
      </div>
    );
  }
  const what = words.alarmClass(alarm.alarmClass);
  return (
    <div className="evidence" style={{ width, height: Math.round(width / ratio) }} data-testid="evidence">
      <img
        src={snapshotUrl(alarm.id)}
        alt={isThumbnail ? "" : words.t.alarms.snapshotOf(what)}
        loading="lazy"
        decoding="async"
        draggable={false}
        onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
          if (naturalWidth > 0 && naturalHeight > 0) setRatio(naturalWidth / naturalHeight);
        }}
        onError={() => setIsMissing(true)}
      />
      <svg viewBox="0 0 1 1" preserveAspectRatio="none" aria-hidden>
        <ZoneOutline alarm={alarm} />
        {alarm.boxes.map((box, index) => (
          <g
            key={`${box.trackId ?? "box"}-${String(index)}`}
            data-testid="evidence-box"
            data-deciding={box.deciding}
          >
            <rect {...rectOf(box.box)} className="evidence-edge" />
            <rect
              {...rectOf(box.box)}
              className={box.deciding ? `evidence-box priority-${alarm.priority}` : "evidence-box"}
            />
          </g>
        ))}
      </svg>
      {isThumbnail ? null : <BoxLabels alarm={alarm} />}
    </div>
  );
}

const rectOf = ({ x, y, w, h }: { x: number; y: number; w: number; h: number }): Record<string, number> => ({
  x,
  y,
  width: w,
  height: h,
});

function ZoneOutline({ alarm }: { alarm: Alarm }) {
  if (!alarm.zonePoints || alarm.zonePoints.length < 2) return null;
  const points = alarm.zonePoints.map(({ x, y }) => `${String(x)},${String(y)}`).join(" ");
  const Shape = alarm.zoneKind === "line" ? "polyline" : "polygon";
  return (
    <g data-testid="evidence-zone">
      <Shape points={points} className="evidence-edge" />
      <Shape points={points} className={`evidence-zone priority-${alarm.priority}`} />
    </g>
  );
}

/** Class and certainty of each object: the deciding ones are always told, others only where there is room. */
function BoxLabels({ alarm }: { alarm: Alarm }) {
  const { objectClass, percent } = useWords();
  const shown = alarm.boxes.filter((box) => box.deciding || box.box.h > 0.12);
  return (
    <>
      {shown.map(({ box, trackId, objectClass: slug, score }, index) => (
        <span
          key={`${trackId ?? "box"}-${String(index)}`}
          className={box.y < 0.08 ? "evidence-label evidence-label-inside numeric" : "evidence-label numeric"}
          style={{ left: `${String(box.x * 100)}%`, top: `${String(box.y * 100)}%` }}
        >
          {objectClass(slug)} {percent(score)}
        </span>
      ))}
    </>
  );
}
