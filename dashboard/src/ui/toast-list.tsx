import { useApp } from "../core/app-context.ts";
import { useWords } from "../core/i18n/use-words.ts";
import { useStore } from "../core/store.ts";

export function ToastList() {
  const { toasts } = useApp();
  const list = useStore(toasts.list);
  const { t } = useWords();
  return (
    <output className="toasts" aria-live="polite" data-testid="toasts">
      {list.map((toast) => (
        <div
          key={toast.id}
          className={toast.isError ? "toast toast-error" : "toast"}
          data-testid="toast"
          data-code={toast.code ?? ""}
        >
          <span>{toast.text}</span>
          {toast.code === null ? null : <small className="numeric">{t.common.code(toast.code)}</small>}
          {toast.undo === null ? null : (
            <button
              type="button"
              className="button quiet"
              data-testid="toast-undo"
              onClick={() => {
                toast.undo?.();
                toasts.dismiss(toast.id);
              }}
            >
              {t.common.undo}
            </button>
          )}
          <button
            type="button"
            className="button quiet icon"
            aria-label={t.common.close}
            onClick={() => toasts.dismiss(toast.id)}
          >
            ×
          </button>
        </div>
      ))}
    </output>
  );
}
