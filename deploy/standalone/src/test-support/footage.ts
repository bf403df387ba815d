import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../../", import.meta.url));

/** Street footage for development lies beside the project (or at HUISHI_MEDIA) and is not part of it. */
export function footage(name: string): string | null {
  const folder = process.env["HUISHI_MEDIA"] ?? resolve(root, "../shared/media");
  const file = join(folder, name);
  if (existsSync(file)) return file;
  console.log(`skipped: ${name} is not in ${folder}; set HUISHI_MEDIA to a folder that has it`);
  return null;
}
