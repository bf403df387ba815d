/** One clock tick for all that ages on the page, four times a second. */
import type { ReadableStore } from "./store.ts";

const TICK_MS = 250;
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | null = null;
let count = 0;

/** A store whose value counts up; runs only while somebody listens. */
export const ticker: ReadableStore<number> = {
  get: () => count,
  subscribe: (listener) => {
    listeners.add(listener);
    timer ??= setInterval(() => {
      count += 1;
      for (const each of listeners) each();
    }, TICK_MS);
    return () => {
      listeners.delete(listener);
      if (listeners.size > 0 || timer === null) return;
      clearInterval(timer);
      timer = null;
    };
  },
};
