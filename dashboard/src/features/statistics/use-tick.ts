import type { Granularity } from "@huishi/contracts";
import { useMemo } from "react";
import { useWords } from "../../core/i18n/use-words.ts";

/** How a bucket's beginning is written: shortly under a chart, wholly where it is read. */
export function useTick(by: Granularity): {
  short: (atMs: number) => string;
  long: (atMs: number) => string;
} {
  const words = useWords();
  return useMemo(() => {
    if (by === "day") return { short: words.day, long: words.day };
    const long = (atMs: number): string => `${words.day(atMs)} ${words.clock(atMs)}`;
    return { short: words.clock, long };
  }, [words, by]);
}
