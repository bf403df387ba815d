/** Writes docs/openapi.json and docs/asyncapi.json: `npm run documents -w @huishi/api`. */
import { writeFile } from "node:fs/promises";
import { generateDocuments, REPOSITORY_ROOT } from "./documents.ts";

for (const [path, text] of await generateDocuments()) {
  await writeFile(new URL(path, REPOSITORY_ROOT), text);
  process.stdout.write(`${path} written\n`);
}
