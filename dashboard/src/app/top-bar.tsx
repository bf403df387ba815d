import { useEffect, useRef } from "react";
import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { layoutFor, LAYOUTS } from "../core/model/tile-arrangement.ts";
import { routeHash } from "../core/route.ts";
import { useStore } from "../core/store.ts";
import { ticker } from "../core/ticker.ts";
import { BrandMark } from "../ui/brand-mark.tsx";
import { LanguageSwitch } from "../ui/language-switch.tsx";

export function TopBar() {
  const { operations, preferences, hub, session: sessionStore, signOut } = useApp();
  const { t, number } = useWords();
  const { layout: chosen } = useStore(preferences);
  const layout = layoutFor(chosen, useStore(operations.cameras).length);
  const { phase } = useStore(hub.connection);
  const session = useStore(sessionStore);
  return (
    <header className="top-bar">
      <span className="brand">
        <BrandMark />
        <span>{t.product}</span>
      </span>
      <fieldset className="segmented" aria-label={t.wall.layout}>
        {LAYOUTS.map((each) => (
          <button
            key={each}
            type="button"
            aria-pressed={each === layout}
            aria-label={t.wall.layoutOf(number(each))}
            data-testid={`layout-${String(each)}`}
            onClick={() => preferences.update((kept) => ({ ...kept, layout: each }))}
          >
            <LayoutSign layout={each} />
            <span className="numeric">{number(each)}</span>
          </button>
        ))}
      </fieldset>
      <span className="top-bar-keys">{t.wall.shortcuts}</span>
      <nav className="top-bar-pages" aria-label={t.common.pages}>
        <a
          className="button quiet"
          href={routeHash({ page: "statistics", choice: "" })}
          data-testid="to-statistics"
        >
          {t.statistics.title}
        </a>
        <a className="button quiet" href={routeHash({ page: "system" })} data-testid="to-system">
          {t.system.title}
        </a>
      </nav>
      <span className="top-bar-end">
        <span className={`connection connection-${phase}`} data-testid="connection" data-phase={phase}>
          {t.wall.connection[phase]}
        </span>
        <ServerTime />
        <LanguageSwitch />
        {session.kind === "signedIn" ? <span className="user">{session.session.userName}</span> : null}
        <button type="button" className="button quiet" data-testid="sign-out" onClick={signOut}>
          {t.common.signOut}
        </button>
      </span>
    </header>
  );
}

function LayoutSign({ layout }: { layout: number }) {
  const side = Math.sqrt(layout);
  const step = 14 / side;
  return (
    <svg viewBox="0 0 16 16" className="layout-sign" aria-hidden>
      {Array.from({ length: layout }, (_, index) => (
        <rect
          key={index}
          x={1 + (index % side) * step + 0.5}
          y={1 + Math.floor(index / side) * step + 0.5}
          width={step - 1}
          height={step - 1}
          fill="currentColor"
        />
      ))}
    </svg>
  );
}

/** The server's time, not this browser's: what all ages are counted on. */
function ServerTime() {
  const { hub } = useApp();
  const words = useWords();
  const element = useRef<HTMLTimeElement>(null);
  useEffect(() => {
    const write = (): void => {
      const text = words.time(hub.serverNowMs());
      if (element.current && element.current.textContent !== text) element.current.textContent = text;
    };
    write();
    return ticker.subscribe(write);
  }, [hub, words]);
  return <time ref={element} className="server-time numeric" data-testid="server-time" />;
}
