import { readFile } from "node:fs/promises";
import { asyncApiDocument } from "./asyncapi.ts";
import { openApiDocument } from "./openapi.ts";

/** The generated documents by their path from the repository's root, as they should stand in it. */
export async function generateDocuments(): Promise<Map<string, string>> {
  const version = await readVersion();
  const pretty = (document: object): string => `${JSON.stringify(document, null, 2)}\n`;
  return new Map([
    ["docs/openapi.json", pretty(await openApiDocument(version))],
    ["docs/asyncapi.json", pretty(asyncApiDocument(version))],
  ]);
}

/** The repository's root, from src/documents and from dist/documents alike. */
export const REPOSITORY_ROOT = new URL("../../../../", import.meta.url);

async function readVersion(): Promise<string> {
  const text = await readFile(new URL("services/api/package.json", REPOSITORY_ROOT), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
