// Comma-separated values (RFC 4180) that are safe to open in a spreadsheet.

/** What a spreadsheet takes as the beginning of a formula (OWASP, "CSV Injection"). */
const FORMULA_START = /^[=+\-@\t\r\n＝＋－＠]/u;

export type CsvCell = string | number | null;

/**
 * One line, with its end. Text that a spreadsheet would calculate gets an apostrophe before it; numbers are as they are.
 */
export function csvLine(cells: readonly CsvCell[]): string {
  return `${cells.map(cellText).join(",")}\r\n`;
}

function cellText(cell: CsvCell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return Number.isFinite(cell) ? String(cell) : "";
  const isFormula = FORMULA_START.test(cell.trimStart()) || FORMULA_START.test(cell);
  const safe = isFormula ? `'${cell}` : cell;
  return isFormula || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
