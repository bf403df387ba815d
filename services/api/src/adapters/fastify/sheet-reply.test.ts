import { expect, it } from "vitest";
import { prefersSheet } from "./sheet-reply.ts";

it.each([
  ["text/csv", true],
  ["text/csv, application/json;q=0.5", true],
  ["application/json, text/csv;q=0.9", false],
  ["TEXT/CSV;charset=utf-8", true],
  ["*/*", false],
  ["text/html,application/xhtml+xml,*/*;q=0.8", false],
  ["text/csv;q=0", false],
  ["text/csv;q=no", false],
  [undefined, false],
])("of Accept '%s' a sheet is preferred: %s", (accept, expected) => {
  expect(prefersSheet(accept)).toBe(expected);
});
