import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const SOURCE = fileURLToPath(new URL("../../", import.meta.url));
/** Signs that need no translation. */
const SIGNS = /^[\s×→←·%<>/()]*$/;

function* markup(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* markup(path);
    else if (entry.name.endsWith(".tsx")) yield path;
  }
}

/** Words between tags, and words in attributes that people read or hear. */
function wordsIn(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const between = [...code.matchAll(/<\/?[A-Za-z][^<>{}=]*>([^<>{}();=]+)<\//g)].map(
    (match) => match[1] ?? "",
  );
  const attributes = [...code.matchAll(/\s(?:aria-label|title|alt|placeholder|label|hint)="([^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return [...between, ...attributes].filter(
    (text) => !SIGNS.test(text) && text !== "Enter" && !/^[A-Z]$/.test(text),
  );
}

describe("markup", () => {
  it("holds no words of its own: all stand in the catalogues", () => {
    const files = [...markup(SOURCE)];
    expect(files.length).toBeGreaterThan(20);
    expect(
      files.flatMap((file) => wordsIn(readFileSync(file, "utf8")).map((text) => `${file}: ${text}`)),
    ).toEqual([]);
  });

  it("is searched in the right places", () => {
    expect(wordsIn('<b title="Hello">x</b><p>{t.a} There</p><kbd>A</kbd>')).toEqual(["Hello"]);
    expect(wordsIn("<p>Words here</p>")).toEqual(["Words here"]);
  });
});
