/** Short notes at the edge of the page: what was done, with its undo, or what did not work. */
import { createStore, type ReadableStore, type Store } from "./store.ts";

export interface Toast {
  readonly id: number;
  readonly text: string;
  readonly isError: boolean;
  readonly code: string | null;
  readonly undo: (() => void) | null;
}

const SHOWN_MS = 6_000;
const MAX_SHOWN = 4;

export class Toasts {
  readonly #list: Store<readonly Toast[]> = createStore<readonly Toast[]>([]);
  #lastId = 0;

  get list(): ReadableStore<readonly Toast[]> {
    return this.#list;
  }

  show(toast: { text: string; isError?: boolean; code?: string; undo?: () => void }): void {
    const id = ++this.#lastId;
    const { text, isError = false, code = null, undo = null } = toast;
    this.#list.update((list) => [...list, { id, text, isError, code, undo }].slice(-MAX_SHOWN));
    setTimeout(() => this.dismiss(id), isError || undo ? 2 * SHOWN_MS : SHOWN_MS);
  }

  dismiss(id: number): void {
    this.#list.update((list) => list.filter((toast) => toast.id !== id));
  }
}
