import { EdgeError } from "../faults.ts";

/** The unescaped reference tokens of a JSON Pointer. */
export type JsonPointer = readonly string[];

/** @throws EdgeError SENSOR_CONFIG_INVALID when the text is no JSON Pointer (RFC 6901 §3) */
export function parsePointer(text: string): JsonPointer {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) {
    throw new EdgeError("SENSOR_CONFIG_INVALID", `"${text}" is no JSON Pointer (like /data/level)`);
  }
  // RFC 6901 §4: first ~1, then ~0.
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

const ARRAY_INDEX = /^(0|[1-9][0-9]{0,8})$/;

/** What the pointer names in the document; undefined when there is nothing. Own members alone. */
export function valueAt(document: unknown, pointer: JsonPointer): unknown {
  let value = document;
  for (const token of pointer) {
    if (value === null || typeof value !== "object") return undefined;
    if (Array.isArray(value) && !ARRAY_INDEX.test(token)) return undefined;
    if (!Object.hasOwn(value, token)) return undefined;
    value = (value as Record<string, unknown>)[token];
  }
  return value;
}
