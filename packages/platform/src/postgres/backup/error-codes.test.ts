import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

test("every code of backup and restore stands in docs/errors.md", () => {
  const page = readFileSync(new URL("../../../../../docs/errors.md", import.meta.url), "utf8");
  const folders = ["./", "../../../../../deploy/standalone/src/backup/"];
  const codes = new Set<string>();
  for (const folder of folders) {
    const url = new URL(folder, import.meta.url);
    for (const name of readdirSync(url)) {
      if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
      const source = readFileSync(new URL(name, url), "utf8");
      for (const [code] of source.matchAll(
        /\b(?:BACKUP|RESTORE|PASSPHRASE|DATABASE|MIGRATION)(?:_[A-Z]+)+\b(?=")/g,
      )) {
        codes.add(code);
      }
    }
  }
  expect(codes.size).toBeGreaterThan(20);
  for (const code of codes) expect(page).toContain(`\`${code}\``);
});
