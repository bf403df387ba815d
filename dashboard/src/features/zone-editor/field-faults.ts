/** Which field of the form a refusal of the server is about. */
import { HuishiError, messageOf } from "@huishi/kernel";
import type { Words } from "../../core/i18n/catalogue.ts";

/** The words for what is wrong with a field; null when nothing is. */
export type FieldFaults = (field: string) => string | null;

export function fieldFaults(error: unknown, words: Words): FieldFaults {
  const named = fieldsOf(error);
  const text =
    error instanceof HuishiError ? words.error(error.code, messageOf(error)) : words.t.errors.unknown;
  return (field) => (named.some((name) => name === field || name.endsWith(`.${field}`)) ? text : null);
}

/** Names as the server gives them: `sensor.value`, or `subject.rule.sensor.value` from a rehearsal. */
function fieldsOf(error: unknown): string[] {
  if (!(error instanceof HuishiError)) return [];
  const { field, fields } = error.details;
  const list = Array.isArray(fields) ? (fields as { field?: unknown }[]).map((each) => each.field) : [];
  return [...new Set([field, ...list])].filter((name) => typeof name === "string" && name !== "") as string[];
}
