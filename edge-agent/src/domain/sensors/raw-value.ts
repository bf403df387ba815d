const DECIMAL = /^[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?$/;
const MAX_TEXT = 40;

/**
 * A number in a sensor's message: a number, a boolean (1 or 0) or a numeric text. `null` where there is none,
 * `"unusable"` where something else stands.
 */
export function rawNumber(value: unknown): number | null | "unusable" {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "number") return Number.isFinite(value) ? value : "unusable";
  if (typeof value !== "string" || value.length > MAX_TEXT) return "unusable";
  const text = value.trim();
  if (!DECIMAL.test(text)) return "unusable";
  const number = Number(text);
  return Number.isFinite(number) ? number : "unusable";
}
