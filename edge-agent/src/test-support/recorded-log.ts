import type { Log } from "../application/ports.ts";

/** A log that a test reads. */
export function recordedLog(): Log & { readonly lines: string[] } {
  const lines: string[] = [];
  const note = (_fields: Record<string, unknown>, message: string): void => void lines.push(message);
  return { lines, info: note, warn: note, error: note };
}
