/** What the side panel draws on the picture: the allowed way, and the place of a rehearsed alarm. */
import type { Priority, Zone } from "@huishi/contracts";
import type { Box } from "@huishi/kernel";
import { createContext, useContext } from "react";
import { createStore, type Store } from "../../core/store.ts";

export interface HeadingMark {
  readonly zone: Zone;
  /** 0 up, 90 right, in the picture. */
  readonly degrees: number;
  readonly onTurn: (degrees: number) => void;
}

export interface EditorMarks {
  readonly heading: HeadingMark | null;
  readonly box: { readonly box: Box; readonly priority: Priority } | null;
}

export function createMarks(): Store<EditorMarks> {
  return createStore<EditorMarks>({ heading: null, box: null });
}

export const MarksContext = createContext<Store<EditorMarks> | null>(null);

export function useMarks(): Store<EditorMarks> {
  const marks = useContext(MarksContext);
  if (!marks) throw new Error("useMarks outside of MarksContext");
  return marks;
}
