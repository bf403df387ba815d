import { useEffect, useRef } from "react";
import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { useStore } from "../core/store.ts";
import { ticker } from "../core/ticker.ts";

/** Says at once that nothing on the page is live, and counts down to the next attempt. */
export function LostBanner() {
  const { hub } = useApp();
  const { t, number } = useWords();
  const connection = useStore(hub.connection);
  const countdown = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const untilMs = performance.now() + (connection.retryInMs ?? 0);
    const write = (): void => {
      if (!countdown.current) return;
      const seconds = Math.max(0, Math.ceil((untilMs - performance.now()) / 1_000));
      const isWaiting = connection.retryInMs !== null && seconds > 0;
      countdown.current.textContent = isWaiting ? t.wall.retryIn(number(seconds)) : t.wall.retrying;
    };
    write();
    return ticker.subscribe(write);
  }, [connection, t, number]);
  if (connection.phase !== "lost") return null;
  return (
    <div className="lost-banner" role="alert" data-testid="lost-banner">
      <strong>{t.wall.offlineBanner}</strong>
      <span ref={countdown} className="numeric" />
      <button type="button" className="button" onClick={() => hub.retryNow()}>
        {t.wall.retryNow}
      </button>
    </div>
  );
}
