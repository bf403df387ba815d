import { Component } from "react";
import { useWords } from "../core/i18n/use-words.ts";
import { ErrorNote } from "./error-note.tsx";

/** A fault of the page itself: says so instead of going blank, and offers to start it anew. */
export class ErrorBoundary extends Component<{ children: React.ReactNode }, { thrown: unknown }> {
  override state: { thrown: unknown } = { thrown: null };

  static getDerivedStateFromError(thrown: unknown): { thrown: unknown } {
    return { thrown };
  }

  override render(): React.ReactNode {
    return this.state.thrown === null ? this.props.children : <BrokenPage thrown={this.state.thrown} />;
  }
}

function BrokenPage({ thrown }: { thrown: unknown }) {
  const { t } = useWords();
  return (
    <main className="console center" data-theme="console" data-testid="page-broken">
      <div className="panel">
        <h1>{t.errors.title}</h1>
        <ErrorNote thrown={thrown} />
        <button type="button" className="button primary" onClick={() => location.reload()}>
          {t.common.retry}
        </button>
      </div>
    </main>
  );
}
