/** The frame of the console's pages: where one is, where one can go, light or dark. */
import { useEffect } from "react";
import { consoleTheme, setConsoleTheme } from "../core/console-theme.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { navigate, routeHash } from "../core/route.ts";
import { useStore } from "../core/store.ts";
import { LanguageSwitch } from "./language-switch.tsx";
import { LostBanner } from "./lost-banner.tsx";

const PAGES = ["statistics", "system"] as const;
type ConsolePageName = (typeof PAGES)[number];

export function ConsolePage({ page, children }: { page: ConsolePageName; children: React.ReactNode }) {
  const { t } = useWords();
  const theme = useStore(consoleTheme);
  useEffect(() => {
    const onKey = (event: KeyboardEvent): void => {
      const isTyping =
        event.target instanceof Element && event.target.closest("input, select, textarea") !== null;
      if (event.key === "Escape" && !isTyping && !event.defaultPrevented) navigate({ page: "wall" });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <div className="console-page console" data-theme={theme} data-testid={`page-${page}`}>
      <header className="console-head">
        <a className="button" href={routeHash({ page: "wall" })} data-testid="console-back">
          ← {t.common.back}
        </a>
        <h1>{t[page].title}</h1>
        <nav className="console-nav" aria-label={t.common.pages}>
          {PAGES.map((each) => (
            <a
              key={each}
              href={each === "statistics" ? routeHash({ page: each, choice: "" }) : routeHash({ page: each })}
              aria-current={each === page ? "page" : undefined}
              data-testid={`nav-${each}`}
            >
              {t[each].title}
            </a>
          ))}
        </nav>
        <button
          type="button"
          className="button quiet"
          aria-pressed={theme === "wall"}
          data-testid="console-theme"
          onClick={() => setConsoleTheme(theme === "wall" ? "console" : "wall")}
        >
          {t.common.dark}
        </button>
        <LanguageSwitch />
      </header>
      <LostBanner />
      <main className="console-main">{children}</main>
    </div>
  );
}
