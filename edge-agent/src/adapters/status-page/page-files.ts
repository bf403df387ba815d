import { readFile } from "node:fs/promises";

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

/** The page beside its script and style: none of them inline, so that nothing inline needs to be allowed. */
const FILES = [
  ["/", "index.html", "text/html; charset=utf-8"],
  ["/page.js", "page.js", "text/javascript; charset=utf-8"],
  ["/texts.js", "texts.js", "text/javascript; charset=utf-8"],
  ["/icon.svg", "icon.svg", "image/svg+xml"],
  ["/page.css", "page.css", "text/css; charset=utf-8"],
] as const;
/** Beside `src` and `dist`: the browser takes them as they are. */
const FOLDER = new URL("../../../status-page/", import.meta.url);

export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const [path, name, type] of FILES)
    files.set(path, { type, body: await readFile(new URL(name, FOLDER)) });
  return files;
}
