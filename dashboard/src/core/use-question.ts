/** A question to the server as a page's state: asked again when its key changes, or on a beat. */
import { useCallback, useEffect, useRef, useState } from "react";

export interface Answer<T> {
  /** The newest answer; null before the first, and when the question is another one. */
  readonly value: T | null;
  /** When it came, on this browser's clock of performance; null without one. */
  readonly atMs: number | null;
  readonly isLoading: boolean;
  /** Why the last try failed; null when it did not. An older answer may still be shown. */
  readonly thrown: unknown;
  readonly retry: () => void;
}

/**
 * @param key what is asked; null asks nothing
 * @param ask is called with the key; a new function alone asks nothing anew
 * @param everyMs asks again that long after each answer, while the page is visible
 */
export function useQuestion<T>(
  key: string | null,
  ask: (key: string, signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Answer<T> {
  const askRef = useRef(ask);
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<Omit<Answer<T>, "retry"> & { readonly key: string | null }>(
    nothing(null),
  );
  useEffect(() => {
    askRef.current = ask;
  });
  useEffect(() => {
    if (key === null) {
      setState(nothing(null));
      return undefined;
    }
    const stop = new AbortController();
    setState((was) => (was.key === key ? { ...was, isLoading: true } : { ...nothing(key), isLoading: true }));
    askRef.current(key, stop.signal).then(
      (value) => {
        if (stop.signal.aborted) return;
        setState({ key, value, atMs: performance.now(), isLoading: false, thrown: null });
      },
      (thrown: unknown) => {
        if (!stop.signal.aborted) setState((was) => ({ ...was, isLoading: false, thrown }));
      },
    );
    return () => stop.abort();
  }, [key, attempt]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);
  useBeat(state.isLoading || key === null ? undefined : everyMs, retry);
  const current = state.key === key ? state : { ...nothing(key), isLoading: key !== null };
  return { ...current, retry };
}

function nothing(key: string | null) {
  return { key, value: null, atMs: null, isLoading: false, thrown: null };
}

/** Calls after a pause, but not while nobody sees the page; at once when somebody does again. */
function useBeat(everyMs: number | undefined, call: () => void): void {
  useEffect(() => {
    if (everyMs === undefined) return undefined;
    let isDue = false;
    const tell = (): void => {
      isDue = true;
      if (document.visibilityState === "visible") call();
    };
    const timer = setTimeout(tell, everyMs);
    const onVisible = (): void => {
      if (isDue && document.visibilityState === "visible") call();
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [everyMs, call]);
}
