/** A tiny external store: hot data lives outside React and is read by selector. */
import { useCallback, useRef, useSyncExternalStore } from "react";

export interface ReadableStore<T> {
  get(): T;
  /** Calls the listener after each change. Returns the way to stop. */
  subscribe(listener: () => void): () => void;
}

export interface Store<T> extends ReadableStore<T> {
  set(next: T): void;
  update(change: (current: T) => T): void;
}

/** A store that holds one immutable value; setting the same value tells nobody. */
export function createStore<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  const set = (next: T): void => {
    if (Object.is(next, value)) return;
    value = next;
    for (const listener of listeners) listener();
  };
  return {
    get: () => value,
    set,
    update: (change) => set(change(value)),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Are both arrays the same elements in the same order? For selectors that make arrays. */
export function isSameList<T>(a: readonly T[], b: readonly T[]): boolean {
  return a.length === b.length && a.every((element, index) => Object.is(element, b[index]));
}

/**
 * Reads a part of a store and renders again only when that part changed.
 *
 * @param isEqual when the selector makes a new object each time
 */
export function useSelector<T, S>(
  store: ReadableStore<T>,
  select: (value: T) => S,
  isEqual: (a: S, b: S) => boolean = Object.is,
): S {
  const last = useRef<{ value: T; select: (value: T) => S; selected: S } | null>(null);
  const read = useCallback((): S => {
    const value = store.get();
    const previous = last.current;
    if (previous && Object.is(previous.value, value) && previous.select === select) return previous.selected;
    const selected = select(value);
    const kept = previous && isEqual(previous.selected, selected) ? previous.selected : selected;
    last.current = { value, select, selected: kept };
    return kept;
  }, [store, select, isEqual]);
  return useSyncExternalStore(store.subscribe, read);
}

/** Reads a whole store. */
export function useStore<T>(store: ReadableStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
