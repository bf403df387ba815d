import type { Camera } from "@huishi/contracts";
import { useRef } from "react";
import { useWords } from "../../core/i18n/use-words.ts";
import type { LiveView } from "../../core/live/live-view.ts";
import { pictureAgeMs } from "../../core/live/tile-state.ts";
import { useTileState } from "../../ui/use-tile-state.ts";

/** Whether the picture that is drawn on is live, and when it was taken: drawing works on an old one too. */
export function StageState({
  camera,
  viewRef,
}: {
  camera: Camera;
  viewRef: React.RefObject<LiveView | null>;
}) {
  const words = useWords();
  const text = useRef<HTMLSpanElement>(null);
  const state = useTileState(camera, viewRef, ({ facts, nowMs, state: now }) => {
    if (!text.current) return;
    const { frame } = facts;
    const age = frame ? words.t.tile.lastPicture(words.age(pictureAgeMs(frame, nowMs))) : "";
    const written = now === "live" && frame ? words.time(frame.capturedAtMs) : age;
    if (text.current.textContent !== written) text.current.textContent = written;
  });
  return (
    <p className={`stage-state stage-state-${state}`} data-testid="stage-state" data-state={state}>
      <strong>{words.t.tile[state].title}</strong> <span ref={text} className="numeric" />
      {camera.note ? <span className="chip">{words.note(camera.note)}</span> : null}
    </p>
  );
}
