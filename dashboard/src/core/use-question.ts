/** A question to the server as a page's state: asked again when its key changes, or on a beat. */
import { useCallback, useEffect, useRef, useState } from "react";
import { createStore, type Store, useStore } from "./store.ts";

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

type Ask<T> = (key: string, signal: AbortSignal) => Promise<T>;
type State<T> = Omit<Answer<T>, "retry"> & { readonly key: string | null };

const nothing = { value: null, atMs: null, isLoading: false, thrown: null };

/** One question at a time; another one ends the one before. */
class Asker<T> {
  readonly state: Store<State<T>> = createStore<State<T>>({ ...nothing, key: null });
  #stop = new AbortController();

  /** Keeps the answer that is there while the same is asked again. */
  ask(key: string, ask: Ask<T>): void {
    this.#stop.abort();
    const stop = new AbortController();
    this.#stop = stop;
    this.state.update((was) => ({ ...(was.key === key ? was : { ...nothing, key }), isLoading: true }));
    ask(key, stop.signal).then(
      (value) => {
        if (stop.signal.aborted) return;
        this.state.set({ key, value, atMs: performance.now(), isLoading: false, thrown: null });
      },
      (thrown: unknown) => {
        if (!stop.signal.aborted) this.state.update((was) => ({ ...was, isLoading: false, thrown }));
      },
    );
  }

  end(): void {
    this.#stop.abort();
  }
}

/**
 * @param key what is asked; null asks nothing
 * @param ask is called with the key; a new function alone asks nothing anew
 * @param everyMs asks again that long after each answer, while the page is visible
 */
export function useQuestion<T>(key: string | null, ask: Ask<T>, everyMs?: number): Answer<T> {
  const [asker] = useState(() => new Asker<T>());
  const askRef = useRef(ask);
  useEffect(() => {
    askRef.current = ask;
  });
  useEffect(() => {
    if (key === null) return undefined;
    asker.ask(key, askRef.current);
    return () => asker.end();
  }, [asker, key]);
  const state = useStore(asker.state);
  const retry = useCallback(() => {
    if (key !== null) asker.ask(key, askRef.current);
  }, [asker, key]);
  const isCurrent = state.key === key;
  useBeat(!isCurrent || state.isLoading || key === null ? undefined : everyMs, retry);
  return { ...(isCurrent ? state : { ...nothing, isLoading: key !== null }), retry };
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
