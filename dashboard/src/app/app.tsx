/** Which page is shown: set-up, sign-in, the wall, the zone editor, statistics or the system. */
import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { useStore } from "../core/store.ts";
import { SetupPage } from "../features/setup/setup-page.tsx";
import { SignInPage } from "../features/sign-in/sign-in-page.tsx";
import { StatisticsPage } from "../features/statistics/statistics-page.tsx";
import { SystemPage } from "../features/system/system-page.tsx";
import { ZoneEditorPage } from "../features/zone-editor/zone-editor-page.tsx";
import { ErrorBoundary } from "../ui/error-boundary.tsx";
import { ErrorNote } from "../ui/error-note.tsx";
import { ToastList } from "../ui/toast-list.tsx";
import { OperationsPage } from "./operations-page.tsx";

export function App() {
  return (
    <ErrorBoundary>
      <Page />
      <ToastList />
    </ErrorBoundary>
  );
}

function Page() {
  const { session: sessionStore, route: routeStore, retry } = useApp();
  const session = useStore(sessionStore);
  const route = useStore(routeStore);
  const { t } = useWords();
  if (session.kind === "unknown") {
    return (
      <main className="console center" data-theme="console" data-testid="page-unknown">
        {session.error === undefined ? null : (
          <div className="panel">
            <h1>{t.product}</h1>
            <ErrorNote thrown={session.error} />
            <button type="button" className="button primary" onClick={retry}>
              {t.common.retry}
            </button>
          </div>
        )}
      </main>
    );
  }
  if (session.kind === "needsSetup") return <SetupPage token={route.page === "setup" ? route.token : null} />;
  if (session.kind === "signedOut") return <SignInPage hasEnded={session.hasEnded} />;
  if (route.page === "zones") return <ZoneEditorPage key={route.cameraId} cameraId={route.cameraId} />;
  if (route.page === "statistics") return <StatisticsPage text={route.choice} />;
  if (route.page === "system") return <SystemPage />;
  return <OperationsPage />;
}
