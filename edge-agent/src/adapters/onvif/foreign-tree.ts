/** Looking into trees that a device filled: every step may be missing or of another kind. */
export function at(tree: unknown, ...path: readonly string[]): unknown {
  let value = tree;
  for (const name of path) {
    if (value === null || typeof value !== "object" || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** One, several or no elements, always as a list. */
export function listOf(value: unknown): unknown[] {
  if (value === undefined || value === null || value === "") return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}

export function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" || typeof value === "boolean" ? String(value) : undefined;
}

export function numberOf(value: unknown): number {
  const number = typeof value === "number" ? value : Number(textOf(value) ?? Number.NaN);
  return Number.isFinite(number) ? number : 0;
}

/**
 * Text of the first element of that name in the raw XML. Versions and serial numbers are read this way: the
 * library makes numbers of them ("2.10" becomes 2.1, a long serial loses digits).
 */
export function elementText(xml: string, localName: string): string | undefined {
  const match = new RegExp(`<(?:[\\w.-]+:)?${localName}(?:\\s[^<>]*)?>([^<]*)<`).exec(xml);
  return match?.[1]
    ?.replace(/&lt;/g, "<")
    .replace(/&gt;/g, ">")
    .replace(/&quot;/g, '"')
    .replace(/&apos;/g, "'")
    .replace(/&amp;/g, "&")
    .trim();
}

/** The library's bare tree has a list around everything. */
export function bodyOf(data: unknown): unknown {
  if (Array.isArray(data)) return data.length > 1 ? data.map(bodyOf) : bodyOf(data[0]);
  if (data === null || typeof data !== "object") return data;
  return Object.fromEntries(Object.entries(data).map(([name, value]) => [name, bodyOf(value)]));
}
