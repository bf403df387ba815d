import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const SOURCES = new URL(".", import.meta.url).pathname;
const page = readFileSync(new URL("../../../docs/errors.md", import.meta.url), "utf8");
const sources = readdirSync(SOURCES, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && !/\.test\.ts$|test-support/.test(file))
  .map((file) => readFileSync(path.join(SOURCES, file), "utf8"))
  .join("\n");

test("every code of the entrances stands in docs/errors.md", () => {
  const thrown = [...sources.matchAll(/(?:HuishiError\(\s*|#fail\()"([A-Z][A-Z_]+)"/g)].map(
    ([, code]) => code,
  );
  const reasons = [...sources.matchAll(/#refused\("([A-Z_]+)"|\| "([A-Z_]{8,})"/g)].map(([, a, b]) => a ?? b);
  const codes = new Set([...thrown, ...reasons]);
  expect(codes.size).toBeGreaterThan(20);
  expect([...codes].filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
