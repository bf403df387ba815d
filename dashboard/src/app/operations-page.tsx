/** The wall with its alarm list: features stand side by side here and know nothing of each other. */
import { HuishiError } from "@huishi/kernel";
import { useEffect } from "react";
import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { canPlayLive } from "../core/live/playable.ts";
import { useStore } from "../core/store.ts";
import { AlarmPanel } from "../features/alarms/alarm-panel.tsx";
import { useAlarmMoves } from "../features/alarms/use-alarm-moves.ts";
import { CameraStrip } from "../features/wall/camera-strip.tsx";
import { Wall } from "../features/wall/wall.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { LostBanner } from "../ui/lost-banner.tsx";
import { TopBar } from "./top-bar.tsx";
import { wallKeyHandler } from "./wall-keys.ts";

export function OperationsPage() {
  const app = useApp();
  const { t } = useWords();
  const move = useAlarmMoves();
  const loadError = useStore(app.operations.loadError);
  useEffect(() => {
    const onKey = wallKeyHandler(app, move);
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [app, move]);
  return (
    <div className="operations" data-theme="wall" data-testid="page-wall">
      <TopBar />
      <LostBanner />
      {canPlayLive() ? null : (
        <div className="load-error">
          <ErrorNote thrown={new HuishiError("MSE_MISSING", "")} />
        </div>
      )}
      {loadError === null ? null : (
        <div className="load-error">
          <ErrorNote thrown={loadError} />
          <button type="button" className="button" onClick={() => void app.operations.reload()}>
            {t.common.retry}
          </button>
        </div>
      )}
      <main className="operations-main">
        <h1 className="visually-hidden">{t.wall.title}</h1>
        <Wall />
        <CameraStrip />
      </main>
      <AlarmPanel />
    </div>
  );
}
